"""Reports as text: a terminal table, Markdown, CSV and JSON; ``latex`` is LaTeX."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from itertools import chain

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as TerminalTable
from rich.text import Text

from sweep.reports.charts import Chart
from sweep.reports.comparison import Report
from sweep.reports.rows import Row
from sweep.reports.tables import (
    NOTHING,
    Table,
    accuracy,
    comparison_table,
    further_tables,
    gap,
    is_compared,
    legend,
    marked,
    percent,
    replicates,
    report_rows,
)
from sweep.reports.verdicts import is_told

_FOLDED = "configuration"
"""The column that is folded, between words, where there is no room."""
_COLUMNS = 80
_GAPS = (1, 3)
"""Spaces between columns: as many as there is room for."""


def to_table(reports: Sequence[Report]) -> RenderableType:
    """Tables for the terminal, one a study: short, to fit 80 columns.

    Those of several studies stand below each other, with columns of the same widths.
    """
    compared, several = is_compared(reports), len(reports) > 1
    # Where all rows have as many replicates, those are said once: the verdict wants the room.
    counts = {replicates(row) for _, row in report_rows(reports)}
    named = len(counts) > 1 or not compared
    tested = any(row.test_accuracy is not None for _, row in report_rows(reports))
    columns = ["configuration", "accuracy %", *["test %"] * tested, *["n"] * named]
    columns += ["classifier", "inference", "labels", *["publ. %", "verdict"] * compared]
    said_once = f"n = {', '.join(counts)} draws x classifiers; gaps in points"
    below = [*([] if named else [said_once]), *legend(reports)]

    def cells(row: Row) -> list[str]:
        return [
            row.name,
            accuracy(row),
            *[percent(row.test_accuracy)] * tested,
            *[replicates(row)] * named,
            marked(row.classifier_parameters, row.pareto),
            marked(row.inference_parameters, row.pareto_inference),
            f"{row.labels:,}",
            *[percent(row.published_accuracy), _verdict(row)] * compared,
        ]

    found = {report.title: [cells(row) for row in report.rows] for report in reports}
    lines = [columns, *chain(*found.values())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    space = _GAPS[sum(widths) + max(_GAPS) * (len(widths) - 1) <= _COLUMNS]
    room = _COLUMNS - sum(widths[1:]) - space * (len(widths) - 1)
    widths[0] = max(min(widths[0], room), len(columns[0]))
    parts: list[RenderableType] = []
    for title, rows in found.items():
        if several and rows:
            parts.append(Text(f"Study {title}", "bold"))
        if rows:
            table = _terminal_table(dict(zip(columns, widths, strict=True)), space)
            for row in rows:
                table.add_row(*row)
            parts += [table, *[Text()] * several]
    return Group(*parts, Text("\n".join(below), "table.caption"))


def _terminal_table(widths: Mapping[str, int], space: int) -> TerminalTable:
    """An empty table with columns of these widths, and as many spaces between them."""
    table = TerminalTable(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, space // 2)
    )
    for name, width in widths.items():
        table.add_column(
            name,
            justify="left" if name in ("configuration", "verdict") else "right",
            no_wrap=name != _FOLDED,
            overflow="fold",
            width=width,
        )
    return table


def _verdict(row: Row) -> str:
    """A row's verdict, or its gap where there is none."""
    if is_told(row.verdict):
        return str(row.verdict)
    return NOTHING if row.gap is None else f"gap {gap(row.gap)}"


def to_markdown(reports: Sequence[Report], charts: Sequence[Chart] = ()) -> str:
    """A Markdown document: the comparison, what follows from it, and where it comes from.

    Args:
        reports: of one study or several.
        charts: those whose pictures lie beside the document.
    """
    first, *further = [comparison_table(reports), *further_tables(reports)]
    pictures = [[f"![{chart.title}]({chart.name}.png)", "", chart.note, ""] for chart in charts]
    lines = [f"# {first.title}", "", *chain(*pictures[:1]), *markdown_table(first)]
    lines += chain(*pictures[1:])
    for table in further:
        lines += [f"## {table.title}", "", *markdown_table(table)]
    return "\n".join(lines)


def markdown_table(table: Table) -> list[str]:
    """A table's lines in Markdown, its notes below it."""
    lines = []
    if table.columns:
        lines.append(f"| {' | '.join(table.columns)} |")
        rules = ("---" if name in table.left else "---:" for name in table.columns)
        lines.append(f"|{'|'.join(rules)}|")
        lines += [f"| {' | '.join(map(_markdown, cells))} |" for cells in table.rows]
        lines.append("")
    for note in table.notes:
        lines += [note, ""]
    return lines


def _markdown(text: str) -> str:
    """Text in a table's cell that is no markup."""
    return re.sub(r"([\\|\[\]])", r"\\\1", text.strip()).replace("<", "&lt;")


def to_json(reports: Sequence[Report]) -> str:
    """The report as JSON, accuracies as fractions; several studies stand in a list."""
    return _one_or_several([report.model_dump(mode="json") for report in reports])


def json_schema() -> str:
    """The JSON Schema of :func:`to_json`, as ``report.schema.json`` beside this module has it."""
    schema = Report.model_json_schema(mode="serialization", ref_template="#/$defs/{model}")
    definitions = schema.pop("$defs")
    one = {"$ref": "#/$defs/Report"}
    several = {
        "type": "object",
        "properties": {"studies": {"type": "array", "items": one}},
        "required": ["studies"],
        "additionalProperties": False,
    }
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The report of one study, or of several",
        "anyOf": [one, several],
        "$defs": {**definitions, "Report": schema},
    }
    return json.dumps(whole, indent=2) + "\n"


def _one_or_several(found: Sequence[object]) -> str:
    return json.dumps(found[0] if len(found) == 1 else {"studies": found}, indent=2) + "\n"


def provenance_json(reports: Sequence[Report]) -> str:
    """Where the numbers come from, as JSON: part of the report's, for whom that is enough."""
    found = [{"study": r.study, **r.provenance.model_dump(mode="json")} for r in reports]
    return _one_or_several(found)


def to_csv(reports: Sequence[Report]) -> str:
    """The rows as CSV, with the study and the fields of the JSON.

    Lists are joined with spaces; a replicate is ``draw:classifier:accuracy``, and what varies
    ``name:value``.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, ["study", *Row.model_fields], lineterminator="\n")
    writer.writeheader()
    for report, row in report_rows(reports):
        values = row.model_dump(mode="json") | {
            "mlflow_run_ids": " ".join(row.mlflow_run_ids),
            "replicates": " ".join(":".join(map(str, each)) for each in row.replicates),
            "varied": " ".join(f"{name}:{value}" for name, value in row.varied.items()),
        }
        writer.writerow({"study": report.study} | values)
    return text.getvalue()
