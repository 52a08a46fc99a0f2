"""Accuracy against what encoders came to: their loss, and their active dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from sweep.reports.charts.base import (
    MOST_NAMED,
    STRETCHED_NOTE,
    Chart,
    Panel,
    Point,
    Series,
    accuracy_title,
    subject,
)
from sweep.reports.charts.marks import tint, with_most_labels
from sweep.reports.comparison import Report
from sweep.reports.encoders import EXPLANATIONS, EncodedDraw, EncoderFit, Explanation
from sweep.reports.style import number

_TITLES: dict[Explanation, str] = {
    "loss": "loss of the encoder (nats an image)",
    "active_dimensions": "active latent dimensions of the encoder",
}
_SHORT: dict[Explanation, str] = {"loss": "loss", "active_dimensions": "active dimensions"}
_LINE_POINTS = 20


def encoders_chart(reports: Sequence[Report]) -> Chart:
    """One mark for each draw of a configuration whose encoder is known, and lines through them."""
    shown = [over for over in EXPLANATIONS if any(_known(reports, over))]
    panels = tuple(_panel(reports, over) for over in shown)
    note = (
        "One mark for each draw of a configuration: mean of its classifiers, which share the "
        "draw's encoder. The more latent dimensions, the darker."
    )
    if "active_dimensions" in shown:
        note += " A dimension is active if its mean varies with a variance above 0.01."
    if any(each.kind == "line" for panel in panels for each in panel.series):
        note += " Lines are least-squares fits over the draws of one configuration"
        note += ", where r is farther from 0 than chance would have it (5 %)."
    elif any(report.encoder_fits for report in reports):
        note += " No line is drawn: no r is farther from 0 than chance would have it (5 %)."
    return Chart(
        name="accuracy_vs_encoder",
        title=f"Accuracy against the encoder's {' and '.join(_SHORT[over] for over in shown)}",
        subject=subject(reports),
        y_title=accuracy_title(reports),
        panels=panels,
        note=note + STRETCHED_NOTE,
    )


def _known(reports: Sequence[Report], over: Explanation) -> Iterator[float]:
    """What is known of encoders, among the rows with the most labels."""
    for report in reports:
        for draw in _draws(report):
            if (x := getattr(draw, over)) is not None:
                yield x


def _kind(draw: EncodedDraw) -> tuple[str, int]:
    return draw.representation, draw.latent_dim or 0


def _draws(report: Report) -> list[EncodedDraw]:
    shown = {(row.name, row.labels) for row in with_most_labels(report)}
    return [draw for draw in report.encoded if (draw.configuration, draw.labels) in shown]


def _panel(reports: Sequence[Report], over: Explanation) -> Panel:
    """The draws by representation and latent dimension, smaller dimensions first."""
    found: list[Series] = []
    for study, report in enumerate(reports):
        draws = _draws(report)
        kinds = sorted({(draw.representation, draw.latent_dim or 0) for draw in draws})
        for name, latent_dim in kinds:
            dims = [dim for other, dim in kinds if other == name]
            place = dims.index(latent_dim)
            of_it = [
                d for d in draws if (d.representation, d.latent_dim or 0) == (name, latent_dim)
            ]
            points = tuple(
                _point(x, draw, over) for draw in of_it if (x := getattr(draw, over)) is not None
            )
            if not points:
                continue
            kind = f"{name} {latent_dim}"
            label = kind if len(reports) == 1 else f"{report.study}: {kind}"
            marks = Series(
                label,
                "measured",
                number(name),
                place if len(reports) == 1 else study,
                points,
                tint=tint(len(dims) - 1 - place, len(dims)),
            )
            names = {(draw.configuration, draw.labels) for draw in of_it}
            xs = [point.x for point in points]
            found.append(marks)
            fits = (
                fit
                for fit in report.encoder_fits
                if fit.is_told and fit.over == over and (fit.configuration, fit.labels) in names
            )
            found += [
                replace(
                    marks,
                    name=f"{label}{fit.configuration.removeprefix(kind)}, "
                    f"{_SHORT[over]}: r = {fit.correlation:.2f}",
                    kind="line",
                    points=_line(fit, min(xs), max(xs)),
                    dashes=dashes,
                )
                for dashes, fit in enumerate(fits)
            ]
    values = sorted({int(x) for x in _known(reports, over)} if over == "active_dimensions" else ())
    return Panel(_TITLES[over], tuple(found), tuple(values) if len(values) <= MOST_NAMED else ())


def _point(x: float, draw: EncodedDraw, over: Explanation) -> Point:
    what = f"loss {x:.2f} nats" if over == "loss" else f"{x:.0f} active dimensions"
    return Point(
        x,
        100 * draw.accuracy,
        None,
        None,
        f"{draw.configuration}<br>draw {draw.draw + 1}: {100 * draw.accuracy:.2f} %<br>{what}",
    )


def _line(fit: EncoderFit, low: float, high: float) -> tuple[Point, ...]:
    """A straight line, which the stretched axis bends, where it is an accuracy."""
    values = [
        (x, 100 * (fit.intercept + fit.slope * x)) for x in np.linspace(low, high, _LINE_POINTS)
    ]
    return tuple(Point(float(x), y, None, None, fit.reading) for x, y in values if 0 <= y <= 100)
