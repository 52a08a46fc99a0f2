"""Rows as text: a terminal table, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

from rich.table import Table

from sweep.reports.comparison import Report, Row

_COLUMNS = (
    "representation",
    "latent",
    "hidden",
    "labels",
    "accuracy %",
    "95 % interval",
    "n",
    "classifier parameters",
    "inference parameters",
    "published %",
    "published parameters",
    "verdict",
)
_TEXT_COLUMNS = {"representation", "verdict"}


def notes(report: Report) -> list[str]:
    """What a reader must know to read the table."""
    lines = [
        f"Accuracy after the last epoch on the {report.scored_on} partition, mean of n = draws x "
        "classifiers; the interval of the mean stands on the draws.",
        "Inference parameters are the classifier's and those of the representation it needs.",
    ]
    if not any(row.published_accuracy is not None for row in report.rows):
        lines.append(
            "No published accuracies beside these rows: they hold for all of MNIST and the "
            "notebook's protocol (study_configs/notebook_table.yaml)."
        )
    elif any(row.verdict == "too few runs" for row in report.rows):
        lines.append(
            "A published accuracy is one run; whether it is consistent with these needs 5 draws "
            "of 3 classifiers at least."
        )
    return lines


def to_table(report: Report) -> Table:
    """A table for the terminal."""
    table = Table(title=f"Study {report.study}", title_justify="left", caption_justify="left")
    for name in _columns(report):
        table.add_column(
            name, justify="left" if name in _TEXT_COLUMNS else "right", overflow="fold"
        )
    for row in report.rows:
        table.add_row(*_cells(report, row))
    table.caption = "\n".join(notes(report))
    return table


def to_markdown(report: Report) -> str:
    """A Markdown document with the table."""
    columns = _columns(report)
    lines = [f"# {report.study}", "", f"| {' | '.join(columns)} |"]
    rules = ("---" if name in _TEXT_COLUMNS else "---:" for name in columns)
    lines.append(f"|{'|'.join(rules)}|")
    lines += [f"| {' | '.join(_cells(report, row))} |" for row in report.rows]
    lines += ["", *notes(report), ""]
    return "\n".join(lines)


def to_json(report: Report) -> str:
    """The rows as JSON; accuracies are fractions."""
    rows = [row.model_dump(mode="json") for row in report.rows]
    return json.dumps({"study": report.study, "rows": rows}, indent=2) + "\n"


def to_csv(report: Report) -> str:
    """The rows as CSV, with the fields of the JSON; a list is joined with spaces."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(Row.model_fields), lineterminator="\n")
    writer.writeheader()
    for row in report.rows:
        values = row.model_dump(mode="json")
        writer.writerow(values | {"mlflow_run_ids": " ".join(row.mlflow_run_ids)})
    return text.getvalue()


def _columns(report: Report) -> tuple[str, ...]:
    """The columns that say something: without a published row there is nothing to compare."""
    if any(row.published_accuracy is not None for row in report.rows):
        return _COLUMNS
    return tuple(name for name in _COLUMNS if "published" not in name and name != "verdict")


def _cells(report: Report, row: Row) -> tuple[str, ...]:
    published = row.published_accuracy is not None
    cells = {
        "representation": row.representation,
        "latent": "–" if row.latent_dim is None else str(row.latent_dim),
        "hidden": str(row.hidden_neurons),
        "labels": f"{row.labels:,}",
        "accuracy %": _percent(row.accuracy),
        "95 % interval": (
            f"{_percent(row.accuracy_ci_low)} to {_percent(row.accuracy_ci_high)}"
            if row.accuracy_ci_low is not None
            else "–"
        ),
        "n": f"{row.n_draws} x {row.n_replicates // row.n_draws}",
        "classifier parameters": f"{row.classifier_parameters:,}",
        "inference parameters": f"{row.inference_parameters:,}",
        "published %": _percent(row.published_accuracy) if published else "–",
        "published parameters": f"{row.published_parameters:,}" if published else "–",
        "verdict": row.verdict or "–",
    }
    return tuple(cells[name] for name in _columns(report))


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.2f}"
