"""Which marks of a panel have their names beside them, and where.

No two names touch, and none can be taken for another's: a name is at least twice as far from every
mark of something else as from its own. One that a line leads to may be farther from its own; then
neither it nor the line comes near anything else's mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

_DISTANCES = (1.0, 2.5, 5.0, 8.0, 12.0)
"""In radii of the mark; from the second on a line leads to the name."""
_ALONG, _THIN = 8, 0.5
_CROSSED = 2
"""Of a line's parts outside of its mark, so many may lie over what is drawn: one that runs along a
step seems to be of it.
"""
_OWN = 2.0
"""So many times as far as from its own mark a name is from those of something else; where a line
leads to it, so many radii."""
_SIDES = ((-1, 1), (-1, 0), (0, 1), (1, -1), (1, 0), (1, 1), (0, -1), (-1, -1))
"""Where a name may stand: up and left of a front there is nothing that was measured."""


@dataclass(frozen=True)
class Box:
    """A rectangle in a panel, in points from its lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def distances(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How far points, ``(n, 2)``, are from it; nothing where they lie in it."""
        x, y = points.T
        beside = np.maximum(0, np.maximum(self.left - x, x - self.right))
        above = np.maximum(0, np.maximum(self.bottom - y, y - self.top))
        return np.asarray(np.hypot(beside, above))


@dataclass(frozen=True)
class Mark:
    """A mark that wants no name; lengths in points."""

    x: float
    y: float
    of: str
    """What it is of; marks of the same may share a name."""


@dataclass(frozen=True)
class Named(Mark):
    """A mark that wants its name beside it."""

    radius: float
    width: float
    """Of the name."""
    height: float


@dataclass(frozen=True)
class Placed:
    """A name beside its mark."""

    box: Box
    leader: tuple[tuple[float, float], tuple[float, float]] | None
    """From the mark to the name, where that stands farther away."""


def place_names(
    wanted: Sequence[Named],
    others: Sequence[Mark],
    taken: Sequence[Box],
    width: float,
    height: float,
    most: int,
) -> dict[int, Placed]:
    """Where names stand, by the place of their marks in ``wanted``; the others find no room.

    The first and the last come first, then what lies midway between those that had their turn.

    Args:
        wanted: the marks, in order.
        others: the marks that want no name.
        taken: where no name may stand: marks, bars, lines.
        width: of the panel, in points.
        height: of the panel, in points.
        most: so many names at most.
    """
    drawn = boxes = _array(taken)
    names = _array([])
    marks = [*wanted, *others]
    found: dict[int, Placed] = {}
    for place in _midway(len(wanted)):
        if len(found) == most:
            break
        for placed in _beside(wanted[place]):
            box, line = placed.box, _along(placed)
            is_inside = min(box.left, box.bottom) >= 0 and box.right <= width and box.top <= height
            if not is_inside or _overlap([box], boxes) or _overlap(line, names):
                continue
            beyond = [part for part in line if not _is_within(part, wanted[place])]
            if sum(_overlap([part], drawn) for part in beyond) > _CROSSED:
                continue
            if not _is_its_own(box, line, wanted[place], marks):
                continue
            found[place] = placed
            boxes = np.vstack([boxes, _array([box, *line])])
            names = np.vstack([names, _array([box])])
            break
    return found


def _midway(count: int) -> Iterator[int]:
    """All places of a sequence: the ends, then the middles of what lies between."""
    yield from dict.fromkeys([0, count - 1] if count else [])
    between = [(0, count - 1)]
    while between:
        low, high = between.pop(0)
        if high - low > 1:
            middle = (low + high) // 2
            yield middle
            between += [(low, middle), (middle, high)]


def _beside(named: Named) -> Iterator[Placed]:
    """Where a name may stand, what is better first."""
    for distance, (x_side, y_side) in product(_DISTANCES, _SIDES):
        near = named.radius * distance * (0.7 if x_side and y_side else 1)
        x = named.x + x_side * (near + named.width / 2)
        y = named.y + y_side * (near + named.height / 2)
        box = Box(
            x - named.width / 2, y - named.height / 2, x + named.width / 2, y + named.height / 2
        )
        end = (named.x + x_side * near, named.y + y_side * near)
        yield Placed(box, None if distance == _DISTANCES[0] else ((named.x, named.y), end))


def _is_its_own(box: Box, line: Sequence[Box], named: Named, marks: Sequence[Mark]) -> bool:
    """Whether a name belongs to this mark at a glance, and to none of something else.

    Args:
        box: where the name is.
        line: where the line to it is, if there is one.
        named: the mark.
        marks: all of them.
    """
    rivals = _centres([mark for mark in marks if mark.of != named.of])
    (own,) = box.distances(_centres([named]))
    least = _OWN * (named.radius if line else own)
    return all(bool((part.distances(rivals) >= least).all()) for part in (box, *line))


def _is_within(part: Box, named: Named) -> bool:
    """Whether a part of its line lies over the mark itself."""
    (distance,) = part.distances(_centres([named]))
    return bool(distance <= named.radius)


def _centres(marks: Sequence[Mark]) -> npt.NDArray[np.float64]:
    return np.array([(mark.x, mark.y) for mark in marks], dtype=np.float64).reshape(-1, 2)


def _along(placed: Placed) -> list[Box]:
    """Where the line to a name is: boxes that lie on it."""
    if placed.leader is None:
        return []
    (x, y), (to_x, to_y) = placed.leader
    parts = np.linspace(0, 1, _ALONG, endpoint=False)
    centres = [(x + part * (to_x - x), y + part * (to_y - y)) for part in parts]
    return [Box(a - _THIN, b - _THIN, a + _THIN, b + _THIN) for a, b in centres]


def _array(boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
    found = [(box.left, box.bottom, box.right, box.top) for box in boxes]
    return np.array(found, dtype=np.float64).reshape(-1, 4)


def _overlap(boxes: Sequence[Box], others: npt.NDArray[np.float64]) -> bool:
    """Whether any of these lies over any of the others."""
    left, bottom, right, top = others.T
    return any(
        bool(
            (
                (left < box.right) & (right > box.left) & (bottom < box.top) & (top > box.bottom)
            ).any()
        )
        for box in boxes
    )
