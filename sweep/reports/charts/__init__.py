"""What the charts show, as plain rows; ``drawing`` and ``page`` draw them."""

from __future__ import annotations

from collections.abc import Sequence

from sweep.reports.charts.axes import Axis, Tick
from sweep.reports.charts.base import Chart, Panel, Point, Series
from sweep.reports.charts.best import label_budgets_chart, latent_dimensions_chart
from sweep.reports.charts.encoders import encoders_chart
from sweep.reports.charts.parameters import parameters_chart
from sweep.reports.charts.printed import printed_charts
from sweep.reports.comparison import Report

__all__ = ["Axis", "Chart", "Panel", "Point", "Series", "Tick", "charts"]


def charts(reports: Sequence[Report]) -> list[Chart]:
    """The charts of one study or several; only those that have anything to show, but for the first.

    Accuracy against parameters, against the latent dimension, against the number of labels, and
    against what the encoders came to, of several draws; and what the notebook printed over ours.
    """
    found = [parameters_chart(reports)]
    rows = [row for report in reports for row in report.rows]
    if len({row.latent_dim for row in rows if row.latent_dim is not None}) > 1:
        found.append(latent_dimensions_chart(reports))
    if len({row.label_budget for row in rows}) > 1:
        found.append(label_budgets_chart(reports))
    if any(draw.draw > 0 for report in reports for draw in report.encoded):
        found.append(encoders_chart(reports))
    found += printed_charts(reports)
    return found
