"""Accuracy against parameters, drawn with matplotlib from a report's rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.reports.comparison import Report, Row
from sweep.reports.published import PUBLISHED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which colour-blind readers can tell apart; markers differ as well.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555")
_STYLES = {"vae": ("#0072B2", "o"), "pixels": ("#D55E00", "s"), "pca": ("#009E73", "^")}
_OTHERS = (("#CC79A7", "v"), ("#56B4E9", "P"))
_WIDTH, _HEIGHT, _DPI = 8.0, 5.0, 150


def save_accuracy_vs_parameters(reports: Sequence[Report], directory: Path) -> list[Path]:
    """Draw ``accuracy_vs_parameters.png`` and ``.svg`` into a directory; the paths written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _draw(axes, reports)
    paths = [directory / f"accuracy_vs_parameters.{suffix}" for suffix in ("png", "svg")]
    for path in paths:
        figure.savefig(path, dpi=_DPI)
    return paths


def _draw(axes: Axes, reports: Sequence[Report]) -> None:
    several = len(reports) > 1
    rows = [row for report in reports for row in report.rows]
    others = iter(_OTHERS)
    styles = {
        name: _STYLES.get(name) or next(others, (_COLOURS[-1], "X"))
        for name in dict.fromkeys(row.representation for row in rows)
    }
    # One study's colours tell the representations apart; those of several, the studies.
    for number, report in enumerate(reports):
        for name, (colour, marker) in styles.items():
            found = [row for row in report.rows if row.representation == name]
            if found:
                _draw_measured(
                    axes,
                    found,
                    _COLOURS[number % len(_COLOURS)] if several else colour,
                    marker,
                    f"{report.study}: {name}" if several else f"{name}, measured",
                )
    is_mnist = all(report.is_mnist for report in reports)
    for name in dict.fromkeys(row.representation for row in PUBLISHED):
        colour, marker = _STYLES[name]
        published = [row for row in PUBLISHED if row.representation == name]
        axes.plot(
            [row.classifier_parameters for row in published],
            [100 * row.accuracy for row in published],
            marker,
            markerfacecolor="none",
            markeredgecolor="#555555" if several else colour,
            markersize=9,
            label=f"{name}, published" + ("" if is_mnist else " (all of MNIST)"),
        )
    scored_on = " or ".join(dict.fromkeys(report.scored_on for report in reports))
    studies = ", ".join(report.study for report in reports)
    axes.set_xscale("log")
    axes.set_xlabel("parameters of the classifier (log scale)")
    axes.set_ylabel(f"accuracy on the {scored_on} partition (%)")
    axes.set_title(f"Accuracy against parameters: {'studies' if several else 'study'} {studies}")
    axes.grid(which="both", alpha=0.25)
    axes.legend(loc="lower right")
    if any(row.accuracy_ci_low is not None for row in rows):
        axes.annotate(
            "bars: 95 % intervals of the mean over draws",
            (0.01, 0.01),
            xycoords="axes fraction",
            fontsize="small",
        )


def _draw_measured(axes: Axes, rows: Sequence[Row], colour: str, marker: str, label: str) -> None:
    axes.plot(
        [row.classifier_parameters for row in rows],
        [100 * row.accuracy for row in rows],
        marker,
        color=colour,
        markersize=6,
        alpha=0.85,
        label=label,
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
