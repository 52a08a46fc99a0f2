"""Names beside marks: none touches another, lies over what is drawn, or seems another mark's."""

from __future__ import annotations

from itertools import combinations
from math import hypot

from hypothesis import given
from hypothesis import strategies as st

from sweep.reports.charts.names import Box, Mark, Named, place_names

WIDTH, HEIGHT, MOST = 200.0, 150.0, 6
POSITIONS = st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT))
WANTED = st.lists(
    st.builds(
        lambda at, of, width: Named(at[0], at[1], of, 3, width, 8),
        POSITIONS,
        st.sampled_from("abcdefgh"),
        st.floats(10, 60),
    ),
    max_size=15,
)
TAKEN = st.lists(POSITIONS.map(lambda at: Box(at[0] - 3, at[1] - 3, at[0] + 3, at[1] + 3)))


def overlap(one: Box, other: Box) -> bool:
    return (
        one.left < other.right
        and one.right > other.left
        and one.bottom < other.top
        and one.top > other.bottom
    )


@given(WANTED, TAKEN)
def test_names_touch_nothing(wanted: list[Named], taken: list[Box]) -> None:
    """Not each other, not what is drawn, not the panel's frame; and they are not too many."""
    placed = place_names(wanted, [], taken, WIDTH, HEIGHT, MOST)
    boxes = [each.box for each in placed.values()]
    assert len(boxes) <= MOST
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))
    assert not any(overlap(box, other) for box in boxes for other in taken)
    assert all(box.left >= 0 and box.right <= WIDTH for box in boxes)
    assert all(box.bottom >= 0 and box.top <= HEIGHT for box in boxes)


def distance(box: Box, x: float, y: float) -> float:
    return hypot(max(0, box.left - x, x - box.right), max(0, box.bottom - y, y - box.top))


def from_line(mark: Mark, one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far a mark is from the line between two points."""
    (x, y), (to_x, to_y) = one, other
    along = ((mark.x - x) * (to_x - x) + (mark.y - y) * (to_y - y)) / hypot(to_x - x, to_y - y) ** 2
    part = min(1.0, max(0.0, along))
    return hypot(mark.x - x - part * (to_x - x), mark.y - y - part * (to_y - y))


MARKS = st.lists(
    st.builds(lambda at, of: Mark(at[0], at[1], of), POSITIONS, st.sampled_from("abcdefgh")),
    max_size=15,
)


@given(WANTED, MARKS)
def test_a_name_is_nearer_to_its_own_mark_than_to_any_other(
    wanted: list[Named], others: list[Mark]
) -> None:
    """By far; also than to marks that have no name. Where a line leads to it, both keep clear."""
    for place, placed in place_names(wanted, others, [], WIDTH, HEIGHT, MOST).items():
        named = wanted[place]
        own = named.radius if placed.leader else distance(placed.box, named.x, named.y)
        for mark in (*wanted, *others):
            if mark.of != named.of:
                assert distance(placed.box, mark.x, mark.y) >= 1.9 * own
                if placed.leader:
                    assert from_line(mark, *placed.leader) >= 1.5 * own


def test_of_two_marks_in_one_place_neither_is_named() -> None:
    """Nobody could tell whose name it is; but of a mark and a published one of the same it is."""
    mark = Named(100, 75, "one", 3, 20, 8)
    assert not place_names([mark], [Mark(100, 75, "other")], [], WIDTH, HEIGHT, 2)
    assert place_names([mark], [Mark(100, 75, "one")], [], WIDTH, HEIGHT, 2)


def test_the_ends_come_first() -> None:
    """Of many the first and the last are named, and others between."""
    wanted = [Named(20 + 10 * n, 10 + 8 * n, str(n), 3, 15, 8) for n in range(16)]
    placed = place_names(wanted, [], [], WIDTH, HEIGHT, 3)
    assert sorted(placed) == [0, 7, 15]
    assert all(each.leader is None for each in placed.values())


def test_a_name_that_stands_apart_has_a_line() -> None:
    """From its mark, where what lies about that is taken."""
    mark = Named(100, 75, "one", 3, 20, 8)
    (placed,) = place_names([mark], [], [Box(92, 67, 108, 83)], WIDTH, HEIGHT, 1).values()
    assert placed.leader is not None
    assert placed.leader[0] == (100, 75)
