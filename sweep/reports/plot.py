"""Accuracy against parameters, drawn with matplotlib from a report's rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweep.reports.comparison import Report
from sweep.reports.published import PUBLISHED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which colour-blind readers can tell apart; markers differ as well.
_STYLES = {"vae": ("#0072B2", "o"), "pixels": ("#D55E00", "s")}
_OTHERS = (("#009E73", "^"), ("#CC79A7", "v"), ("#56B4E9", "P"))
_WIDTH, _HEIGHT, _DPI = 8.0, 5.0, 150


def save_accuracy_vs_parameters(report: Report, directory: Path) -> list[Path]:
    """Draw ``accuracy_vs_parameters.png`` and ``.svg`` into a directory; the paths written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _draw(axes, report)
    paths = [directory / f"accuracy_vs_parameters.{suffix}" for suffix in ("png", "svg")]
    for path in paths:
        figure.savefig(path, dpi=_DPI)
    return paths


def _draw(axes: Axes, report: Report) -> None:
    names = list(dict.fromkeys(row.representation for row in report.rows))
    others = iter(_OTHERS)
    styles = {name: _STYLES.get(name) or next(others, ("#555555", "X")) for name in names}
    for name, (colour, marker) in styles.items():
        rows = [row for row in report.rows if row.representation == name]
        axes.plot(
            [row.classifier_parameters for row in rows],
            [100 * row.accuracy for row in rows],
            marker,
            color=colour,
            markersize=6,
            alpha=0.85,
            label=f"{name}, measured",
        )
        for row in rows:
            if row.accuracy_ci_low is not None and row.accuracy_ci_high is not None:
                axes.vlines(
                    row.classifier_parameters,
                    100 * row.accuracy_ci_low,
                    100 * row.accuracy_ci_high,
                    color=colour,
                    alpha=0.6,
                )
    for name, (colour, marker) in _STYLES.items():
        published = [row for row in PUBLISHED if row.representation == name]
        axes.plot(
            [row.classifier_parameters for row in published],
            [100 * row.accuracy for row in published],
            marker,
            markerfacecolor="none",
            markeredgecolor=colour,
            markersize=9,
            label=f"{name}, published" + ("" if report.is_mnist else " (all of MNIST)"),
        )
    axes.set_xscale("log")
    axes.set_xlabel("parameters of the classifier (log scale)")
    axes.set_ylabel(f"accuracy on the {report.scored_on} partition (%)")
    axes.set_title(f"Accuracy against parameters: study {report.study}")
    axes.grid(which="both", alpha=0.25)
    axes.legend(loc="lower right")
    if any(row.accuracy_ci_low is not None for row in report.rows):
        axes.annotate(
            "bars: 95 % intervals of the mean over draws",
            (0.01, 0.01),
            xycoords="axes fraction",
            fontsize="small",
        )
