"""Every row of one study or several, with its uncertainty, beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sweep.reports.comparison import Report
from sweep.reports.intervals import FEWEST_DRAWS
from sweep.reports.rows import Row
from sweep.reports.tables.background import background
from sweep.reports.tables.cells import (
    INTERVAL,
    NOTHING,
    ON_FRONT,
    TEST_INTERVAL,
    Table,
    between,
    gap,
    marked,
    number,
    percent,
    replicates,
)
from sweep.reports.tables.findings import findings


def comparison_table(reports: Sequence[Report]) -> Table:
    """Every row, with its uncertainty, beside what was published."""
    several, compared = len(reports) > 1, is_compared(reports)
    columns: dict[str, Callable[[Report, Row], str]] = {}
    if several:
        columns["study"] = lambda report, _: report.study
    columns |= {
        "configuration": lambda _, row: row.name,
        "accuracy %": lambda _, row: percent(row.accuracy),
        INTERVAL: lambda _, row: between(row.accuracy_ci_low, row.accuracy_ci_high),
        "test %": lambda _, row: percent(row.test_accuracy),
        TEST_INTERVAL: lambda _, row: between(row.test_ci_low, row.test_ci_high),
        **(
            {"searched %": lambda _, row: percent(row.searched_accuracy)}
            if any(report.searched for report in reports)
            else {}
        ),
        "one new run %": lambda _, row: between(row.prediction_low, row.prediction_high),
        "n": lambda _, row: replicates(row),
        "labels": lambda _, row: f"{row.labels:,}",
        "classifier parameters": lambda _, row: marked(row.classifier_parameters, row.pareto),
        "inference parameters": lambda _, row: marked(
            row.inference_parameters, row.pareto_inference
        ),
    }
    if compared:
        columns |= {
            "published %": lambda _, row: percent(row.published_accuracy),
            "gap": lambda _, row: gap(row.gap),
            "printed parameters": lambda _, row: number(row.published_parameters),
            "verdict": lambda _, row: row.verdict or NOTHING,
        }
    return Table(
        title=", ".join(report.title for report in reports),
        columns=tuple(columns),
        rows=tuple(
            tuple(cell(report, row) for cell in columns.values())
            for report, row in report_rows(reports)
        ),
        notes=(*_legend_lines(reports), *notes(reports)),
    ).told


def legend(reports: Sequence[Report]) -> list[str]:
    """What stands in the table's cells beside numbers, for all forms of the table."""
    rows = [row for _, row in report_rows(reports)]
    lines = []
    if any(row.test_accuracy is not None for row in rows):
        lines.append("test %: what was selected, on the test partition")
    if any(row.pareto or row.pareto_inference for row in rows):
        front = "its study's front" if len(reports) > 1 else "the Pareto front"
        lines.append(
            f"{ON_FRONT}: on {front} of accuracy against these parameters, among equal labels"
        )
    return lines


def _legend_lines(reports: Sequence[Report]) -> list[str]:
    """The same as sentences, and what of the columns the terminal's table does not have."""
    lines = legend(reports)
    if any(row.prediction_low is not None for _, row in report_rows(reports)):
        lines.append(
            "one new run %: where the accuracy of one more run lies in 95 % of cases, a new "
            "classifier on a new draw; it scatters more than a mean"
        )
    return [f"{line}." for line in lines]


def further_tables(reports: Sequence[Report]) -> list[Table]:
    """What follows from the rows: only tables, and columns, that have anything in them."""
    several = len(reports) > 1
    return [
        replace(table.told, title=f"{report.study}: {table.title}" if several else table.title)
        for report in reports
        for table in (*findings(report), *background(report))
        if table.rows or (table.notes and not table.columns)
    ]


def notes(reports: Sequence[Report]) -> list[str]:
    """What a reader must know to read the comparison's table."""
    scored_on = {report.study: report.scored_on for report in reports}
    partitions = f"the {reports[0].scored_on} partition"
    if len(set(scored_on.values())) > 1:
        partitions = " and ".join(f"the {part} partition ({s})" for s, part in scored_on.items())
    lines = [
        f"Accuracy after the last epoch on {partitions}, mean of n = draws x classifiers"
        + (
            ", with a 95 % interval that stands on the draws. All draws are of the same images; "
            "and where an encoder may collapse, the interval of the mean is too short."
            if any(row.accuracy_ci_low is not None for _, row in report_rows(reports))
            else "; one draw has no interval."
        ),
        "Parameters of the classifier, and of all that inference needs: the representation, too.",
    ]
    several = len(reports) > 1
    lines += [
        (f"{report.study}: " if several else "") + f"{sentence}."
        for report in reports
        for sentence in report.undertrained
    ]
    lines += [_confirmed(report) for report in reports if report.searched]
    if not is_compared(reports):
        lines.append(
            "No published accuracies beside these rows: they hold for all of MNIST and the "
            "notebook's protocol (study_configs/notebook_table.yaml)."
        )
    else:
        lines.append(
            "A published accuracy is one run; the gap is that minus ours, in points. Whether it is "
            f"consistent with ours needs {FEWEST_DRAWS} draws, and a study that follows the "
            "notebook to the letter."
        )
    return lines


def _confirmed(report: Report) -> str:
    """How what a search selected was confirmed, and what it saved to confirm nothing else."""
    rows, searched = len(report.rows), len(report.searched)
    selected = sum(row.pareto or row.pareto_inference for row in report.searched)
    draws = sum(row.n_draws for row in report.rows)
    so_far = f"{rows} of these so far " if rows < selected else ""
    return (
        f"{report.study}: {selected} of {searched} configurations were selected by what the search "
        f"saw of them on the validation partition ('searched %', which selection makes too high), "
        f"and {so_far}trained again on draws that it had not seen: {draws} draws, where confirming "
        f"all of them would have taken {draws // rows * searched}."
    )


def is_compared(reports: Sequence[Report]) -> bool:
    """Whether any row stands beside a published one."""
    return any(row.published_accuracy is not None for _, row in report_rows(reports))


def report_rows(reports: Sequence[Report]) -> Iterator[tuple[Report, Row]]:
    """All rows, each with its report."""
    return ((report, row) for report in reports for row in report.rows)
