"""What MLflow shows above a study's runs, as Markdown."""

from __future__ import annotations

import io

from rich.console import Console

from sweep.reports import render
from sweep.reports.comparison import Report
from sweep.reports.style import PALETTE, number
from sweep.reports.tables import notes

_MOST_ROWS = 20
_WIDTH = 80
_COLOURS = dict(
    zip(range(len(PALETTE)), ("blue", "orange", "green", "pink", "amber", "sky blue"), strict=True)
)
"""What the colours of the palette are called."""


def colour_key(report: Report) -> str:
    """Which colour is which representation's, as in ``vae blue, pixels orange``."""
    names = dict.fromkeys(row.representation for row in report.rows)
    return ", ".join(f"{name} {_COLOURS[number(name) % len(PALETTE)]}" for name in names)


def summary(report: Report) -> str:
    """The comparison of a study's most accurate rows, and what a reader must know of it.

    The table is preformatted: MLflow sets the columns of Markdown's tables without space between.
    """
    rows = report.rows
    if len(rows) > _MOST_ROWS:
        rows = tuple(sorted(rows, key=lambda row: -row.accuracy)[:_MOST_ROWS])
    text = io.StringIO()
    shown = report.model_copy(update={"rows": rows})
    Console(file=text, width=_WIDTH, color_system=None).print(render.to_table([shown]))
    lines = [f"# {report.title}", "", "```", text.getvalue().rstrip(), "```", ""]
    for note in notes([shown]):
        lines += [note, ""]
    if len(rows) < len(report.rows):
        lines.append(f"The {len(rows)} most accurate of {len(report.rows)} rows.")
    return "\n".join(lines)
