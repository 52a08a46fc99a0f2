"""A study's space as Optuna sees it: distributions, parameters, constraints and objectives."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, product
from typing import Any

from numpy.random import Generator
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.study import StudyDirection

from sweep.config import ALL_LABELS, LAST, Cell, Choices, Dimension, StudyConfig
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

    Parameters of a classifier are known before it is trained, and a cell with more of them than
    ``max_parameters`` is not searched: each latent dimension has the neurons that it may have, and
    samplers draw from those, so that nothing they draw is refused.
    """

    def __init__(self, config: StudyConfig, representation: str) -> None:
        space = config.blocks[representation].space
        assert space is not None
        self._config = config
        self._representation = representation
        self._latent, self._neurons = (
            f"{representation}.{name}" for name in ("latent_dim", "hidden_neurons")
        )
        self.dimensions: dict[str, Dimension] = {
            f"{representation}.{name}": each for name, each in space.dimensions.items()
        }
        self.distributions: dict[str, BaseDistribution] = {
            name: _distribution(dimension) for name, dimension in self.dimensions.items()
        }
        """What Optuna shows."""
        self._of_latent: dict[int | None, Dimension] = {}

    @cached_property
    def sampled(self) -> dict[str, BaseDistribution]:
        """What samplers draw from; see :meth:`cell` and :meth:`drawn`."""
        if not self._is_cut:
            return self.distributions
        found = {name: _distribution(each) for name, each in self._drawn_from.items()}
        # How many neurons there may be depends on the latent dimension: a share of them is drawn.
        return {**found, self._neurons: FloatDistribution(0.0, 1.0)}

    @property
    def size(self) -> float:
        """Number of cells; infinite where a real number may be anything in a range."""
        return self._counted[-1] * math.prod(
            math.inf if each.values is None else len(each.values) for each in self._others.values()
        )

    def cells(self) -> Iterator[Cell]:
        """All cells of a space that has an end."""
        values = []
        for each in self._others.values():
            assert each.values is not None
            values.append(each.values)
        for place in range(self._counted[-1]):
            for others in product(*values):
                yield self._cell(
                    {**self._pair(place), **dict(zip(self._others, others, strict=True))}
                )

    def at(self, point: Sequence[float]) -> Cell:
        """The cell at a point of the unit cube, with a number from 0 to just below 1 a dimension.

        Each value has its share of its number's interval.
        """
        pairs = zip(self._drawn_from.items(), point, strict=True)
        values = {name: each.at(u) for (name, each), u in pairs}
        if self._is_cut:
            values[self._neurons] = self._allowed(values.get(self._latent)).at(point[-1])
        return self._cell(values)

    def by_chance(self, generator: Generator) -> Cell:
        """One of the cells, each as likely as the next."""
        others = {
            name: each.at(generator.random())
            if each.values is None
            else each.values[int(generator.integers(len(each.values)))]
            for name, each in self._others.items()
        }
        return self._cell({**self._pair(int(generator.integers(self._counted[-1]))), **others})

    def spans(self, cell: Cell) -> bool:
        """Whether a cell's values lie in the dimensions' ranges, whatever its parameters.

        A row that does not train as its block says is no cell of the space.
        """
        if cell.labels_from or cell.classifier:
            return False
        params = self.params(cell)
        return params.keys() == self.dimensions.keys() and all(
            each.has(params[name]) for name, each in self.dimensions.items()
        )

    def has(self, cell: Cell) -> bool:
        """Whether a cell is one of this space."""
        return self.spans(cell) and is_within_bounds(self._config, cell)

    def params(self, cell: Cell) -> dict[str, float]:
        """A cell's values under Optuna's names."""
        named = {"latent_dim": cell.latent_dim, **dict(cell.varied)}
        named["hidden_neurons"] = cell.hidden_neurons
        return {
            f"{self._representation}.{name}": value
            for name, value in named.items()
            if value is not None
        }

    def drawn(self, cell: Cell) -> dict[str, float]:
        """What a sampler has drawn that proposed a cell of this space."""
        params = self.params(cell)
        if self._is_cut:
            params[self._neurons] = self._allowed(cell.latent_dim).share(cell.hidden_neurons)
        return params

    def cell(self, drawn: Mapping[str, Any]) -> Cell:
        """The cell of what a sampler has drawn, each moved to the nearest of its dimension."""
        values = {name: each.nearest(drawn[name]) for name, each in self._drawn_from.items()}
        if self._is_cut:
            share = min(float(drawn[self._neurons]), LAST)
            values[self._neurons] = self._allowed(values.get(self._latent)).at(share)
        return self._cell(values)

    def _cell(self, values: Mapping[str, Any]) -> Cell:
        named = {
            name.removeprefix(f"{self._representation}."): values[name] for name in self.dimensions
        }
        return Cell.of(self._representation, named, self._config.leading_budget)

    @cached_property
    def _others(self) -> dict[str, Dimension]:
        """The dimensions that a classifier's parameters do not depend on."""
        of_parameters = (self._latent, self._neurons)
        return {name: each for name, each in self.dimensions.items() if name not in of_parameters}

    @cached_property
    def _neurons_rising(self) -> Sequence[int]:
        values = self.dimensions[self._neurons].values
        assert values is not None
        return values if isinstance(values, range) else sorted(values)

    @cached_property
    def _latent_dims(self) -> Sequence[int | None]:
        """Those that may have any neurons, rising."""
        each = self.dimensions.get(self._latent)
        if each is None or each.values is None:
            return (None,)
        rising: list[int] = sorted(each.values)
        fewest = self._neurons_rising[0]
        return rising[: bisect_right(rising, -float(fewest), key=lambda dims: -self._most(dims))]

    @cached_property
    def _counted(self) -> Sequence[int]:
        """How many pairs of latent dimension and neurons there are, up to each latent dimension."""
        return list(accumulate(map(self._count, self._latent_dims)))

    def _count(self, latent_dim: int | None) -> int:
        """How many neurons a latent dimension may have."""
        return bisect_right(self._neurons_rising, self._most(latent_dim))

    def _most(self, latent_dim: int | None) -> float:
        """How many the bound leaves it, whatever the dimension of neurons has."""
        return self._config.most_neurons(self._representation, latent_dim)

    def _pair(self, place: int) -> dict[str, int | None]:
        """A latent dimension with neurons, by its place among all."""
        row = bisect_right(self._counted, place)
        before = self._counted[row - 1] if row else 0
        pair = {self._latent: self._latent_dims[row]}
        return {**pair, self._neurons: self._neurons_rising[place - before]}

    @cached_property
    def _is_cut(self) -> bool:
        """Whether the bound leaves the largest latent dimension less than all neurons."""
        return self._count(self._latent_dims[-1]) < len(self._neurons_rising)

    @cached_property
    def _drawn_from(self) -> dict[str, Dimension]:
        """The dimensions, without latent dimensions that may have no neurons."""
        latent = self.dimensions.get(self._latent)
        largest = self._latent_dims[-1]
        if latent is None or largest is None:
            return self.dimensions
        return {**self.dimensions, self._latent: latent.upto(largest)}

    def _allowed(self, latent_dim: int | None) -> Dimension:
        """The neurons that a latent dimension may have."""
        if latent_dim not in self._of_latent:
            dimension = self.dimensions[self._neurons]
            self._of_latent[latent_dim] = dimension.upto(self._most(latent_dim))
        return self._of_latent[latent_dim]


def _distribution(dimension: Dimension) -> BaseDistribution:
    """What Optuna draws from; a step of a logarithm, and points, are found after it."""
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.choices)
    low, high, log = dimension.low, dimension.largest, dimension.log
    step = None if log or dimension.points else dimension.step
    if dimension.is_whole:
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(low, high, log=log, step=step)
