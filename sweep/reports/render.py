"""Rows as text: a terminal table, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

from rich import box
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
        "classifiers, with a 95 % interval that stands on the draws (none for one draw).",
        "Parameters of the classifier, and of all that inference needs: the representation, too.",
    ]
    if not _is_compared(report):
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
    """A table for the terminal: short, to fit 80 columns."""
    compared = _is_compared(report)
    # Beside published rows the number of labels is the protocol's, and the verdict wants its room.
    columns = ["configuration", "accuracy %", "n", "classifier", "inference"]
    columns += ["publ. %", "verdict"] if compared else ["labels"]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0 if compared else 1))
    for name in columns:
        left = name in ("configuration", "verdict")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for row in report.rows:
        latent = "" if row.latent_dim is None else f" {row.latent_dim}"
        accuracy = _percent(row.accuracy)
        if row.accuracy_ci_low is not None and row.accuracy_ci_high is not None:
            accuracy += f" ± {50 * (row.accuracy_ci_high - row.accuracy_ci_low):.2f}"
        cells = [
            f"{row.representation}{latent} → {row.hidden_neurons}",
            accuracy,
            _replicates(row),
            f"{row.classifier_parameters:,}",
            f"{row.inference_parameters:,}",
        ]
        if compared:
            cells += [_percent(row.published_accuracy), row.verdict or "–"]
        else:
            cells += [f"{row.labels:,}"]
        table.add_row(*cells)
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


def _is_compared(report: Report) -> bool:
    """Whether any row stands beside a published one."""
    return any(row.published_accuracy is not None for row in report.rows)


def _replicates(row: Row) -> str:
    return f"{row.n_draws} x {row.n_replicates // row.n_draws}"


def _columns(report: Report) -> tuple[str, ...]:
    """The columns that say something: without a published row there is nothing to compare."""
    if _is_compared(report):
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
        "n": _replicates(row),
        "classifier parameters": f"{row.classifier_parameters:,}",
        "inference parameters": f"{row.inference_parameters:,}",
        "published %": _percent(row.published_accuracy) if published else "–",
        "published parameters": f"{row.published_parameters:,}" if published else "–",
        "verdict": row.verdict or "–",
    }
    return tuple(cells[name] for name in _columns(report))


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.2f}"
