"""What a chart is: points in series, series in panels, panels side by side.

Accuracies in charts are percent, on an axis that is stretched towards 100 %: there the difference
between 97 and 98 % is as visible as that between 75 and 85 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sweep.reports.comparison import Report

Kind = Literal["measured", "connected", "published", "line"]

_TICKS = (0, 20, 50, 60, 70, 75, 80, 85, 90, 93, 95, 96, 97, 98, 99, 99.5, 100)


@dataclass(frozen=True)
class Point:
    """One mark: where it is, its 95 % interval, and what is said when one points at it."""

    x: float
    y: float
    """Percent where it is an accuracy, as are the ends of the interval."""
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True)
class Series:
    """Points that belong together."""

    name: str
    kind: Kind
    """A line has no marks; what is connected has both."""
    colour: int
    """Which colour of the palette."""
    symbol: int
    """Which symbol."""
    points: tuple[Point, ...]
    has_more_labels: bool = False
    """It had more labels than others of the chart: its marks have a dark ring, its line is dark."""


@dataclass(frozen=True)
class Panel:
    """One view of a chart, over an x of its own."""

    x_title: str
    series: tuple[Series, ...]
    x_ticks: tuple[int, ...] = ()
    """Where x has few values, those; empty where any scale will do."""


@dataclass(frozen=True)
class Chart:
    """A chart, of one panel or several with the same y axis."""

    name: str
    """Stem of its files."""
    title: str
    y_title: str
    panels: tuple[Panel, ...]
    note: str
    """What a reader must know to read it."""
    log_x: bool = False
    is_accuracy: bool = True
    """Whether y is an accuracy, on the stretched axis."""

    def height(self, y: float) -> float:
        """Where a value lies on the y axis."""
        return stretched(y) if self.is_accuracy else y

    @property
    def shown(self) -> Iterator[float]:
        """All values of y, ends of intervals included."""
        for panel in self.panels:
            for series in panel.series:
                for point in series.points:
                    yield point.y
                    yield from (end for end in (point.low, point.high) if end is not None)


def stretched(percent: float) -> float:
    """Where an accuracy lies on the axis: minus the logarithm of the error, which may be zero."""
    return -math.log10(100.5 - percent)


def ticks(accuracies: Iterable[float]) -> list[float]:
    """Accuracies to name on an axis that shows these, in percent."""
    shown = sorted(accuracies) or [0.0, 100.0]
    inside = [tick for tick in _TICKS if shown[0] <= tick <= shown[-1]]
    if len(inside) > 1:
        return inside
    return sorted({math.floor(shown[0]), *inside, min(100.0, math.ceil(shown[-1]))})


def accuracy_title(reports: Sequence[Report]) -> str:
    """What the axis of accuracies is called."""
    scored_on = " or ".join(dict.fromkeys(report.scored_on for report in reports))
    return f"accuracy on the {scored_on} partition (%), stretched scale"


def bars_note(panels: Iterable[Panel]) -> str:
    """What bars are, where there are any."""
    points = (p for panel in panels for series in panel.series for p in series.points)
    if any(point.low is not None for point in points):
        return " Bars are 95 % intervals of the mean over draws."
    return ""
