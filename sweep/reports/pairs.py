"""Differences between representations that are given the same number of parameters and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sweep.reports.intervals import Layout
from sweep.trial import Value

Counted = Literal["classifier", "inference"]
"""Which parameters: the classifier's, or all that inference needs."""


class Candidate(Value):
    """A configuration that has been measured."""

    name: str
    representation: str
    label_budget: int | None
    labels: int
    classifier_parameters: int
    inference_parameters: int
    draws: tuple[float, ...]
    """Mean accuracy of each draw's members, a fraction."""


class Difference(Value):
    """One representation's accuracy minus another's, each at its best within the same bound.

    Accuracies are fractions; the interval is of 95 %, paired over the draws, and null for one draw.
    """

    counted: Counted
    max_parameters: int
    """The bound, on what ``counted`` says."""
    label_budget: int | None
    first: str
    first_labels: int
    second: str
    second_labels: int
    difference: float
    low: float | None
    high: float | None
    n_draws: int


def differences(candidates: Sequence[Candidate]) -> tuple[Difference, ...]:
    """All pairs of representations, by label budget, what is counted, and bounds of 1, 2, 5, 10 ...

    Within a bound each representation stands with its most accurate configuration. A bound that
    changes neither configuration of a pair is left out.
    """
    found: list[Difference] = []
    names = list(dict.fromkeys(each.representation for each in candidates))
    for budget in dict.fromkeys(each.label_budget for each in candidates):
        of_budget = [each for each in candidates if each.label_budget == budget]
        counts: dict[Counted, Callable[[Candidate], int]] = {
            "classifier": lambda each: each.classifier_parameters,
            "inference": lambda each: each.inference_parameters,
        }
        for counted, count in counts.items():
            for pair in combinations(names, 2):
                before = None
                for bound in _bounds([count(each) for each in of_budget]):
                    within = [each for each in of_budget if count(each) <= bound]
                    best = [_best(within, name) for name in pair]
                    first, second = best
                    if first is None or second is None or best == before:
                        continue
                    before = best
                    found.append(_difference(counted, bound, budget, first, second))
    return tuple(found)


def _best(candidates: Sequence[Candidate], representation: str) -> Candidate | None:
    of_it = [each for each in candidates if each.representation == representation]
    return max(of_it, key=lambda each: float(np.mean(each.draws)), default=None)


def _bounds(counts: Sequence[int]) -> Iterator[int]:
    """1, 2, 5, 10 and so on, up to the first that holds all."""
    power = 1
    while True:
        for bound in (power, 2 * power, 5 * power):
            yield bound
            if bound >= max(counts):
                return
        power *= 10


def _difference(
    counted: Counted, bound: int, budget: int | None, first: Candidate, second: Candidate
) -> Difference:
    by_draw: NDArray[np.float64] = np.subtract(first.draws, second.draws)
    interval = Layout(by_draw[:, np.newaxis]).mean_interval()
    return Difference(
        counted=counted,
        max_parameters=bound,
        label_budget=budget,
        first=first.name,
        first_labels=first.labels,
        second=second.name,
        second_labels=second.labels,
        difference=float(by_draw.mean()),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n_draws=len(by_draw),
    )
