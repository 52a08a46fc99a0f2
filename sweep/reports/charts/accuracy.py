"""Accuracy against parameters, latent dimensions and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from sweep.reports.charts.base import (
    Chart,
    Panel,
    Point,
    Series,
    accuracy_title,
    bars_note,
)
from sweep.reports.comparison import Report
from sweep.reports.published import PUBLISHED, PublishedRow
from sweep.reports.rows import Row

_Parameters = Callable[[Row | PublishedRow], int]

_BESIDE = 1.03
_MOST_NAMED = 12
_SYMBOLS = {"vae": 0, "pixels": 1, "pca": 2, "autoencoder": 3}


def parameters_chart(reports: Sequence[Report]) -> Chart:
    """Both of a row's counts of parameters, with the fronts and the published rows."""
    views: tuple[tuple[str, _Parameters, Callable[[Row], bool]], ...] = (
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
        measured = _by_representation(reports, parameters, with_most_labels)
        fronts = _fronts(reports, parameters, on_front)
        published = _published(parameters, reports)
        panels.append(Panel(title, (*measured, *fronts, *published)))
    series = [each for panel in panels for each in panel.series]
    note = "What was published are single runs on all of MNIST." + bars_note(panels)
    if any(each.kind == "line" for each in series):
        note += " Lines are Pareto fronts, of equal numbers of labels."
    if any(each.has_more_labels for each in series):
        note += " A ring marks what had more labels."
    if any(len({row.label_budget for row in report.rows}) > 1 for report in reports):
        note += " Of several label budgets, the largest."
    return Chart(
        name="accuracy_vs_parameters",
        title="Accuracy against parameters",
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


def _by_representation(
    reports: Sequence[Report],
    x: Callable[[Row], float | None],
    rows: Callable[[Report], Iterable[Row]],
) -> list[Series]:
    """Rows that have an x, by study, representation and number of labels."""
    counts = sorted({row.labels for report in reports for row in rows(report)})
    found = []
    for report, name, colour, symbol in _kinds(reports):
        of_it = [row for row in rows(report) if row.representation == name]
        for labels in counts:
            points = tuple(
                _point(value, row)
                for row in of_it
                if row.labels == labels and (value := x(row)) is not None
            )
            if points:
                label = name if len(reports) == 1 else f"{report.study}: {name}"
                label += f", {labels:,} labels" if len(counts) > 1 else ""
                ringed = labels > counts[0]
                found.append(Series(label, "measured", colour, symbol, points, ringed))
    return found


def _fronts(
    reports: Sequence[Report], x: Callable[[Row], int], on_front: Callable[[Row], bool]
) -> list[Series]:
    """Each study's front for each number of labels, as a line."""
    found = []
    for number, report in enumerate(reports):
        shown = with_most_labels(report)
        counts = sorted({row.labels for row in shown})
        for labels in counts:
            rows = sorted((row for row in shown if row.labels == labels and on_front(row)), key=x)
            if len(rows) > 1:
                name = "Pareto front" if len(reports) == 1 else f"{report.study}: front"
                name += f", {labels:,} labels" if len(counts) > 1 else ""
                colour = -1 if len(reports) == 1 else number
                points = tuple(_point(x(row), row) for row in rows)
                more = labels > counts[0]
                found.append(Series(name, "line", colour, 0, points, more))
    return found


def _published(parameters: _Parameters, reports: Sequence[Report]) -> list[Series]:
    where = "" if all(report.is_mnist for report in reports) else " on all of MNIST"
    found = []
    for name in dict.fromkeys(row.representation for row in PUBLISHED):
        points = tuple(
            Point(
                parameters(row),
                100 * row.accuracy,
                None,
                None,
                f"published: {row.name}<br>{100 * row.accuracy:.4g} %, one run",
            )
            for row in PUBLISHED
            if row.representation == name
        )
        symbol = _SYMBOLS[name]
        colour = symbol if len(reports) == 1 else -1
        found.append(Series(f"{name}, published{where}", "published", colour, symbol, points))
    return found


def latent_dimensions_chart(reports: Sequence[Report]) -> Chart:
    """The most accurate row of each latent dimension."""
    series = _by_representation(reports, lambda row: row.latent_dim, with_most_labels)
    panel = _few_values("latent dimensions", series)
    return Chart(
        name="accuracy_vs_latent_dim",
        title="Accuracy against the latent dimension",
        y_title=accuracy_title(reports),
        panels=(panel,),
        note="The most accurate configuration of each dimension." + bars_note([panel]),
        log_x=True,
    )


def label_budgets_chart(reports: Sequence[Report]) -> Chart:
    """The most accurate row of each representation with each number of labels."""
    series = []
    for report, name, colour, symbol in _kinds(reports):
        rows = [row for row in report.rows if row.representation == name]
        label = name if len(reports) == 1 else f"{report.study}: {name}"
        points = tuple(_point(row.labels, row) for row in rows)
        if points:
            series.append(Series(label, "measured", colour, symbol, points))
    panel = _few_values("labelled images", series)
    return Chart(
        name="accuracy_vs_labels",
        title="Accuracy against the number of labels",
        y_title=accuracy_title(reports),
        panels=(panel,),
        note="The most accurate configuration of each representation. A budget's labels are the "
        "same for all, and so is its number of updates." + bars_note([panel]),
        log_x=True,
    )


def _few_values(title: str, series: Sequence[Series]) -> Panel:
    """A panel of the most accurate points; its x has the values that rows have."""
    values = sorted({int(point.x) for each in series for point in each.points})
    named = tuple(values) if len(values) <= _MOST_NAMED else ()
    return Panel(title, _best_beside(series), named)


def _best_beside(found: Sequence[Series]) -> tuple[Series, ...]:
    """Each series' most accurate point of each x, connected; a little beside each other's."""
    moved = []
    for number, series in enumerate(found):
        best: dict[float, Point] = {}
        for point in series.points:
            if point.x not in best or point.y > best[point.x].y:
                best[point.x] = point
        factor = _BESIDE ** (number - (len(found) - 1) / 2)
        points = tuple(replace(best[x], x=x * factor) for x in sorted(best))
        moved.append(replace(series, kind="connected", points=points))
    return tuple(moved)


def _kinds(reports: Sequence[Report]) -> Iterator[tuple[Report, str, int, int]]:
    """Each study's representations, with a colour and a symbol.

    Of one study, colours tell the representations apart; of several, the studies.
    """
    more = count(len(_SYMBOLS))
    names = dict.fromkeys(row.representation for report in reports for row in report.rows)
    symbols = {name: _SYMBOLS[name] if name in _SYMBOLS else next(more) for name in names}
    for number, report in enumerate(reports):
        for name, symbol in symbols.items():
            yield report, name, symbol if len(reports) == 1 else number, symbol


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
    )
