"""Charts as PNG and SVG, drawn with matplotlib."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.reports.charts import Chart, Panel, Point, Series, ticks
from sweep.reports.style import MATPLOTLIB_SYMBOLS, NEUTRAL, RING, colour

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_PANEL_WIDTH, _HEIGHT, _DPI = 5.2, 4.8, 150
_LEAST_WIDTH = 8.0
_MARGIN = 0.05
_MANY_TIMES = 60
"""From so wide a range on, powers of ten are enough numbers on an axis."""
_CHARACTERS = 14
"""Of small print, in an inch."""


def save_charts(charts: Iterable[Chart], directory: Path) -> list[Path]:
    """Draw each chart into ``<name>.png`` and ``<name>.svg``; the paths written.

    The panels of a chart stand side by side.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    paths = []
    for chart in charts:
        width = max(_LEAST_WIDTH, _PANEL_WIDTH * len(chart.panels))
        figure = Figure(figsize=(width, _HEIGHT), layout="constrained")
        FigureCanvasAgg(figure)
        all_axes = figure.subplots(1, len(chart.panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(all_axes, chart.panels, strict=True):
            _draw(axes, chart, panel)
        all_axes[0].set_ylabel(chart.y_title)
        if chart.is_accuracy:
            _name_accuracies(all_axes[0], chart)
        figure.suptitle(chart.title)
        note = textwrap.fill(chart.note, round(_CHARACTERS * width))
        figure.supxlabel(note, fontsize="small", color=NEUTRAL)
        legends = [axes.get_legend_handles_labels() for axes in all_axes]
        entries: dict[str, Artist] = {}
        for mark, name in chain.from_iterable(zip(*found, strict=True) for found in legends):
            entries.setdefault(name, mark)  # a line through marks shares their name
        figure.legend(
            list(entries.values()), list(entries), loc="outside right center", frameon=False
        )
        for suffix in ("png", "svg"):
            path = directory / f"{chart.name}.{suffix}"
            figure.savefig(path, dpi=_DPI)
            paths.append(path)
            figure.set_layout_engine("none")  # everything has its place: to find it takes a drawing
    return paths


def _draw(axes: Axes, chart: Chart, panel: Panel) -> None:
    for series in _joined(panel.series):
        _draw_series(axes, chart, series)
    if chart.log_x:
        _name_powers(axes, panel)
    axes.set_xlabel(panel.x_title)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _joined(every: Iterable[Series]) -> Iterator[Series]:
    """Lines in a row that look the same as one with gaps: a thousand of them would take seconds."""
    gap = Point(math.nan, math.nan, None, None, "")
    for look, alike in groupby(every, key=lambda series: replace(series, points=())):
        if look.kind == "line":
            points = chain.from_iterable((*series.points, gap) for series in alike)
            yield replace(look, points=tuple(points))
        else:
            yield from alike


def _name_powers(axes: Axes, panel: Panel) -> None:
    """A logarithmic axis whose numbers are written out: the panel's own, or round ones."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if panel.x_ticks:
        axes.set_xticks(panel.x_ticks)
        axes.minorticks_off()
        return
    xs = [point.x for series in panel.series for point in series.points]
    few = max(xs) < _MANY_TIMES * min(xs)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))


def _name_accuracies(axes: Axes, chart: Chart) -> None:
    accuracies = list(chart.shown)
    named = ticks(accuracies)
    axes.set_yticks([chart.height(tick) for tick in named], [f"{tick:g}" for tick in named])
    ends = [chart.height(y) for y in (*accuracies, *named)]
    margin = _MARGIN * (max(ends) - min(ends) or 1)
    axes.set_ylim(min(ends) - margin, max(ends) + margin)


def _draw_series(axes: Axes, chart: Chart, series: Series) -> None:
    shade = colour(series.colour)
    xs = [point.x for point in series.points]
    ys = [chart.height(point.y) for point in series.points]
    if series.kind == "line":
        shade = RING if series.has_more_labels else shade
        axes.plot(xs, ys, "-", color=shade, linewidth=1, alpha=0.6, label=series.name, zorder=1)
        return
    hollow = series.kind == "published"
    axes.plot(
        xs,
        ys,
        linestyle="-" if series.kind == "connected" else "none",
        marker=MATPLOTLIB_SYMBOLS[series.symbol % len(MATPLOTLIB_SYMBOLS)],
        color=shade,
        markerfacecolor="none" if hollow else shade,
        markeredgecolor=RING if series.has_more_labels else shade,
        markeredgewidth=1.6 if series.has_more_labels else 1,
        linewidth=1,
        markersize=9 if hollow else 6,
        alpha=1 if hollow else 0.85,
        label=series.name,
    )
    bars = [
        (point.x, chart.height(point.low), chart.height(point.high))
        for point in series.points
        if point.low is not None and point.high is not None
    ]
    if bars:
        axes.vlines(*zip(*bars, strict=True), color=shade, alpha=0.6)
