"""Excerpts of a report in Markdown pages: a picture and a table between marks.

A page has one between ``<!-- begin: PATH CHART -->`` and ``<!-- end -->``, each on a line of its
own: ``PATH`` leads from the page to the report's directory, ``CHART`` is the stem of its picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from sweep.reports.comparison import Report
from sweep.reports.render import markdown_table
from sweep.reports.tables import INTERVAL, comparison_table, is_compared, legend, replicates

_MARKED = re.compile(
    r"(?P<begin>^<!-- begin: (?P<path>\S+) (?P<chart>\w+) -->\n)(?P<text>.*?)(?=^<!-- end -->$)",
    re.M | re.S,
)
_MEASURED = ("configuration", "accuracy %")
_COMPARED = ("one new run %", "published %", "gap", "verdict")
_ALONE = (INTERVAL, "test %")
_COUNTED = ("labels", "n", "classifier parameters", "inference parameters")
_NARROW = "(max-width: 600px)"


class Excerpt(NamedTuple):
    """What stands between two marks of a page."""

    path: str
    """Of the report's directory, from the page's."""
    chart: str
    text: str
    line: int
    """The first of the text, in the page, from 1."""


def excerpts(page: str) -> list[Excerpt]:
    """Those of a page, in its order."""
    return [
        Excerpt(
            found["path"],
            found["chart"],
            found["text"],
            page.count("\n", 0, found.start("text")) + 1,
        )
        for found in _MARKED.finditer(page)
    ]


def with_excerpts(page: str, text: Callable[[Excerpt], str]) -> str:
    """A page with other texts between its marks."""
    each = iter(excerpts(page))
    return _MARKED.sub(lambda found: found["begin"] + text(next(each)), page)


def excerpt(report: Report, path: str, chart: str) -> str:
    """The picture and the table that stand for a report in a page.

    Rows beside which something was published stand alone, where there are any.

    Args:
        report: the study's.
        path: of its directory, from the page's.
        chart: stem of its picture.
    """
    compared = is_compared([report])
    if compared:
        rows = tuple(row for row in report.rows if row.published_accuracy is not None)
        report = report.model_copy(update={"rows": rows})
    counts = sorted({replicates(row) for row in report.rows})
    said_once = [f"n = {count} draws x classifiers" for count in counts if len(counts) == 1]
    note = " ".join(f"{line}." for line in (*legend([report]), *said_once))
    columns = (*_MEASURED, *(_COMPARED if compared else _ALONE), *_COUNTED)
    columns = tuple(name for name in columns if name != "n" or not said_once)
    table = replace(comparison_table([report]).only(columns), notes=(note,))
    picture = [
        "<picture>",
        f'<source media="{_NARROW}" srcset="{path}/{chart}_column.png">',
        f'<img alt="{chart.replace("_", " ")}: {table.title}" src="{path}/{chart}.png">',
        "</picture>",
    ]
    return "\n".join([*picture, "", *markdown_table(table)])
