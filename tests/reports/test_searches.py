"""How a search did, against chance: laws of the hypervolume, and of what is said."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sweep.reports.searches import FEWEST_TRIALS, hypervolume, search_reading, unit_square

unit = st.floats(0, 1)
points = st.lists(st.tuples(unit, unit), min_size=1, max_size=12).map(np.array)


@given(points, st.integers(0, 2**32 - 1))
def test_the_hypervolume_is_the_share_of_what_is_dominated(
    found: NDArray[np.float64], seed: int
) -> None:
    """As counting random places says; it depends on no order, and no point makes it smaller."""
    area = hypervolume(found)
    places = np.random.default_rng(seed).random((4000, 2))
    dominated = np.any(np.all(places[:, np.newaxis] <= found, axis=2), axis=1)
    assert abs(dominated.mean() - area) < 0.05
    assert hypervolume(found[::-1]) == area
    assert hypervolume(found[:-1]) <= area + 1e-12 if len(found) > 1 else True


def test_the_best_of_each_is_one() -> None:
    """And of parameters the fewest; where all are alike, all are."""
    found = unit_square([0.5, 0.9, 0.7], [10, 1000, 100])
    np.testing.assert_allclose(found, np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]))
    np.testing.assert_allclose(unit_square([0.5, 0.5], [7, 7]), np.ones((2, 2)))


def test_a_search_that_finds_early_is_ahead_of_chance() -> None:
    """One that finds late is behind; of few trials nothing is said."""
    rising = np.linspace(0.1, 1, 40)
    good_last = np.column_stack([rising, rising])
    late, early = search_reading("vae", good_last), search_reading("vae", good_last[::-1])
    assert late is not None
    assert early is not None
    assert "ahead of 0 % of these orders" in late
    assert "found 100 % of what all of them found" in early
    assert search_reading("vae", good_last[: FEWEST_TRIALS - 1]) is None
