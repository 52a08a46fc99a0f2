"""Proposing cells: Optuna's samplers over a study's space.

Samplers work on a copy of the study in memory, so that a proposal that is not used, because its
cell was tried before, leaves no trace in the storage. Every proposal has a sampler of its own,
seeded with the number of cells that its representation has had: a resumed study goes on where an
uninterrupted one would, instead of repeating its first suggestions.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from sweep import seeds
from sweep.config import Cell, Choices, Dimension, StudyConfig
from sweep.search.attempt import Attempt, State
from sweep.trial import TrialResult

_REDRAWS = 50


def directions(config: StudyConfig) -> list[StudyDirection]:
    """Accuracy is to grow; parameters are to shrink."""
    return [
        StudyDirection.MAXIMIZE if objective == "accuracy" else StudyDirection.MINIMIZE
        for objective in config.search.objectives
    ]


def objective_values(config: StudyConfig, result: TrialResult) -> list[float]:
    """The objectives of a result, in the config's order."""
    return [float(getattr(result, objective)) for objective in config.search.objectives]


def cell_params(
    config: StudyConfig, cell: Cell
) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """A cell as Optuna shows it: parameters and distributions.

    Dimensions carry their representation's name: a space that differs from representation to
    representation is then searched jointly within each. A row outside the space, which no sampler
    could have proposed, shows its representation alone.
    """
    block = config.blocks[cell.representation]
    params: dict[str, Any] = {"representation": cell.representation}
    distributions: dict[str, BaseDistribution] = {
        "representation": CategoricalDistribution(tuple(config.blocks))
    }
    if block.space is not None:
        space = _distributions(config, cell.representation)
        values = _values(cell)
        if all(_contains(space[name], values[name]) for name in space):
            params |= values
            distributions |= space
    return params, distributions


class Proposer:
    """Proposes cells for a study, and learns from its attempts."""

    def __init__(self, config: StudyConfig, attempts: Sequence[Attempt]) -> None:
        self._config = config
        self._memory = optuna.create_study(directions=directions(config))
        self._running: dict[int, Any] = {}
        self._tried: dict[str, set[Cell]] = {name: set() for name in config.blocks}
        for attempt in attempts:
            self.learn(attempt)

    def exhausted(self, representation: str) -> bool:
        """Whether every cell of a representation's space has been tried."""
        space = self._config.blocks[representation].space
        assert space is not None
        inside = sum(_inside(self._config, cell) for cell in self._tried[representation])
        return inside >= space.size

    def propose(self, representation: str) -> Cell:
        """A cell that was not tried before; the space must not be exhausted."""
        space = _distributions(self._config, representation)
        index = len(self._tried[representation])
        for redraw in range(_REDRAWS):
            seed = seeds.integer(self._config.seed, "sampler", representation, index, redraw)
            # A sampler that insists on a cell it has had gives way to chance.
            name = self._config.search.sampler if redraw < _REDRAWS // 2 else "random"
            self._memory.sampler = _sampler(name, seed)
            trial = self._memory.ask(space)
            self._memory.tell(trial, state=TrialState.FAIL)
            cell = _cell(representation, trial.params)
            if cell not in self._tried[representation]:
                return cell
        return self._any_untried(representation, index)

    def learn(self, attempt: Attempt) -> None:
        """Take note of an attempt that began or ended."""
        self._tried[attempt.cell.representation].add(attempt.cell)
        params, distributions = cell_params(self._config, attempt.cell)
        del params["representation"], distributions["representation"]
        if not params:
            return
        if attempt.state is State.RUNNING:
            self._memory.add_trial(
                create_trial(
                    state=TrialState.RUNNING,
                    params=params,
                    distributions=distributions,
                    user_attrs={"number": attempt.number},
                )
            )
            self._running[attempt.number] = self._memory.trials[-1].number
        elif attempt.result is not None:
            values = objective_values(self._config, attempt.result)
            running = self._running.pop(attempt.number, None)
            if running is not None:
                self._memory.tell(running, values)
            else:
                self._memory.add_trial(
                    create_trial(params=params, distributions=distributions, values=values)
                )
        elif (running := self._running.pop(attempt.number, None)) is not None:
            self._memory.tell(running, state=TrialState.FAIL)

    def _any_untried(self, representation: str, index: int) -> Cell:
        """One of the cells that are left, when chance no longer finds them."""
        space = self._config.blocks[representation].space
        assert space is not None
        left = [
            cell
            for latent_dim in (_all(space.latent_dim) if space.latent_dim else [None])
            for neurons in _all(space.hidden_neurons)
            if (
                cell := Cell(
                    representation=representation, latent_dim=latent_dim, hidden_neurons=neurons
                )
            )
            not in self._tried[representation]
        ]
        choice = seeds.generator(self._config.seed, "sampler", representation, index, "left")
        return left[int(choice.integers(len(left)))]


def _sampler(name: str, seed: int) -> BaseSampler:
    if name == "random":
        return RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _distributions(config: StudyConfig, representation: str) -> dict[str, BaseDistribution]:
    space = config.blocks[representation].space
    assert space is not None
    dimensions = {"latent_dim": space.latent_dim, "hidden_neurons": space.hidden_neurons}
    return {
        f"{representation}.{name}": _distribution(dimension)
        for name, dimension in dimensions.items()
        if dimension is not None
    }


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.choices)
    return IntDistribution(dimension.low, dimension.high, log=dimension.log)


def _values(cell: Cell) -> dict[str, int]:
    dimensions = {"latent_dim": cell.latent_dim, "hidden_neurons": cell.hidden_neurons}
    return {
        f"{cell.representation}.{name}": value
        for name, value in dimensions.items()
        if value is not None
    }


def _cell(representation: str, params: Mapping[str, Any]) -> Cell:
    return Cell(
        representation=representation,
        latent_dim=params.get(f"{representation}.latent_dim"),
        hidden_neurons=params[f"{representation}.hidden_neurons"],
    )


def _inside(config: StudyConfig, cell: Cell) -> bool:
    space = _distributions(config, cell.representation)
    values = _values(cell)
    return all(_contains(space[name], values[name]) for name in space)


def _contains(distribution: BaseDistribution, value: int) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, IntDistribution)
    return distribution.low <= value <= distribution.high


def _all(dimension: Dimension) -> Sequence[int]:
    if isinstance(dimension, Choices):
        return dimension.choices
    return range(dimension.low, dimension.high + 1)
