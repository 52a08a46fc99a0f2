"""Pareto fronts and their bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sweep.reports.front import front_shares, on_front

SIZES = st.integers(1, 6)
POINTS = st.integers(1, 12).flatmap(
    lambda r: st.tuples(
        arrays(np.float64, st.tuples(SIZES, st.just(r)), elements=SIZES.map(float)),
        arrays(np.int64, (r,), elements=SIZES),
    )
)


@given(POINTS)
def test_the_front_is_what_nothing_dominates(points: tuple[np.ndarray, np.ndarray]) -> None:
    """By the definition, for every sample of accuracies at once."""
    samples, parameters = points
    for accuracies, found in zip(samples, on_front(samples, parameters), strict=True):
        for place, (accuracy, count) in enumerate(zip(accuracies, parameters, strict=True)):
            no_worse = (accuracies >= accuracy) & (parameters <= count)
            better = (accuracies > accuracy) | (parameters < count)
            assert found[place] != (no_worse & better).any()


def test_shares_say_how_sure_a_place_is() -> None:
    """Always, never, and in as many resamples as take the one draw that decides."""
    accuracies = np.array([[0.9, 0.9, 0.9], [0.8, 0.8, 0.8], [0.95, 0.9, 0.9], [0.7, 0.6, 0.7]])
    shares = front_shares(accuracies, np.array([10, 20, 20, 5]))
    assert shares[[0, 1, 3]].tolist() == [1.0, 0.0, 1.0]
    assert shares[2] == pytest.approx(1 - (2 / 3) ** 3, abs=0.03)


def test_an_empty_study_has_an_empty_front() -> None:
    """Before its first trial has ended."""
    assert on_front(np.zeros(0), np.zeros(0, np.int64)).tolist() == []
