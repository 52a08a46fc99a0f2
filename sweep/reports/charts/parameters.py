"""Accuracy against parameters, with the fronts and what was published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

from sweep.reports.charts.base import (
    STRETCHED_NOTE,
    Chart,
    Panel,
    Point,
    Series,
    accuracy_title,
    bars_note,
    subject,
)
from sweep.reports.charts.marks import (
    OnFront,
    budget_note,
    label_counts,
    measured_series,
    row_point,
    with_most_labels,
)
from sweep.reports.comparison import Report
from sweep.reports.published import PUBLISHED, PublishedRow
from sweep.reports.rows import Row
from sweep.reports.style import number

_Parameters = Callable[[Row | PublishedRow], int]


def parameters_chart(reports: Sequence[Report]) -> Chart:
    """Both of a row's counts of parameters, with the fronts and the published rows."""
    views: tuple[tuple[str, _Parameters, OnFront], ...] = (
        (
            "parameters of the classifier",
            lambda row: row.classifier_parameters,
            lambda row: row.pareto,
        ),
        (
            "parameters that inference needs, encoder included",
            lambda row: row.inference_parameters,
            lambda row: row.pareto_inference,
        ),
    )
    panels = []
    for title, parameters, on_front in views:
        measured = measured_series(reports, parameters, on_front)
        fronts = _fronts(reports, parameters, on_front)
        published = _published(parameters, reports)
        panels.append(Panel(title, (*measured, *fronts, *published)))
    series = [each for panel in panels for each in panel.series]
    note = "One mark for each configuration."
    if any(each.kind == "steps" for each in series):
        note += (
            " Steps are Pareto fronts: the best that was measured with at most so many parameters"
            + (", of equal numbers of labels." if len(label_counts(reports)) > 1 else ".")
        )
    if any(each.kind == "published" for each in series):
        note += " Hollow marks are what was published: single runs on all of MNIST."
    note += bars_note(panels)
    if any(each.has_more_labels for each in series):
        note += " A ring marks what had more labels."
    note += budget_note(reports) + STRETCHED_NOTE
    return Chart(
        name="accuracy_vs_parameters",
        title="Accuracy against parameters",
        subject=subject(reports),
        y_title=accuracy_title(reports),
        panels=tuple(panels),
        note=note,
        log_x=True,
    )


def _fronts(reports: Sequence[Report], x: Callable[[Row], int], on_front: OnFront) -> list[Series]:
    """Each study's front for each number of labels: only configurations that were measured."""
    found = []
    dashes = count()
    for report in reports:
        shown = with_most_labels(report)
        counts = sorted({row.labels for row in shown})
        for labels in counts:
            rows = sorted((row for row in shown if row.labels == labels and on_front(row)), key=x)
            if len(rows) > 1:
                name = "Pareto front" if len(reports) == 1 else f"{report.study}: front"
                name += f", {labels:,} labels" if len(counts) > 1 else ""
                points = tuple(row_point(x(row), row) for row in rows)
                more = labels > counts[0]
                found.append(Series(name, "steps", -1, 0, points, more, dashes=next(dashes)))
    return found


def _published(parameters: _Parameters, reports: Sequence[Report]) -> list[Series]:
    """The published rows, where ours stand beside any of them: elsewhere they say nothing."""
    if all(row.published_accuracy is None for report in reports for row in report.rows):
        return []
    found = []
    for name in dict.fromkeys(row.representation for row in PUBLISHED):
        points = tuple(
            Point(
                parameters(row),
                100 * row.accuracy,
                None,
                None,
                f"published: {row.name}<br>{100 * row.accuracy:.4g} %, one run",
                of=row.name,
            )
            for row in PUBLISHED
            if row.representation == name
        )
        symbol = number(name) if len(reports) == 1 else len(reports)
        found.append(Series(f"{name}, published", "published", number(name), symbol, points))
    return found
