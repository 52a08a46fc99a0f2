"""What stands in a table's cells, as plain text. Accuracies are in percent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sweep.reports.rows import Row

NOTHING = "–"
ON_FRONT = "*"
INTERVAL, TEST_INTERVAL = "95 % interval of accuracy", "95 % interval of test"


@dataclass(frozen=True)
class Table:
    """A table with its title; without columns it is just its notes, a paragraph each."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    left: frozenset[str] = field(default=frozenset({"study", "configuration", "verdict"}))
    """Columns of text; those of numbers stand to the right."""

    @property
    def told(self) -> Table:
        """The same without the columns in which nothing stands."""
        return self.only(
            name
            for place, name in enumerate(self.columns)
            if not self.rows or any(row[place] != NOTHING for row in self.rows)
        )

    def only(self, names: Iterable[str]) -> Table:
        """The same with these of its columns, in their order."""
        places = [self.columns.index(name) for name in names if name in self.columns]
        return replace(
            self,
            columns=tuple(self.columns[place] for place in places),
            rows=tuple(tuple(row[place] for place in places) for row in self.rows),
        )


def replicates(row: Row) -> str:
    """Draws x classifiers."""
    return f"{row.n_draws} x {row.n_replicates // row.n_draws}"


def percent(fraction: float | None) -> str:
    """A fraction in percent, with two decimals."""
    return NOTHING if fraction is None else f"{100 * fraction:.2f}"


def accuracy(row: Row) -> str:
    """A row's accuracy in percent, with half the width of its interval if there is one."""
    if row.accuracy_ci_low is None or row.accuracy_ci_high is None:
        return percent(row.accuracy)
    half = 50 * (row.accuracy_ci_high - row.accuracy_ci_low)
    return f"{percent(row.accuracy)} ± {half:.2f}"


def gap(fraction: float | None) -> str:
    """A difference of accuracies in points, with its sign."""
    return NOTHING if fraction is None else f"{100 * fraction:+.2f}"


def marked(parameters: int, on_front: bool) -> str:
    """A number of parameters, with a mark if its row is on their front, or as much room."""
    return f"{parameters:,} {ON_FRONT if on_front else ' '}"


def nats(value: float) -> str:
    """A loss."""
    return f"{value:,.2f}" if value >= 10 else f"{value:.4f}"


def number(value: float | None) -> str:
    """A whole number."""
    return NOTHING if value is None else f"{value:,.0f}"


def between(low: float | None, high: float | None) -> str:
    """An interval of fractions, in percent."""
    return NOTHING if low is None or high is None else f"{percent(low)} to {percent(high)}"
