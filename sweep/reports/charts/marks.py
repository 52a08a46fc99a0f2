"""A report's rows as marks of a chart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sweep.reports.charts.base import Point, Series
from sweep.reports.comparison import Report
from sweep.reports.rows import Row
from sweep.reports.style import number

_MOST_APART = 4
"""So many kinds of encoders of one representation are shown apart."""
_LIGHTEST = 0.65
OnFront = Callable[[Row], bool]


def tint(place: int, count: int) -> float:
    """How far a colour is lightened to tell what belongs together apart: the first not at all."""
    return _LIGHTEST * place / max(1, count - 1)


def with_most_labels(report: Report) -> list[Row]:
    """The rows of the largest label budget, which is all labels where any row has them."""
    budgets = [row.label_budget for row in report.rows]
    most = None if None in budgets else max(budgets, key=lambda budget: budget or 0, default=None)
    return [row for row in report.rows if row.label_budget == most]


def budget_note(reports: Sequence[Report]) -> str:
    """Which label budget :func:`with_most_labels` shows, where there are several."""
    if all(len({row.label_budget for row in report.rows}) < 2 for report in reports):
        return ""
    counts = " and ".join(f"{labels:,}" for labels in label_counts(reports))
    return f" Of several label budgets, the largest: {counts} labels."


def label_counts(reports: Sequence[Report]) -> list[int]:
    """The numbers of labels that the rows with the most labels have."""
    return sorted({row.labels for report in reports for row in with_most_labels(report)})


def measured_series(
    reports: Sequence[Report],
    x: Callable[[Row], float | None],
    on_front: OnFront = lambda _: False,
    apart: Callable[[Row], str] = lambda _: "",
) -> list[Series]:
    """Rows that have an x, by study, representation, number of labels, and what tells them apart.

    Those on the front have names.
    """
    counts = label_counts(reports)
    found = []
    for report, name, symbol in kinds(reports):
        of_it = [row for row in with_most_labels(report) if row.representation == name]
        variants = _variants(of_it, apart)
        for place, (variant, alike) in enumerate(variants.items()):
            for labels in counts:
                points = tuple(
                    replace(row_point(value, row), name=row.name if on_front(row) else "")
                    for row in alike
                    if row.labels == labels and (value := x(row)) is not None
                )
                if points:
                    label = name if len(reports) == 1 else f"{report.study}: {name}"
                    label += variant + (f", {labels:,} labels" if len(counts) > 1 else "")
                    ringed = labels > counts[0]
                    shade = tint(place, len(variants))
                    found.append(
                        Series(label, "measured", number(name), symbol, points, ringed, shade)
                    )
    return found


def _variants(rows: Sequence[Row], apart: Callable[[Row], str]) -> dict[str, Sequence[Row]]:
    """Rows by what tells them apart; all of them, where that is too much to look at."""
    variants: dict[str, Sequence[Row]] = {
        variant: [row for row in rows if apart(row) == variant]
        for variant in sorted({apart(row) for row in rows})
    }
    return variants if len(variants) <= _MOST_APART else {"": rows}


def kinds(reports: Sequence[Report]) -> Iterator[tuple[Report, str, int]]:
    """Each study's representations, with a symbol: of several studies, that of the study."""
    names = dict.fromkeys(row.representation for report in reports for row in report.rows)
    for place, report in enumerate(reports):
        for name in names:
            yield report, name, number(name) if len(reports) == 1 else place


def row_point(x: float, row: Row) -> Point:
    """A row's accuracy at an x, with its interval and all that is to say of it."""
    low, high = row.accuracy_ci_low, row.accuracy_ci_high
    members = row.n_replicates // row.n_draws
    lines = [row.name, f"{100 * row.accuracy:.2f} %, n = {row.n_draws} × {members}"]
    if low is not None and high is not None:
        lines.append(f"95 % interval {100 * low:.2f} to {100 * high:.2f} %")
    if row.prediction_low is not None and row.prediction_high is not None:
        lines.append(
            f"one new run {100 * row.prediction_low:.2f} to {100 * row.prediction_high:.2f} %"
        )
    lines += [
        f"{row.classifier_parameters:,} parameters, {row.inference_parameters:,} at inference",
        f"{row.labels:,} labels",
    ]
    lines += [f"run {run_id}" for run_id in row.mlflow_run_ids]
    return Point(
        x,
        100 * row.accuracy,
        None if low is None else 100 * low,
        None if high is None else 100 * high,
        "<br>".join(lines),
        of=row.name,
    )
