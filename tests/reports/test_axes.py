"""Which values an axis names: a law, held by property tests for every scale."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sweep.reports.charts.axes import END, STRETCH, Axis, Scale, Tick, stretched, unstretched

VALUES: dict[Scale, st.SearchStrategy[float]] = {
    "linear": st.floats(-1e4, 1e4),
    "logarithmic": st.floats(1, 1e8),
    "stretched": st.floats(0, 100),
}
AXES = st.sampled_from(sorted(VALUES)).flatmap(
    lambda scale: st.lists(VALUES[scale], max_size=5).map(lambda values: Axis.over(values, scale))
)
COUNTS = st.lists(st.integers(1, 60_000), min_size=1, max_size=12, unique=True).map(sorted)
CHARACTERS = st.floats(30, 120)
"""The narrowest panel there is has room for 38 characters, and its y axis for 16 lines."""
LINES = st.floats(15, 40)


def are_apart(axis: Axis, found: tuple[Tick, ...], room: float, upright: bool) -> bool:
    """Whether names have at least half a character, or a quarter of a line, between them."""
    gap = 0.25 if upright else 0.5
    sizes = [1 if upright else len(tick.label) for tick in found]
    return all(
        room * (axis.place(there.value) - axis.place(here.value)) >= (size + other) / 2 + gap
        for (here, there), (size, other) in zip(pairwise(found), pairwise(sizes), strict=True)
    )


@given(AXES, CHARACTERS)
def test_names_beside_each_other_never_touch(axis: Axis, room: float) -> None:
    """At the width that a panel has."""
    assert are_apart(axis, axis.ticks(room), room, upright=False)


@given(AXES, LINES)
def test_names_above_each_other_never_touch(axis: Axis, room: float) -> None:
    """At the height that a panel has."""
    assert are_apart(axis, axis.ticks(room, upright=True), room, upright=True)


@given(AXES, st.one_of(CHARACTERS.map(lambda n: (n, False)), LINES.map(lambda n: (n, True))))
def test_the_range_is_covered(axis: Axis, room: tuple[float, bool]) -> None:
    """Two names or more: one near each end, and few long stretches
    without; all of them on the axis, in order.
    """
    places = [axis.place(tick.value) for tick in axis.ticks(*room)]
    assert len(places) >= 2
    assert all(a < b for a, b in pairwise(places))
    assert -1e-9 <= places[0] <= END + 1e-9
    assert 1 - END - 1e-9 <= places[-1] <= 1 + 1e-9
    if room[1]:
        assert max(b - a for a, b in pairwise(places)) <= 1.6 * STRETCH


@given(COUNTS, CHARACTERS)
def test_of_few_values_only_they_are_named(counts: list[int], room: float) -> None:
    """Both ends at least, as numbers; where they lie far enough apart."""
    axis = Axis.over(counts, "logarithmic", counts)
    found = axis.ticks(room)
    assert {tick.value for tick in found} <= set(counts)
    assert all(tick.label == f"{tick.value:,}" for tick in found)
    assert are_apart(axis, found, room, upright=False)
    assume(counts[-1] > 1.5 * counts[0])
    assert {counts[0], counts[-1]} <= {tick.value for tick in found}


@given(AXES, st.floats(-0.1, 1.1))
def test_a_place_has_one_value(axis: Axis, place: float) -> None:
    """And a value one place; the better accuracy lies higher."""
    assert axis.place(axis.value(place)) == pytest.approx(place, abs=1e-6)
    assert (axis.place(axis.low), axis.place(axis.high)) == (0, pytest.approx(1))


@given(VALUES["stretched"], VALUES["stretched"])
def test_the_stretched_scale_keeps_the_order(one: float, other: float) -> None:
    """And gives the same height to each halving of the error, but for errors near nothing."""
    if one < other:
        assert stretched(one) <= stretched(other)
    assert unstretched(stretched(one)) == pytest.approx(one)
    assert stretched(95) - stretched(90) == pytest.approx(stretched(80) - stretched(60), rel=0.1)


@pytest.mark.parametrize(
    ("values", "scale", "room", "labels"),
    [
        ((20, 50), "stretched", 22, "20 25 30 35 40 45 50"),
        ((73.76, 97.84), "stretched", 22, "80 85 90 93 95 97"),
        ((15_910, 515_452), "logarithmic", 45, "20k 50k 100k 200k 500k"),
        ((40, 2_000_000), "logarithmic", 45, "100 1k 10k 100k 1M"),
        ((494_442, 515_452), "logarithmic", 45, "495k 500k 505k 510k 515k"),
        ((1, 35), "linear", 45, "5 10 15 20 25 30 35"),
    ],
)
def test_names_are_round(
    values: tuple[float, float], scale: Scale, room: float, labels: str
) -> None:
    """As a reader would choose them; the first two were left nearly bare once."""
    found = Axis.over(values, scale).ticks(room, upright=scale == "stretched")
    assert " ".join(tick.label for tick in found) == labels
