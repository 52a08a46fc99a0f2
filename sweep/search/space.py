"""A study's space as Optuna sees it: distributions, parameters, constraints and objectives."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
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
            f"{representation}.{name}": dimension
            for name, dimension in (
                ("latent_dim", space.latent_dim),
                ("hidden_neurons", space.hidden_neurons),
            )
            if dimension is not None
        }
        self.distributions: dict[str, BaseDistribution] = {
            name: _distribution(dimension) for name, dimension in self.dimensions.items()
        }

    @cached_property
    def size(self) -> int:
        """Number of cells."""
        *outer, neurons = map(_values, self.dimensions.values())
        bound = self._config.search.max_parameters
        if bound is None:
            return len(neurons) * (len(outer[0]) if outer else 1)
        ordered = sorted(neurons)  # more neurons have more parameters: a bisection counts them
        return sum(
            bisect_right(ordered, bound, key=lambda n: self._parameters((*dims, n)))
            for dims in product(*outer)
        )

    def cells(self) -> Iterator[Cell]:
        """All cells, the hidden neurons changing fastest: few encoders are begun at a time."""
        for values in product(*map(_values, self.dimensions.values())):
            cell = self._cell(values)
            if self._is_allowed(cell):
                yield cell

    def spans(self, cell: Cell) -> bool:
        """Whether a cell's values lie in the dimensions' ranges, whatever its parameters.

        A row that does not train as its block says is no cell of the space.
        """
        if cell.labels_from or cell.classifier:
            return False
        params = self.params(cell)
        return all(params[name] in _values(each) for name, each in self.dimensions.items())

    def has(self, cell: Cell) -> bool:
        """Whether a cell is one of this space."""
        return self.spans(cell) and self._is_allowed(cell)

    def params(self, cell: Cell) -> dict[str, int]:
        """A cell's values under Optuna's names."""
        named = {"latent_dim": cell.latent_dim, "hidden_neurons": cell.hidden_neurons}
        return {
            f"{self._representation}.{name}": value
            for name, value in named.items()
            if value is not None
        }

    def cell(self, params: Mapping[str, Any]) -> Cell:
        """The cell of values under Optuna's names."""
        return self._cell([params[name] for name in self.dimensions])

    def _cell(self, values: Sequence[int]) -> Cell:
        *latent_dim, neurons = values
        return Cell(
            representation=self._representation,
            latent_dim=latent_dim[0] if latent_dim else None,
            hidden_neurons=neurons,
            label_budget=self._config.leading_budget,
        )

    def _is_allowed(self, cell: Cell) -> bool:
        bound = self._config.search.max_parameters
        return bound is None or self._config.classifier_parameters(cell) <= bound

    def _parameters(self, values: Sequence[int]) -> int:
        return self._config.classifier_parameters(self._cell(values))


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.choices)
    return IntDistribution(dimension.low, dimension.high, log=dimension.log)


def _values(dimension: Dimension) -> Sequence[int]:
    """The values of a dimension, in its order."""
    if isinstance(dimension, Choices):
        return dimension.choices
    return range(dimension.low, dimension.high + 1)
