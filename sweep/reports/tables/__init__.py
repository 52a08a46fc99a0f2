"""The report's tables, as plain text in cells; ``render`` and ``page`` draw them.

Every table is of one study, but for the comparison, which may hold several.
"""

from __future__ import annotations

from sweep.reports.tables.cells import (
    INTERVAL,
    NOTHING,
    Table,
    accuracy,
    gap,
    marked,
    percent,
    replicates,
)
from sweep.reports.tables.comparison import (
    comparison_table,
    further_tables,
    is_compared,
    legend,
    notes,
    report_rows,
)

__all__ = [
    "INTERVAL",
    "NOTHING",
    "Table",
    "accuracy",
    "comparison_table",
    "further_tables",
    "gap",
    "is_compared",
    "legend",
    "marked",
    "notes",
    "percent",
    "replicates",
    "report_rows",
]
