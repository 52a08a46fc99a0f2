"""What a chart is: points in series, series in panels, panels beside or above each other.

Accuracies in charts are percent, on an axis that is stretched towards 100 %: there the difference
between 97 and 98 % is as visible as that between 75 and 82 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sweep.reports.charts.axes import Axis, stretched
from sweep.reports.comparison import Report

MOST_NAMED = 12
"""So many values on an axis are few: they are named themselves."""

SeriesKind = Literal["measured", "connected", "published", "line", "steps"]


@dataclass(frozen=True)
class Point:
    """One mark: where it is, its 95 % interval, and what is said when one points at it."""

    x: float
    y: float
    """Percent where it is an accuracy, as are the ends of the interval."""
    low: float | None
    high: float | None
    text: str
    name: str = ""
    """What is written beside it, where there is room."""
    of: str = ""
    """The configuration that it is of, which a published mark may be of as well."""


@dataclass(frozen=True)
class Series:
    """Points that belong together."""

    name: str
    kind: SeriesKind
    """Lines and steps have no marks; what is connected has both. Steps stay at a point's height
    until the next point, and rise there."""
    colour: int
    """Which colour of the palette: in every chart that of its representation."""
    symbol: int
    """Which symbol."""
    points: tuple[Point, ...]
    has_more_labels: bool = False
    """It had more labels than others of the chart: its marks have a dark ring, its line is dark."""
    tint: float = 0.0
    """How far its colour is lightened: not at all (0) to white (1)."""
    dashes: int = 0
    """Which dashes its line has, if any; 0 for none."""


@dataclass(frozen=True)
class Panel:
    """One view of a chart, over an x of its own."""

    x_title: str
    series: tuple[Series, ...]
    x_ticks: tuple[int, ...] = ()
    """Where x has few values, those: no other is named on its axis."""


@dataclass(frozen=True)
class Chart:
    """A chart, of one panel or several with the same y axis."""

    name: str
    """Stem of its files."""
    title: str
    subject: str
    """The study, or the studies, and the data."""
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

    def x_axis(self, panel: Panel) -> Axis:
        """The axis of one of its panels."""
        xs = (point.x for series in panel.series for point in series.points)
        return Axis.over(xs, "logarithmic" if self.log_x else "linear", panel.x_ticks)

    @property
    def y_axis(self) -> Axis:
        """The axis that its panels share; ends of intervals lie on it."""
        return Axis.over(self._ys(), "stretched" if self.is_accuracy else "linear")

    @property
    def legend(self) -> list[Series]:
        """Its series by name, each once, in the order that all panels keep."""
        order: list[Series] = []
        for panel in self.panels:
            place = 0
            for series in panel.series:
                names = [each.name for each in order]
                if series.name in names:
                    place = max(place, names.index(series.name) + 1)
                else:
                    order.insert(place, series)
                    place += 1
        return order

    def _ys(self) -> Iterator[float]:
        for panel in self.panels:
            for series in panel.series:
                for point in series.points:
                    yield point.y
                    yield from (end for end in (point.low, point.high) if end is not None)


def subject(reports: Sequence[Report]) -> str:
    """The studies and their data, such as ``quickstart on mnist-5k``."""
    by_data: dict[str, list[str]] = {}
    for report in reports:
        by_data.setdefault(report.provenance.dataset.name, []).append(report.study)
    return "; ".join(f"{', '.join(studies)} on {data}" for data, studies in by_data.items())


def accuracy_title(reports: Sequence[Report]) -> str:
    """What the axis of accuracies is called."""
    scored_on = " or ".join(dict.fromkeys(report.scored_on for report in reports))
    return f"accuracy on the {scored_on} partition (%)"


STRETCHED_NOTE = (
    " The accuracy axis is stretched towards 100 %: halving the error takes about the same height "
    "everywhere."
)


def bars_note(panels: Iterable[Panel]) -> str:
    """What bars are, where there are any."""
    points = (
        point
        for panel in panels
        for series in panel.series
        if series.kind in ("measured", "connected")
        for point in series.points
    )
    if any(point.low is not None for point in points):
        return " Bars are 95 % intervals of the mean over draws; marks hide those that are shorter."
    return ""
