"""The curves that the notebook's cells printed, over ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweep.reports.charts.base import (
    STRETCHED_NOTE,
    Chart,
    Panel,
    Point,
    Series,
    accuracy_title,
    subject,
)
from sweep.reports.comparison import Report
from sweep.reports.printed import PrintedComparison, Quantity
from sweep.reports.style import number

_QUANTITIES: tuple[tuple[Quantity, str, float], ...] = (
    ("train_accuracy", "training", 0.5),
    ("val_accuracy", "scored partition", 0.0),
)
"""What is shown of classifiers, by its name and the tint of its representation's colour."""
_FIRST_LOSS = 2
"""The first epoch's loss may be hundreds of nats, of which the axis would be full."""


def printed_charts(reports: Sequence[Report]) -> Iterator[Chart]:
    """A chart of the encoder's losses, one of the classifiers' accuracies; only where there is any.

    Of one study: several would lie on top of each other.
    """
    if len(reports) != 1:
        return
    (report,) = reports
    losses = [each for each in report.printed if each.quantity == "loss"]
    if losses:
        yield _loss_chart(report, losses[0])
    configurations = dict.fromkeys(
        each.configuration for each in report.printed if each.quantity == "val_accuracy"
    )
    if configurations:
        yield _accuracy_chart(report, list(configurations))


def _loss_chart(report: Report, losses: PrintedComparison) -> Chart:
    vae = number("vae")
    ours = [
        Series(
            *("ours, a line for each draw", "line", vae, vae),
            _points(curve, 1, _FIRST_LOSS, f"draw {draw}, "),
        )
        for draw, curve in enumerate(losses.ours, start=1)
    ]
    printed = Series("printed", "published", vae, vae, _points(losses.printed, 1, _FIRST_LOSS))
    firsts = "; ".join(f"{curve[0]:,.0f}" for curve in losses.ours)
    return Chart(
        name="printed_encoder_loss",
        title="The VAE's loss at 10 dimensions: printed by the notebook, and ours",
        subject=subject([report]),
        y_title="loss (nats an image)",
        panels=(Panel("epoch", (*ours, printed)),),
        note="Means over each epoch's batches, from the second epoch on; the first was printed as "
        f"{losses.printed[0]:,.0f}; ours by draw: {firsts}." + _differs([losses]),
        is_accuracy=False,
    )


def _accuracy_chart(report: Report, configurations: Sequence[str]) -> Chart:
    found = {(each.configuration, each.quantity): each for each in report.printed}
    panels = []
    for name in configurations:
        series = []
        kind = name.split()[0]
        look = number(kind)
        for quantity, what, tint in _QUANTITIES:
            each = found[name, quantity]
            printed, ours = (f"{kind}, {whose}, {what}" for whose in ("printed", "ours"))
            points = _points(each.printed, 100)
            series += [
                Series(printed, "published", look, look, points, tint=tint),
                *(
                    Series(ours, "line", look, look, _points(curve, 100), tint=tint)
                    for curve in each.ours
                ),
            ]
        panels.append(Panel(f"{name}: epoch", tuple(series)))
    shown = [found[name, "val_accuracy"] for name in configurations]
    return Chart(
        name="printed_classifier_curves",
        title="The classifiers' accuracy by epoch: printed by the notebook, and ours",
        subject=subject([report]),
        y_title=accuracy_title([report]),
        panels=tuple(panels),
        note="Ours are means over all replicates, the printed ones single runs."
        + _differs(shown)
        + STRETCHED_NOTE,
    )


def _differs(shown: Sequence[PrintedComparison]) -> str:
    differs = dict.fromkeys(what for each in shown for what in each.differs)
    return f" Ours were trained with {'; '.join(differs)}." if differs else ""


def _points(
    curve: Sequence[float], scale: float, first: int = 1, of: str = ""
) -> tuple[Point, ...]:
    return tuple(
        Point(epoch, scale * value, None, None, f"{of}epoch {epoch}: {scale * value:.4g}")
        for epoch, value in enumerate(curve, start=1)
        if epoch >= first
    )
