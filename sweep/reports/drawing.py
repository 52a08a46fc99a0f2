"""Charts as pictures: PNG, SVG and PDF, as wide as a page of a paper and as one of its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sweep.reports.charts import Chart, Point, Series
from sweep.reports.charts.names import Box, Mark, Named, place_names
from sweep.reports.sheet import (
    BODY,
    HANDLE,
    LINE,
    MARGIN,
    ONE_COLUMN,
    SMALL,
    TINY,
    TWO_COLUMNS,
    Frame,
    Sheet,
    Text,
    Width,
    lay_out,
    text_size,
)
from sweep.reports.style import (
    MATPLOTLIB_DASHES,
    MATPLOTLIB_SYMBOLS,
    NEUTRAL,
    RING,
    colour,
    matplotlib_look,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_DPI = 300
_FORMATS: dict[str, dict[str, Any]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
"""What is written, without the moment of writing: the same report gives the same files."""
_MARK, _HOLLOW = 4.5, 6.5
_SMALL_MARK, _MANY = 3.0, 150
"""The size of marks in a panel that has more than so many."""
_MOST_NAMES = 10
_TOUCH = 1.0
"""Names keep this far from bars and lines, in points."""


def save_charts(charts: Iterable[Chart], directory: Path) -> list[Path]:
    """Draw each chart as PNG, SVG and PDF in two widths; the paths written.

    ``<name>`` is as wide as a page, 7.2 inches, with its panels side by side, and
    ``<name>_column`` as wide as one of two columns, 3.5 inches, with its panels below each other.
    """
    paths = []
    with matplotlib_look():
        for chart in charts:
            for width in (TWO_COLUMNS, ONE_COLUMN):
                figure = draw(chart, width)
                for suffix, metadata in _FORMATS.items():
                    path = directory / f"{chart.name}{width.suffix}.{suffix}"
                    figure.savefig(path, dpi=_DPI, metadata=metadata)
                    paths.append(path)
    return paths


def plot(chart: Chart, width: Width) -> Figure:
    """A chart as a figure of pyplot's, which notebooks and ``pyplot.show`` show."""
    from matplotlib import pyplot

    figure = pyplot.figure()  # which sets pyplot up: those settings are to stay
    with matplotlib_look():
        return draw(chart, width, figure)


def draw(chart: Chart, width: Width, figure: Figure | None = None) -> Figure:
    """A chart as matplotlib's figure.

    Args:
        chart: what to draw.
        width: how wide.
        figure: an empty one to draw it in; by default one that belongs to nobody.
    """
    from matplotlib.figure import Figure

    sheet = lay_out(chart, width)
    figure = figure or Figure()
    figure.set_size_inches(sheet.width / 72, sheet.height / 72)
    _write(figure, sheet, sheet.title)
    _write(figure, sheet, sheet.subject, color=NEUTRAL)
    _write(figure, sheet, sheet.note, color=NEUTRAL)
    handles: dict[str, Line2D] = {}
    for frame in sheet.frames:
        axes = figure.add_axes(
            (
                frame.left / sheet.width,
                1 + frame.bottom / sheet.height,
                frame.width / sheet.width,
                frame.height / sheet.height,
            )
        )
        _draw_axes(axes, chart, sheet, frame)
        for series in _joined(frame.panel.series):
            handles.setdefault(series.name, _draw_series(axes, series, _mark_size(frame)))
        _draw_names(axes, chart, frame)
        _write(figure, sheet, frame.x_title, ha="center")
        if frame.y_title:
            _write(figure, sheet, frame.y_title)
    _draw_legend(figure, chart, sheet, handles)
    return figure


def _write(figure: Figure, sheet: Sheet, text: Text, **look: Any) -> None:
    for number, line in enumerate(text.lines):
        y = text.y - (number + 0.8) * text.size * LINE
        figure.text(text.x / sheet.width, 1 + y / sheet.height, line, fontsize=text.size, **look)


