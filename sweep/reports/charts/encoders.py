"""Accuracy against what encoders came to: their loss, and their active dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sweep.reports.charts.accuracy import with_most_labels
from sweep.reports.charts.base import Chart, Panel, Point, Series, accuracy_title
from sweep.reports.comparison import Report
from sweep.reports.encoders import EXPLANATIONS, EncodedDraw, EncoderFit, Explanation

_TITLES: dict[Explanation, str] = {
    "loss": "loss of the encoder (nats an image)",
    "active_dimensions": "active latent dimensions of the encoder",
}
_LINE_POINTS = 20


def encoders_chart(reports: Sequence[Report]) -> Chart:
    """One mark for each draw of a configuration whose encoder is known, and lines through them."""
    panels = tuple(
        Panel(_TITLES[over], series) for over in EXPLANATIONS if (series := _series(reports, over))
    )
    note = (
        "One mark for each draw of a configuration: mean of its classifiers, which share the "
        "draw's encoder. A dimension is active if its mean varies with a variance above 0.01."
    )
    if any(each.kind == "line" for panel in panels for each in panel.series):
        note += " Lines are least-squares fits over the draws of one configuration."
    return Chart(
        name="accuracy_vs_encoder",
        title="Accuracy against the encoder's loss and active dimensions",
        y_title=accuracy_title(reports),
        panels=panels,
        note=note,
    )


def _series(reports: Sequence[Report], over: Explanation) -> tuple[Series, ...]:
    """The draws by representation and latent dimension, smaller dimensions first."""
    found: list[Series] = []
    for report in reports:
        shown = {(row.name, row.labels) for row in with_most_labels(report)}
        draws = [d for d in report.encoded if (d.configuration, d.labels) in shown]
        kinds = sorted({(draw.representation, draw.latent_dim or 0) for draw in draws})
        for kind in kinds:
            of_it = [d for d in draws if (d.representation, d.latent_dim or 0) == kind]
            points = tuple(
                _point(x, draw, over) for draw in of_it if (x := getattr(draw, over)) is not None
            )
            if not points:
                continue
            place = len({series.name for series in found if series.kind == "measured"})
            label = f"{kind[0]} {kind[1]}"
            if len(reports) > 1:
                label = f"{report.study}: {label}"
            found.append(Series(label, "measured", place, place, points))
            names = {(draw.configuration, draw.labels) for draw in of_it}
            xs = [point.x for point in points]
            found += [
                Series(label, "line", place, 0, _line(fit, min(xs), max(xs)))
                for fit in report.encoder_fits
                if fit.over == over and (fit.configuration, fit.labels) in names
            ]
    return tuple(found)


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
