"""The report as one HTML page that needs nothing else: no network, no file beside it."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from typing import Any

from sweep.reports.charts import Chart, Panel, Series
from sweep.reports.comparison import Report
from sweep.reports.style import PLOTLY_DASHES, PLOTLY_SYMBOLS, RING, colour
from sweep.reports.tables import comparison_table, further_tables, report_rows

_PLOTLY = "plotly/plotly-basic.min.js"
_PACKED = re.compile(r'(?<=<script type="text/plain" id=)"(?:plotly|drawn)">(.*?)(?=</script>)')

Figure = tuple[str, str, Sequence[str]]
"""Figures of Plotly's that somebody else has drawn, side by side: title, caption, and their JSON.

They may hold ``scatter`` and ``bar``, the traces of Plotly's basic bundle.
"""
_LINES = 22
"""Of text, beside the y axis of a chart."""
_LONG = 20
"""Tables of more rows say so: a screen may not show them all."""
_CHARACTERS = {"wide": 100, "narrow": 36}
"""Below the x axis of a chart, on a screen and on a phone."""


def to_html(
    reports: Sequence[Report],
    charts: Sequence[Chart],
    figures: Sequence[Figure] = (),
    mlflow: str | None = None,
) -> str:
    """The page, with its charts drawn by Plotly's JavaScript, which it contains.

    Args:
        reports: of one study or several.
        charts: their charts.
        figures: more figures, shown below.
        mlflow: where MLflow's UI over the runs is, if it is known: the address of its root.
    """
    from jinja2 import Environment, PackageLoader

    template = Environment(loader=PackageLoader("sweep.reports", "."), autoescape=True)
    return template.get_template("page.html").render(
        title=", ".join(report.title for report in reports),
        reports=reports,
        comparison=comparison_table(reports),
        runs=[row.mlflow_run_ids for _, row in report_rows(reports)],
        mlflow=mlflow,
        tables=further_tables(reports),
        long=_LONG,
        charts=charts,
        figures=figures,
        plotly=_packed(resources.files("sweep.reports").joinpath(_PLOTLY).read_text("utf-8")),
        drawn=_packed(
            json.dumps(
                {
                    "charts": [_chart(chart) for chart in charts],
                    "figures": [json.loads(figure) for *_, drawn in figures for figure in drawn],
                }
            )
        ),
    )


def _packed(text: str) -> str:
    """Compressed for the page's script, which makes less than half of it."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def unpacked(page: str) -> str:
    """A page with all that it holds compressed as it was before: the same for every zlib.

    Raises:
        ValueError: something in it is not what a page holds.
    """

    def unpack(packed: re.Match[str]) -> str:
        try:
            return gzip.decompress(base64.b64decode(packed[1], validate=True)).decode()
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(str(error)) from error

    return _PACKED.sub(unpack, page)


def _chart(chart: Chart) -> dict[str, Any]:
    """What the page's script draws a chart from."""
    named = chart.y_axis.ticks(_LINES, upright=True) if chart.is_accuracy else ()
    return {
        "log_x": chart.log_x,
        "y_title": chart.y_title,
        "y_ticks": [chart.height(tick.value) for tick in named],
        "y_names": [tick.label for tick in named],
        "panels": [_panel(chart, panel) for panel in chart.panels],
    }


def _panel(chart: Chart, panel: Panel) -> dict[str, Any]:
    names = [series.name for series in panel.series]
    return {
        "x_title": panel.x_title,
        "x_ticks": {
            scale: {
                width: _x_ticks(replace(chart, log_x=scale == "log"), panel, room)
                for width, room in _CHARACTERS.items()
            }
            for scale in (("linear", "log") if chart.log_x else ("linear",))
        },
        "traces": [
            # A line through marks shares their name, and their place in the legend.
            _trace(chart, series) | {"showlegend": series.name not in names[:place]}
            for place, series in enumerate(panel.series)
        ],
    }


def _x_ticks(chart: Chart, panel: Panel, room: float) -> dict[str, Any]:
    """What is named on an x axis with room for so many characters, by the law of the pictures."""
    ticks = chart.x_axis(panel).ticks(room)
    return {"tickvals": [tick.value for tick in ticks], "ticktext": [tick.label for tick in ticks]}


def _trace(chart: Chart, series: Series) -> dict[str, Any]:
    """A series as a trace of Plotly's."""
    shade = colour(series.colour, series.tint)
    heights = [chart.height(point.y) for point in series.points]
    trace: dict[str, Any] = {
        "type": "scatter",
        "name": series.name,
        "legendgroup": series.name,
        "x": [point.x for point in series.points],
        "y": heights,
    }
    dash = PLOTLY_DASHES[series.dashes % len(PLOTLY_DASHES)]
    if series.kind in ("line", "steps"):
        line = {
            "color": RING if series.has_more_labels else shade,
            "width": 1,
            "dash": dash,
            "shape": "hv" if series.kind == "steps" else "linear",
        }
        return trace | {"mode": "lines", "line": line, "opacity": 0.6, "hoverinfo": "skip"}
    symbol = PLOTLY_SYMBOLS[series.symbol % len(PLOTLY_SYMBOLS)]
    hollow = series.kind == "published"
    trace |= {
        "mode": "lines+markers" if series.kind == "connected" else "markers",
        "line": {"color": shade, "width": 1, "dash": dash},
        "marker": {
            "color": shade,
            "symbol": f"{symbol}-open" if hollow else symbol,
            "size": 11 if hollow else 9,
            **({"line": {"color": RING, "width": 2}} if series.has_more_labels else {}),
        },
        "hovertext": [point.text for point in series.points],
        "hoverinfo": "text",
    }
    if any(point.low is not None for point in series.points):
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": _arms(chart, [point.high for point in series.points], heights),
            "arrayminus": _arms(chart, [point.low for point in series.points], heights),
            "color": shade,
            "thickness": 1,
            "width": 3,
        }
    return trace


def _arms(
    chart: Chart, ends: Sequence[float | None], heights: Sequence[float]
) -> list[float | None]:
    """How far bars reach, up or down."""
    return [
        None if end is None else abs(chart.height(end) - height)
        for end, height in zip(ends, heights, strict=True)
    ]
