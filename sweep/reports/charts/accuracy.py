"""Accuracy against parameters, latent dimensions and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from sweep.reports.charts.base import (
    MOST_NAMED,
    STRETCHED_NOTE,
    Chart,
    Kind,
    Panel,
    Point,
    Series,
    accuracy_title,
    bars_note,
    subject,
)
from sweep.reports.comparison import Report
from sweep.reports.published import PUBLISHED, PublishedRow
from sweep.reports.rows import Row
from sweep.reports.style import number

_BESIDE = 0.015
"""Between marks that stand beside each other instead of on each other, in parts of the axis."""
_Parameters = Callable[[Row | PublishedRow], int]
_OnFront = Callable[[Row], bool]


def parameters_chart(reports: Sequence[Report]) -> Chart:
    """Both of a row's counts of parameters, with the fronts and the published rows."""
    views: tuple[tuple[str, _Parameters, _OnFront], ...] = (
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
        measured = _by_representation(reports, parameters, on_front)
        fronts = _fronts(reports, parameters, on_front)
        published = _published(parameters, reports)
        panels.append(Panel(title, (*measured, *fronts, *published)))
    series = [each for panel in panels for each in panel.series]
    note = "One mark for each configuration."
    if any(each.kind == "steps" for each in series):
        note += (
            " Steps are Pareto fronts: the best that was measured with at most so many parameters"
            + (", of equal numbers of labels." if len(_labels(reports)) > 1 else ".")
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


def with_most_labels(report: Report) -> list[Row]:
    """The rows of the largest label budget, which is all labels where any row has them."""
    budgets = [row.label_budget for row in report.rows]
    most = None if None in budgets else max(budgets, key=lambda budget: budget or 0, default=None)
    return [row for row in report.rows if row.label_budget == most]


def budget_note(reports: Sequence[Report]) -> str:
    """Which label budget :func:`with_most_labels` shows, where there are several."""
    if all(len({row.label_budget for row in report.rows}) < 2 for report in reports):
        return ""
    counts = " and ".join(f"{labels:,}" for labels in _labels(reports))
    return f" Of several label budgets, the largest: {counts} labels."


def _labels(reports: Sequence[Report]) -> list[int]:
    """The numbers of labels that the rows with the most labels have."""
    return sorted({row.labels for report in reports for row in with_most_labels(report)})


def _by_representation(
    reports: Sequence[Report],
    x: Callable[[Row], float | None],
    on_front: _OnFront = lambda _: False,
) -> list[Series]:
    """Rows that have an x, by study, representation and number of labels; names on the front."""
    counts = _labels(reports)
    found = []
    for report, name, symbol in _kinds(reports):
        of_it = [row for row in with_most_labels(report) if row.representation == name]
        for labels in counts:
            points = tuple(
                replace(_point(value, row), name=row.name if on_front(row) else "")
                for row in of_it
                if row.labels == labels and (value := x(row)) is not None
            )
            if points:
                label = name if len(reports) == 1 else f"{report.study}: {name}"
                label += f", {labels:,} labels" if len(counts) > 1 else ""
                ringed = labels > counts[0]
                found.append(Series(label, "measured", number(name), symbol, points, ringed))
    return found


def _fronts(reports: Sequence[Report], x: Callable[[Row], int], on_front: _OnFront) -> list[Series]:
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
                points = tuple(_point(x(row), row) for row in rows)
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


def latent_dimensions_chart(reports: Sequence[Report]) -> Chart:
    """The most accurate row of each latent dimension."""
    every = _by_representation(reports, lambda row: row.latent_dim)
    panel = _few_values("latent dimensions", every, "measured")
    return Chart(
        name="accuracy_vs_latent_dim",
        title="Accuracy against the latent dimension",
        subject=subject(reports),
        y_title=accuracy_title(reports),
        panels=(panel,),
        note="The most accurate configuration of each dimension"
        + _selected_from(every)
        + bars_note([panel])
        + budget_note(reports)
        + STRETCHED_NOTE,
        log_x=True,
    )


def label_budgets_chart(reports: Sequence[Report]) -> Chart:
    """The most accurate row of each representation with each number of labels."""
    series = []
    for report, name, symbol in _kinds(reports):
        rows = [row for row in report.rows if row.representation == name]
        label = name if len(reports) == 1 else f"{report.study}: {name}"
        points = tuple(_point(row.labels, row) for row in rows)
        if points:
            series.append(Series(label, "measured", number(name), symbol, points))
    panel = _few_values("labelled images", series, "connected")
    panel = replace(panel, series=tuple(_apart(panel.series)))
    return Chart(
        name="accuracy_vs_labels",
        title="Accuracy against the number of labels",
        subject=subject(reports),
        y_title=accuracy_title(reports),
        panels=(panel,),
        note="The most accurate configuration of each representation"
        + _selected_from(series)
        + " A budget's labels are the same for all, and so is its number of updates."
        + (" What had equally many labels stands a little apart." if len(series) > 1 else "")
        + bars_note([panel])
        + STRETCHED_NOTE,
        log_x=True,
    )


def _few_values(title: str, series: Sequence[Series], kind: Kind) -> Panel:
    """A panel of each series' most accurate points; its x has the values that rows have."""
    values = sorted({int(point.x) for each in series for point in each.points})
    few = tuple(values) if len(values) <= MOST_NAMED else ()
    return Panel(title, tuple(_best(each, kind) for each in series), few)


def _best(series: Series, kind: Kind) -> Series:
    """Its most accurate point of each x, which says of how many it is that."""
    points = [
        replace(best, text=f"{best.text}<br>the most accurate of {len(of_x)}")
        for of_x in _by_x(series)
        for best in [max(of_x, key=lambda point: point.y)]
    ]
    return replace(series, kind=kind, points=tuple(points))


def _by_x(series: Series) -> list[list[Point]]:
    """Its points in groups of the same x, in the order of x."""
    groups: dict[float, list[Point]] = {}
    for point in series.points:
        groups.setdefault(point.x, []).append(point)
    return [groups[x] for x in sorted(groups)]


def _selected_from(every: Sequence[Series]) -> str:
    """The end of a caption's sentence: of how many each mark is the best."""
    sizes = [len(of_x) for series in every for of_x in _by_x(series)] or [1]
    few, many = min(sizes), max(sizes)
    if many == 1:
        return "; each is the only one."
    return f", of the {few if few == many else f'{few} to {many}'} that were measured there."


def _apart(every: Sequence[Series]) -> Iterator[Series]:
    """Series that share their values of x, each moved by as much: else their bars would blend."""
    xs = [point.x for series in every for point in series.points]
    step = (max(xs) / min(xs)) ** _BESIDE if xs else 1
    for place, series in enumerate(every):
        factor = step ** (place - (len(every) - 1) / 2)
        yield replace(series, points=tuple(replace(p, x=factor * p.x) for p in series.points))


def _kinds(reports: Sequence[Report]) -> Iterator[tuple[Report, str, int]]:
    """Each study's representations, with a symbol: of several studies, that of the study."""
    names = dict.fromkeys(row.representation for report in reports for row in report.rows)
    for place, report in enumerate(reports):
        for name in names:
            yield report, name, number(name) if len(reports) == 1 else place


def _point(x: float, row: Row) -> Point:
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
