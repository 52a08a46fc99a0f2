"""What the charts show, as plain rows; ``drawing`` and ``page`` draw them.

Accuracies in charts are percent, on an axis that is stretched towards 100 %: there the difference
between 97 and 98 % is as visible as that between 75 and 85 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from sweep.reports.comparison import Report
from sweep.reports.published import PUBLISHED, PublishedRow
from sweep.reports.rows import Row

Kind = Literal["measured", "connected", "published", "line"]
_Parameters = Callable[[Row | PublishedRow], int]

_TICKS = (0, 20, 50, 60, 70, 75, 80, 85, 90, 93, 95, 96, 97, 98, 99, 99.5, 100)
_BESIDE = 1.03
_MOST_NAMED = 12
_SYMBOLS = {"vae": 0, "pixels": 1, "pca": 2}


@dataclass(frozen=True)
class Point:
    """One mark: where it is, its 95 % interval, and what is said when one points at it."""

    x: float
    accuracy: float
    """Percent, as are the ends of the interval."""
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True)
class Series:
    """Points that belong together."""

    name: str
    kind: Kind
    """A line has no marks; what is connected has both."""
    colour: int
    """Which colour of the palette."""
    symbol: int
    """Which symbol."""
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Panel:
    """One view of a chart, over an x of its own."""

    x_title: str
    series: tuple[Series, ...]
    x_ticks: tuple[int, ...] = ()
    """Where x has few values, those; empty where any scale will do."""


@dataclass(frozen=True)
class Chart:
    """A chart, of one panel or several with the same y axis."""

    name: str
    """Stem of its files."""
    title: str
    y_title: str
    log_x: bool
    panels: tuple[Panel, ...]
    note: str
    """What a reader must know to read it."""


def charts(reports: Sequence[Report]) -> list[Chart]:
    """The charts of one study or several; only those that have anything to show, but for the first.

    Accuracy against parameters, against the latent dimension, against the number of labels, and
    against the encoders' active dimensions.
    """
    found = [_parameters(reports)]
    rows = [row for report in reports for row in report.rows]
    if len({row.latent_dim for row in rows if row.latent_dim is not None}) > 1:
        found.append(_latent_dimensions(reports))
    if len({row.label_budget for row in rows}) > 1:
        found.append(_label_budgets(reports))
    if any(report.encoded for report in reports):
        found.append(_active_dimensions(reports))
    return found


def stretched(percent: float) -> float:
    """Where an accuracy lies on the axis: minus the logarithm of the error, which may be zero."""
    return -math.log10(100.5 - percent)


def ticks(accuracies: Iterable[float]) -> list[float]:
    """Accuracies to name on an axis that shows these, in percent."""
    shown = sorted(accuracies) or [0.0, 100.0]
    inside = [tick for tick in _TICKS if shown[0] <= tick <= shown[-1]]
    if len(inside) > 1:
        return inside
    return sorted({math.floor(shown[0]), *inside, min(100.0, math.ceil(shown[-1]))})


def shown_accuracies(panels: Iterable[Panel]) -> Iterator[float]:
    """All accuracies in some panels, ends of intervals included."""
    for panel in panels:
        for series in panel.series:
            for point in series.points:
                yield point.accuracy
                yield from (end for end in (point.low, point.high) if end is not None)


def _parameters(reports: Sequence[Report]) -> Chart:
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
        measured = _by_representation(reports, parameters, _with_most_labels)
        fronts = _fronts(reports, parameters, on_front)
        published = _published(parameters, reports)
        panels.append(Panel(title, (*measured, *fronts, *published)))
    return Chart(
        name="accuracy_vs_parameters",
        title="Accuracy against parameters",
        y_title=_accuracy_title(reports),
        log_x=True,
        panels=tuple(panels),
        note="Bars are 95 % intervals of the mean over draws, lines Pareto fronts. "
        "What was published are single runs on all of MNIST."
        + (
            " Of several numbers of labels, the largest."
            if any(len({row.label_budget for row in report.rows}) > 1 for report in reports)
            else ""
        ),
    )


def _with_most_labels(report: Report) -> list[Row]:
    """The rows of the largest label budget, which is all labels where any row has them."""
    budgets = [row.label_budget for row in report.rows]
    most = None if None in budgets else max(budgets, key=lambda budget: budget or 0, default=None)
    return [row for row in report.rows if row.label_budget == most]


def _by_representation(
    reports: Sequence[Report],
    x: Callable[[Row], float | None],
    rows: Callable[[Report], Iterable[Row]],
) -> list[Series]:
    """Rows that have an x, by study and representation."""
    found = []
    for report, name, colour, symbol in _kinds(reports):
        points = tuple(
            _point(value, row)
            for row in rows(report)
            if row.representation == name and (value := x(row)) is not None
        )
        if points:
            label = name if len(reports) == 1 else f"{report.study}: {name}"
            found.append(Series(label, "measured", colour, symbol, points))
    return found


def _fronts(
    reports: Sequence[Report], x: Callable[[Row], int], on_front: Callable[[Row], bool]
) -> list[Series]:
    """Each study's front, as a line."""
    found = []
    for number, report in enumerate(reports):
        rows = sorted(filter(on_front, _with_most_labels(report)), key=x)
        if len(rows) > 1:
            name = "Pareto front" if len(reports) == 1 else f"{report.study}: front"
            colour = -1 if len(reports) == 1 else number
            found.append(Series(name, "line", colour, 0, tuple(_point(x(r), r) for r in rows)))
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


