"""Differences between representations that are given the same number of parameters and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sweep.reports.intervals import Layout
from sweep.values import Value

Counted = Literal["classifier", "inference"]
"""Which parameters: the classifier's, or all that inference needs."""
COUNTED: tuple[Counted, ...] = ("classifier", "inference")


class Candidate(Value):
    """A configuration that has been measured."""

    name: str
    representation: str
    labels: int
    classifier_parameters: int
    inference_parameters: int
    scored_on: Literal["validation", "test"]
    draws: tuple[float, ...]
    """Mean accuracy of each draw's classifiers on that partition, a fraction."""
    test_draws: tuple[float, ...] | None = None
    """The same on the test partition, of what a search selected; None for all else."""

    @cached_property
    def accuracy(self) -> float:
        """Mean over the draws."""
        return float(np.mean(self.draws))


class Difference(Value):
    """One representation's accuracy minus another's, each at its best within the same bound.

    Accuracies are fractions; the interval is of 95 %, paired over the draws, and null for one draw.
    """

    counted: Counted
    max_parameters: int
    """The bound, on what ``counted`` says."""
    labels: int
    """How many labels both had."""
    first: str
    second: str
    scored_on: Literal["validation", "test"]
    """Both were selected by their scores on the validation partition, if there is a choice; test
    scores are taken where both have them."""
    difference: float
    low: float | None
    high: float | None
    n_draws: int


def differences(candidates: Sequence[Candidate]) -> tuple[Difference, ...]:
    """All pairs of representations with equal labels, by what is counted, and bounds of 1, 2, 5 ...

    Within a bound each representation stands with its most accurate configuration. A bound that
    changes neither configuration of a pair is left out.
    """
    found: list[Difference] = []
    names = list(dict.fromkeys(each.representation for each in candidates))
    for labels in dict.fromkeys(each.labels for each in candidates):
        of_labels = [each for each in candidates if each.labels == labels]
        counts: dict[Counted, Callable[[Candidate], int]] = {
            "classifier": lambda each: each.classifier_parameters,
            "inference": lambda each: each.inference_parameters,
        }
        for counted, count in counts.items():
            for pair in combinations(names, 2):
                before = None
                for bound in _bounds([count(each) for each in of_labels]):
                    within = [each for each in of_labels if count(each) <= bound]
                    best = [_best(within, name) for name in pair]
                    first, second = best
                    if first is None or second is None or best == before:
                        continue
                    before = best
                    found.append(_difference(counted, bound, first, second))
    return tuple(found)


def _best(candidates: Sequence[Candidate], representation: str) -> Candidate | None:
    of_it = [each for each in candidates if each.representation == representation]
    return max(of_it, key=lambda each: each.accuracy, default=None)


def _bounds(counts: Sequence[int]) -> Iterator[int]:
    """1, 2, 5, 10 and so on, up to the first that holds all."""
    power = 1
    while True:
        for bound in (power, 2 * power, 5 * power):
            yield bound
            if bound >= max(counts):
                return
        power *= 10


def _difference(counted: Counted, bound: int, first: Candidate, second: Candidate) -> Difference:
    tested = first.test_draws is not None and second.test_draws is not None
    one, other = (
        (each.test_draws if tested and each.test_draws else each.draws) for each in (first, second)
    )
    by_draw: NDArray[np.float64] = np.subtract(one, other)
    interval = Layout(by_draw[:, np.newaxis]).mean_interval()
    return Difference(
        counted=counted,
        max_parameters=bound,
        labels=first.labels,
        first=first.name,
        second=second.name,
        scored_on="test" if tested else first.scored_on,
        difference=float(by_draw.mean()),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n_draws=len(by_draw),
    )
