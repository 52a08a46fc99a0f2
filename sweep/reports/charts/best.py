"""The most accurate of each latent dimension, and of each number of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sweep.reports.charts.base import (
    MOST_NAMED,
    STRETCHED_NOTE,
    Chart,
    Panel,
    Point,
    Series,
    SeriesKind,
    accuracy_title,
    bars_note,
    subject,
)
from sweep.reports.charts.marks import budget_note, kinds, measured_series, row_point
from sweep.reports.comparison import Report
from sweep.reports.rows import Row
from sweep.reports.style import number
from sweep.specs import CLASSIFIER, variation

_BESIDE = 0.015
"""Between marks that stand beside each other instead of on each other, in parts of the axis."""


def latent_dimensions_chart(reports: Sequence[Report]) -> Chart:
    """The most accurate row of each latent dimension and each kind of encoder."""
    every = measured_series(reports, lambda row: row.latent_dim, apart=_encoder_settings)
    panel = _few_values("latent dimensions", every, "measured")
    are_alike = len({each.colour for each in every}) < len(every)
    if are_alike:
        panel = replace(panel, series=tuple(_apart(panel.series)))
    return Chart(
        name="accuracy_vs_latent_dim",
        title="Accuracy against the latent dimension",
        subject=subject(reports),
        y_title=accuracy_title(reports),
        panels=(panel,),
        note="The most accurate configuration of each dimension"
        + _selected_from(every)
        + (" What has the same dimension stands a little apart." if are_alike else "")
        + bars_note([panel])
        + budget_note(reports)
        + STRETCHED_NOTE,
        log_x=True,
    )


def label_budgets_chart(reports: Sequence[Report]) -> Chart:
    """The most accurate row of each representation with each number of labels."""
    series = []
    for report, name, symbol in kinds(reports):
        rows = [row for row in report.rows if row.representation == name]
        label = name if len(reports) == 1 else f"{report.study}: {name}"
        points = tuple(row_point(row.labels, row) for row in rows)
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


def _few_values(title: str, series: Sequence[Series], kind: SeriesKind) -> Panel:
    """A panel of each series' most accurate points; its x has the values that rows have."""
    values = sorted({int(point.x) for each in series for point in each.points})
    few = tuple(values) if len(values) <= MOST_NAMED else ()
    return Panel(title, tuple(_best(each, kind) for each in series), few)


def _best(series: Series, kind: SeriesKind) -> Series:
    """Its most accurate point of each x, which says of how many it is that."""
    points = [
        replace(best, text=f"{best.text}<br>the most accurate of {len(of_x)}")
        for of_x in _by_x(series)
        for best in [max(of_x, key=lambda point: point.y)]
    ]
    return replace(series, kind=kind, points=tuple(points))


def _encoder_settings(row: Row) -> str:
    """What its study varied of a row's encoder, as it stands in its name."""
    settings = row.varied.items()
    return variation(item for item in settings if not item[0].startswith(CLASSIFIER))


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
