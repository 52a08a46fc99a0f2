"""A study's space as Optuna sees it: distributions, parameters, constraints and objectives."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count, product
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.study import StudyDirection

from sweep.config import ALL_LABELS, Cell, Choices, Dimension, StudyConfig
from sweep.results import TrialResult


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

    Dimensions carry their representation's name, because their distributions differ. A row outside
    the space, which no sampler could have proposed, shows its representation alone.
    """
    params: dict[str, Any] = {"representation": cell.representation}
    distributions: dict[str, BaseDistribution] = {
        "representation": CategoricalDistribution(tuple(config.blocks))
    }
    if config.labels is not None:
        params["labels"] = label_name(cell.label_budget)
        distributions["labels"] = CategoricalDistribution(config.labels)
    if config.blocks[cell.representation].space is not None:
        space = SearchSpace(config, cell.representation)
        if space.spans(cell):
            params |= space.params(cell)
            distributions |= space.distributions
    return params, distributions


def label_name(budget: int | None) -> int | str:
    """A label budget as configs and Optuna have it."""
    return ALL_LABELS if budget is None else budget


def is_within_bounds(config: StudyConfig, cell: Cell) -> bool:
    """Whether a cell exceeds no bound of the config."""
    return all(excess <= 0 for excess in constraints(config, cell).values())


def constraints(config: StudyConfig, cell: Cell) -> dict[str, float]:
    """By how much a cell exceeds each bound of the config, for Optuna's ``set_constraint``."""
    bound = config.search.max_parameters
    return {} if bound is None else {"max_parameters": config.classifier_parameters(cell) - bound}


class SearchSpace:
    """The cells of one representation that a study searches.

    Parameters of a classifier are known before it is trained: a cell with more of them than
    ``max_parameters`` is not searched.
    """

    def __init__(self, config: StudyConfig, representation: str) -> None:
        space = config.blocks[representation].space
        assert space is not None
        self._config = config
        self._representation = representation
        self.dimensions: dict[str, Dimension] = {
            f"{representation}.{name}": each for name, each in space.dimensions.items()
        }
        self.distributions: dict[str, BaseDistribution] = {
            name: _distribution(dimension) for name, dimension in self.dimensions.items()
        }

    @cached_property
    def size(self) -> float:
        """Number of cells; infinite where a real number may be anything in a range."""
        *outer, neurons = self.dimensions.items()
        others = math.prod(
            math.inf if each.values is None else len(each.values)
            for name, each in outer
            if not name.endswith(".latent_dim")
        )
        assert neurons[1].values is not None
        ordered = sorted(neurons[1].values)
        latent_dims = self._latent_dims
        bound = self._config.search.max_parameters
        if bound is None:
            return len(ordered) * len(latent_dims) * others
        return others * sum(  # more neurons have more parameters: a bisection counts them
            bisect_right(ordered, bound, key=lambda n: self._parameters(latent_dim, n))
            for latent_dim in latent_dims
        )

    def cells(self) -> Iterator[Cell]:
        """All cells of a space that has an end, in an order whose every beginning covers it.

        Ranges are gone through together, shell by shell; choices are all tried at each.
        """
        orders = [
            each.choices if isinstance(each, Choices) else _Lazy(each.spread())
            for each in self.dimensions.values()
        ]
        are_ranges = [isinstance(order, _Lazy) for order in orders]
        for shell in count():
            places = [
                range(len(order)) if isinstance(order, tuple) else range(order.upto(shell))
                for order in orders
            ]
            found = False
            for chosen in product(*places):
                ranks = [p for p, is_range in zip(chosen, are_ranges, strict=True) if is_range]
                if max(ranks, default=shell) != shell:
                    continue
                found = True
                values = [order[place] for order, place in zip(orders, chosen, strict=True)]
                cell = self._cell(values)
                if self._is_allowed(cell):
                    yield cell
            if not found or not any(are_ranges):
                return

    def spans(self, cell: Cell) -> bool:
        """Whether a cell's values lie in the dimensions' ranges, whatever its parameters.

        A row that does not train as its block says is no cell of the space.
        """
        if cell.labels_from or cell.classifier:
            return False
        params = self.params(cell)
        return params.keys() == self.dimensions.keys() and all(
            _contains(each, params[name]) for name, each in self.dimensions.items()
        )

    def has(self, cell: Cell) -> bool:
        """Whether a cell is one of this space."""
        return self.spans(cell) and self._is_allowed(cell)

    def params(self, cell: Cell) -> dict[str, float]:
        """A cell's values under Optuna's names."""
        named = {"latent_dim": cell.latent_dim, **dict(cell.varied)}
        named["hidden_neurons"] = cell.hidden_neurons
        return {
            f"{self._representation}.{name}": value
            for name, value in named.items()
            if value is not None
        }

    def cell(self, params: Mapping[str, Any]) -> Cell:
        """The cell of values under Optuna's names, each moved to the nearest of its dimension."""
        return self._cell([each.nearest(params[name]) for name, each in self.dimensions.items()])

    def _cell(self, values: Sequence[Any]) -> Cell:
        named = {
            name.removeprefix(f"{self._representation}."): value
            for name, value in zip(self.dimensions, values, strict=True)
        }
        return Cell.of(self._representation, named, self._config.leading_budget)

    @property
    def _latent_dims(self) -> Sequence[int | None]:
        each = self.dimensions.get(f"{self._representation}.latent_dim")
        return (None,) if each is None or each.values is None else each.values

    def _is_allowed(self, cell: Cell) -> bool:
        bound = self._config.search.max_parameters
        return bound is None or self._config.classifier_parameters(cell) <= bound

    def _parameters(self, latent_dim: int | None, neurons: int) -> int:
        return self._config.classifier_parameters(
            Cell(representation=self._representation, latent_dim=latent_dim, hidden_neurons=neurons)
        )


class _Lazy:
    """The beginning of a long order, as far as somebody asked for it."""

    def __init__(self, order: Iterator[Any]) -> None:
        self._order = order
        self._known: list[Any] = []

    def __getitem__(self, place: int) -> Any:
        return self._known[place]

    def upto(self, place: int) -> int:
        """How many there are up to a place, that included."""
        while len(self._known) <= place:
            try:
                self._known.append(next(self._order))
            except StopIteration:
                break
        return len(self._known)


def _distribution(dimension: Dimension) -> BaseDistribution:
    """What Optuna draws from; a step of a logarithm, and points, are found after it."""
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.choices)
    low, high, log = dimension.low, dimension.largest, dimension.log
    step = None if log or dimension.points else dimension.step
    if dimension.is_whole:
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(low, high, log=log, step=step)


def _contains(dimension: Dimension, value: float) -> bool:
    if dimension.values is None:
        return bool(dimension.smallest <= value <= dimension.largest)
    return value in dimension.values