def _latent_dimensions(reports: Sequence[Report]) -> Chart:
    series = _by_representation(reports, lambda row: row.latent_dim, _with_most_labels)
    return Chart(
        name="accuracy_vs_latent_dim",
        title="Accuracy against the latent dimension",
        y_title=_accuracy_title(reports),
        log_x=True,
        panels=(_few_values("latent dimensions", series),),
        note="The most accurate configuration of each dimension. Bars are 95 % intervals of the "
        "mean over draws.",
    )


def _label_budgets(reports: Sequence[Report]) -> Chart:
    series = _by_representation(reports, lambda row: row.labels, lambda report: report.rows)
    return Chart(
        name="accuracy_vs_labels",
        title="Accuracy against the number of labels",
        y_title=_accuracy_title(reports),
        log_x=True,
        panels=(_few_values("labelled images", series),),
        note="The most accurate configuration of each representation. A budget's labels are the "
        "same for all, and so is its number of updates. Bars are 95 % intervals of the mean over "
        "draws.",
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
            if point.x not in best or point.accuracy > best[point.x].accuracy:
                best[point.x] = point
        factor = _BESIDE ** (number - (len(found) - 1) / 2)
        points = tuple(replace(best[x], x=x * factor) for x in sorted(best))
        moved.append(replace(series, kind="connected", points=points))
    return tuple(moved)


def _active_dimensions(reports: Sequence[Report]) -> Chart:
    """One mark for each draw of a configuration whose encoder's active dimensions are known."""
    found: list[Series] = []
    for report in reports:
        shown = {row.name for row in _with_most_labels(report)}
        kinds = dict.fromkeys((e.representation, e.latent_dim) for e in report.encoded)
        for name, latent_dim in kinds:
            points = tuple(
                Point(
                    draw.active_dimensions,
                    100 * draw.accuracy,
                    None,
                    None,
                    f"{draw.configuration}<br>draw {draw.draw + 1}: {100 * draw.accuracy:.2f} %"
                    f"<br>{draw.active_dimensions:.0f} active dimensions",
                )
                for draw in report.encoded
                if (draw.representation, draw.latent_dim) == (name, latent_dim)
                and draw.configuration in shown
            )
            label = f"{name} {latent_dim}"
            if len(reports) > 1:
                label = f"{report.study}: {label}"
            if points:
                found.append(Series(label, "measured", len(found), len(found), points))
    return Chart(
        name="accuracy_vs_active_dimensions",
        title="Accuracy against the encoder's active dimensions",
        y_title=_accuracy_title(reports),
        log_x=False,
        panels=(Panel("active latent dimensions of the encoder", tuple(found)),),
        note="One mark for each draw of a configuration: mean of its classifiers, which share the "
        "draw's encoder. A dimension is active if its mean varies with a variance above 0.01.",
    )


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


def _accuracy_title(reports: Sequence[Report]) -> str:
    scored_on = " or ".join(dict.fromkeys(report.scored_on for report in reports))
    return f"accuracy on the {scored_on} partition (%), stretched scale"
