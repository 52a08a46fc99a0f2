"""Rows as text: a terminal table, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from sweep.reports.comparison import Report, Row

_COLUMNS = (
    "study",
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
_PUBLISHED_COLUMNS = {"published %", "published parameters", "verdict"}
_TEXT_COLUMNS = {"study", "representation", "verdict"}


def notes(reports: Sequence[Report]) -> list[str]:
    """What a reader must know to read the table of one study or several."""
    scored_on = {report.study: report.scored_on for report in reports}
    partitions = f"the {reports[0].scored_on} partition"
    if len(set(scored_on.values())) > 1:
        partitions = " and ".join(f"the {part} partition ({s})" for s, part in scored_on.items())
    lines = [
        f"Accuracy after the last epoch on {partitions}, mean of n = draws x classifiers, with a "
        "95 % interval that stands on the draws (none for one draw).",
        "Parameters of the classifier, and of all that inference needs: the representation, too.",
    ]
    if not _is_compared(reports):
        lines.append(
            "No published accuracies beside these rows: they hold for all of MNIST and the "
            "notebook's protocol (study_configs/notebook_table.yaml)."
        )
    elif any(row.verdict == "too few runs" for report in reports for row in report.rows):
        lines.append(
            "A published accuracy is one run; whether it is consistent with these needs 5 draws "
            "of 3 classifiers at least."
        )
    return lines


def to_table(reports: Sequence[Report]) -> Table:
    """A table for the terminal: short, to fit 80 columns if it is of one study."""
    compared, several = _is_compared(reports), len(reports) > 1
    # Beside published rows the number of labels is the protocol's, and the verdict wants its room.
    columns = ["study"] * several + ["configuration", "accuracy %", "n", "classifier", "inference"]
    columns += ["publ. %", "verdict"] if compared else ["labels"]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0 if compared else 1))
    for name in columns:
        left = name in ("study", "configuration", "verdict")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for report, row in _rows(reports):
        latent = "" if row.latent_dim is None else f" {row.latent_dim}"
        accuracy = _percent(row.accuracy)
        if row.accuracy_ci_low is not None and row.accuracy_ci_high is not None:
            accuracy += f" ± {50 * (row.accuracy_ci_high - row.accuracy_ci_low):.2f}"
        cells = [report.study] * several
        cells += [
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


def to_markdown(reports: Sequence[Report]) -> str:
    """A Markdown document with the table of one study or several."""
    columns = _columns(reports)
    title = ", ".join(report.study for report in reports)
    lines = [f"# {title}", "", f"| {' | '.join(columns)} |"]
    rules = ("---" if name in _TEXT_COLUMNS else "---:" for name in columns)
    lines.append(f"|{'|'.join(rules)}|")
    for report, row in _rows(reports):
        cells = _cells(report, row)
        lines.append(f"| {' | '.join(cells[name] for name in columns)} |")
    lines += ["", *notes(reports), ""]
    return "\n".join(lines)


def to_json(reports: Sequence[Report]) -> str:
    """The report as JSON, accuracies as fractions; several studies stand in a list."""
    found = [report.model_dump(mode="json") for report in reports]
    return json.dumps(found[0] if len(found) == 1 else {"studies": found}, indent=2) + "\n"


def to_csv(reports: Sequence[Report]) -> str:
    """The rows as CSV, with the study and the fields of the JSON; a list is joined with spaces."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["study", *Row.model_fields], lineterminator="\n")
    writer.writeheader()
    for report, row in _rows(reports):
        values = row.model_dump(mode="json") | {"mlflow_run_ids": " ".join(row.mlflow_run_ids)}
        writer.writerow({"study": report.study} | values)
    return text.getvalue()


def _rows(reports: Sequence[Report]) -> Iterator[tuple[Report, Row]]:
    return ((report, row) for report in reports for row in report.rows)


def _is_compared(reports: Sequence[Report]) -> bool:
    """Whether any row stands beside a published one."""
    return any(row.published_accuracy is not None for _, row in _rows(reports))


def _replicates(row: Row) -> str:
    return f"{row.n_draws} x {row.n_replicates // row.n_draws}"


def _columns(reports: Sequence[Report]) -> list[str]:
    """The columns that say something: without a published row there is nothing to compare."""
    left_out = set() if _is_compared(reports) else set(_PUBLISHED_COLUMNS)
    if len(reports) == 1:
        left_out.add("study")
    return [name for name in _COLUMNS if name not in left_out]


def _cells(report: Report, row: Row) -> dict[str, str]:
    published = row.published_accuracy is not None
    return {
        "study": report.study,
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


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.2f}"
