"""The curves that the notebook's cells printed, over ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sweep.reports.charts.base import Chart, Panel, Point, Series, accuracy_title
from sweep.reports.comparison import Report
from sweep.reports.printed import PrintedComparison, Quantity

_PRINTED = -1
_QUANTITIES: tuple[tuple[Quantity, str, int], ...] = (
    ("train_accuracy", "training", 4),
    ("val_accuracy", "scored partition", 0),
)
"""What is shown of classifiers, by its name and colour."""
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
        yield _loss_chart(losses[0])
    configurations = dict.fromkeys(
        each.configuration for each in report.printed if each.quantity == "val_accuracy"
    )
    if configurations:
        yield _accuracy_chart(report, list(configurations))


def _loss_chart(losses: PrintedComparison) -> Chart:
    ours = [
        Series(f"ours, draw {draw + 1}", "line", draw, 0, _points(curve, 1, _FIRST_LOSS))
        for draw, curve in enumerate(losses.ours)
    ]
    printed = Series("printed", "published", _PRINTED, 0, _points(losses.printed, 1, _FIRST_LOSS))
    firsts = ", ".join(f"{curve[0]:,.0f}" for curve in losses.ours)
    return Chart(
        name="printed_encoder_loss",
        title="The VAE's loss at 10 dimensions: printed by the notebook, and ours",
        y_title="loss (nats an image)",
        panels=(Panel("epoch", (*ours, printed)),),
        note="Means over each epoch's batches, from the second epoch on; the first was printed as "
        f"{losses.printed[0]:,.0f}, and is {firsts} here." + _differs([losses]),
        is_accuracy=False,
    )


def _accuracy_chart(report: Report, configurations: Sequence[str]) -> Chart:
    found = {(each.configuration, each.quantity): each for each in report.printed}
    panels = []
    for name in configurations:
        series = []
        for quantity, what, colour in _QUANTITIES:
            each = found[name, quantity]
            series += [
                Series(f"printed, {what}", "published", colour, 0, _points(each.printed, 100)),
                *(
                    Series(f"ours, {what}", "line", colour, 0, _points(curve, 100))
                    for curve in each.ours
                ),
            ]
        panels.append(Panel(f"{name}: epoch", tuple(series)))
    shown = [found[name, "val_accuracy"] for name in configurations]
    return Chart(
        name="printed_classifier_curves",
        title="The classifiers' accuracy by epoch: printed by the notebook, and ours",
        y_title=accuracy_title([report]),
        panels=tuple(panels),
        note="Ours are means over all replicates, the printed ones single runs." + _differs(shown),
    )


def _differs(shown: Sequence[PrintedComparison]) -> str:
    differs = dict.fromkeys(what for each in shown for what in each.differs)
    return f" Ours were trained with {'; '.join(differs)}." if differs else ""


def _points(curve: Sequence[float], scale: float, first: int = 1) -> tuple[Point, ...]:
    return tuple(
        Point(epoch, scale * value, None, None, f"epoch {epoch}: {scale * value:.4g}")
        for epoch, value in enumerate(curve, start=1)
        if epoch >= first
    )