def _draw_axes(axes: Axes, chart: Chart, sheet: Sheet, frame: Frame) -> None:
    from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter

    x_axis, y_axis = frame.x_axis, chart.y_axis
    if x_axis.scale == "logarithmic":
        axes.set_xscale("log")
        digits = () if x_axis.few else tuple(range(2, 10))
        axes.xaxis.set_minor_locator(LogLocator(subs=digits) if digits else FixedLocator([]))
        axes.xaxis.set_minor_formatter(NullFormatter())
    if y_axis.scale == "stretched":
        axes.set_yscale("function", functions=(_stretched, _unstretched))
    axes.set_xticks([tick.value for tick in frame.x_ticks], [t.label for t in frame.x_ticks])
    axes.set_yticks([tick.value for tick in sheet.y_ticks], [t.label for t in sheet.y_ticks])
    axes.set_xlim(x_axis.value(-MARGIN), x_axis.value(1 + MARGIN))
    axes.set_ylim(y_axis.value(-MARGIN), y_axis.value(1 + MARGIN))
    axes.tick_params(labelsize=SMALL, width=0.6, labelleft=frame.y_title is not None)
    axes.grid(color=NEUTRAL, alpha=0.2, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _stretched(percent: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The scale of :func:`sweep.reports.charts.axes.stretched`, for matplotlib."""
    return -np.log10(np.maximum(100.5 - percent, 1e-9))


def _unstretched(height: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 100.5 - 10.0**-height


def _joined(every: Iterable[Series]) -> Iterator[Series]:
    """Lines in a row that look the same as one with gaps: a thousand of them would take seconds."""
    gap = Point(np.nan, np.nan, None, None, "")
    for look, alike in groupby(every, key=lambda series: replace(series, points=())):
        if look.kind == "line":
            points = chain.from_iterable((*series.points, gap) for series in alike)
            yield replace(look, points=tuple(points))
        else:
            yield from alike


def _mark_size(frame: Frame) -> float:
    marks = sum(len(series.points) for series in frame.panel.series if series.kind == "measured")
    return _MARK if marks <= _MANY else _SMALL_MARK


def _draw_series(axes: Axes, series: Series, size: float) -> Line2D:
    """The series' mark in the legend."""
    shade = colour(series.colour, series.tint)
    xs = [point.x for point in series.points]
    ys = [point.y for point in series.points]
    dashes = MATPLOTLIB_DASHES[series.dashes % len(MATPLOTLIB_DASHES)]
    if series.kind in ("line", "steps"):
        (line,) = axes.plot(
            xs,
            ys,
            dashes,
            color=RING if series.has_more_labels else shade,
            drawstyle="steps-post" if series.kind == "steps" else "default",
            linewidth=0.9,
            alpha=0.7,
            zorder=1.5,
        )
        return line
    hollow = series.kind == "published"
    bars = [
        end
        for point in series.points
        if point.low is not None and point.high is not None
        for end in ((point.x, point.low), (point.x, point.high), (np.nan, np.nan))
    ]
    if bars:  # as one line with gaps: a thousand lines would take a second
        axes.plot(
            *zip(*bars, strict=True), color=shade, alpha=0.6, linewidth=0.9, solid_capstyle="butt"
        )
    (marks,) = axes.plot(
        xs,
        ys,
        linestyle=dashes if series.kind == "connected" else "none",
        marker=MATPLOTLIB_SYMBOLS[series.symbol % len(MATPLOTLIB_SYMBOLS)],
        color=shade,
        markerfacecolor="none" if hollow else shade,
        markeredgecolor=_edge(series),
        markeredgewidth=(0.25 if series.has_more_labels else 0.18) * size,
        linewidth=0.9,
        markersize=_HOLLOW if hollow else size,
        alpha=1 if hollow else 0.85,
    )
    return marks


def _edge(series: Series) -> str:
    """Dark about what had more labels; a light mark has an edge in its full colour."""
    return RING if series.has_more_labels else colour(series.colour)


def _draw_names(axes: Axes, chart: Chart, frame: Frame) -> None:
    """The names of marks, where there is room beside them."""
    x_axis, y_axis = frame.x_axis, chart.y_axis

    def at(x: float, y: float) -> tuple[float, float]:
        return frame.along(x_axis.place(x)), frame.up(y_axis.place(y))

    marked = [each for each in frame.panel.series if each.kind not in ("line", "steps")]
    marks = [point for series in marked for point in series.points]
    points = sorted((point for point in marks if point.name), key=lambda point: (point.x, point.y))
    wanted = [
        Named(*at(point.x, point.y), point.of, _HOLLOW / 2 + _TOUCH, *text_size(point.name, TINY))
        for point in points
    ]
    others = [Mark(*at(point.x, point.y), point.of) for point in marks if not point.name]
    taken = [box for series in frame.panel.series for box in _boxes(series, at)]
    placed = place_names(wanted, others, taken, frame.width, frame.height, _MOST_NAMES)
    for place, beside in placed.items():
        axes.annotate(
            points[place].name,
            beside.box.centre,
            xycoords="axes points",
            fontsize=TINY,
            ha="center",
            va="center",
        )
        if beside.leader:
            axes.annotate(
                "",
                *beside.leader,
                xycoords="axes points",
                textcoords="axes points",
                arrowprops={"arrowstyle": "-", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0},
            )


def _boxes(series: Series, at: Callable[[float, float], tuple[float, float]]) -> Iterator[Box]:
    """Where marks, bars and steps are, in points."""
    if series.kind == "steps":
        for one, next_one in pairwise(series.points):
            (left, low), (right, high) = at(one.x, one.y), at(next_one.x, next_one.y)
            yield Box(left, low - _TOUCH, right, low + _TOUCH)
            yield Box(right - _TOUCH, low, right + _TOUCH, high)
        return
    radius = (_HOLLOW if series.kind == "published" else _MARK) / 2
    for point in series.points if series.kind != "line" else ():
        x, y = at(point.x, point.y)
        yield Box(x - radius, y - radius, x + radius, y + radius)
        if point.low is not None and point.high is not None:
            low, high = at(point.x, point.low)[1], at(point.x, point.high)[1]
            yield Box(x - _TOUCH, low, x + _TOUCH, high)


def _draw_legend(figure: Figure, chart: Chart, sheet: Sheet, handles: dict[str, Line2D]) -> None:
    """Row by row, while matplotlib fills column by column."""
    names, columns = [series.name for series in chart.legend], sheet.legend_columns
    order = list(chain.from_iterable(names[column::columns] for column in range(columns)))
    if order:
        figure.legend(
            [handles[name] for name in order],
            order,
            ncols=columns,
            loc="upper left",
            bbox_to_anchor=(sheet.title.x / sheet.width, 1 + sheet.legend_top / sheet.height),
            borderaxespad=0,
            borderpad=0,
            labelspacing=LINE - 1,
            handlelength=HANDLE / BODY,
            handletextpad=0.6,
            columnspacing=1.4,
            fontsize=BODY,
            frameon=False,
        )
