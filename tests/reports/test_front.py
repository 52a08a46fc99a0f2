"""Pareto fronts and their bootstrap."""

from __future__ import annotations

from math import fsum

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


def test_what_is_equal_but_for_its_sum_s_last_bits_is_equal() -> None:
    """As many right answers, in other orders: the larger classifier is not better for it."""
    hits = [(6436, 6437, 6434), (6435, 6434, 6438)]
    small, large = (fsum(each / 7145 for each in of_it) / 3 for of_it in hits)
    assert small != large
    for pair in ((small, large), (large, small)):
        assert on_front(np.array(pair), np.array([1_000, 50_000])).tolist() == [True, False]


@given(st.data())
def test_shares_are_those_of_whole_right_answers(data: st.DataObject) -> None:
    """Which ties exactly; fractions of images only nearly do."""
    images, draws = 500, data.draw(st.integers(5, 10))
    near = arrays(np.int64, (draws,), elements=st.integers(450, 455))
    hits = np.array(data.draw(st.lists(near, min_size=2, max_size=4)))
    counts = np.arange(1, len(hits) + 1)
    shares = front_shares(hits / images, counts)
    np.testing.assert_array_equal(shares, front_shares(hits.astype(float), counts))


def test_shares_say_how_sure_a_place_is() -> None:
    """Always, never, and in as many resamples as take the one draw that decides."""
    accuracies = np.array([[0.9, 0.9, 0.9], [0.8, 0.8, 0.8], [0.95, 0.9, 0.9], [0.7, 0.6, 0.7]])
    shares = front_shares(accuracies, np.array([10, 20, 20, 5]))
    assert shares[[0, 1, 3]].tolist() == [1.0, 0.0, 1.0]
    assert shares[2] == pytest.approx(1 - (2 / 3) ** 3, abs=0.03)


def test_an_empty_study_has_an_empty_front() -> None:
    """Before its first trial has ended."""
    assert on_front(np.zeros(0), np.zeros(0, np.int64)).tolist() == []
