"""Reports in LaTeX: the tables and the charts, to be read into a document.

Nothing is wider than the text of LaTeX's own article, 345 points: a table that would be has smaller
print, and one that still would be stands in parts.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sweep.reports.charts import Chart
from sweep.reports.comparison import Report
from sweep.reports.tables import Table, comparison_table, further_tables

_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "/": r"/\allowbreak{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "→": r"$\rightarrow$",
    "±": r"$\pm$",
    "–": "--",
    "…": r"\dots{}",
}

_TEXT_WIDTH = 345.0
_SIZES = (("footnotesize", 8.0), ("scriptsize", 7.0))
_COLUMN_GAP = 5.0
_HEADING = 8
"""Characters that a line of a heading may have in any case."""
_FOLDED = 90.0
"""Text in a cell that is wider than this may be folded."""
_WIDTHS = {
    **dict.fromkeys("mwMW%@", 0.9),
    **dict.fromkeys("→±…", 1.1),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&+=<>", 0.8),
    **dict.fromkeys(" ,.:;'ijl|()I", 0.35),
}
"""Widths of characters in ems, of Computer Modern in small sizes; of the others:"""
_WIDTH = 0.57


def to_latex(reports: Sequence[Report], charts: Sequence[Chart] = ()) -> str:
    """The report in LaTeX.

    Args:
        reports: of one study or several.
        charts: those whose pictures lie beside the document.
    """
    lines = [
        r"% Needs \usepackage{booktabs,graphicx,longtable} and an input encoding of UTF-8. Where",
        r"% the pictures lie somewhere else: \graphicspath{{report/}}. In a paper of two columns,",
        r"% figure* is as wide as the page; NAME_column.pdf is made for one of them.",
    ]
    first, *further = [comparison_table(reports), *further_tables(reports)]
    lines += [*_section(first), *(line for chart in charts for line in _figure(chart))]
    lines += [line for table in further for line in _section(table)]
    return "\n".join(lines)


def _figure(chart: Chart) -> list[str]:
    return [
        "",
        r"\begin{figure}[htbp]",
        r"\centering",
        rf"\includegraphics[width=\linewidth]{{{chart.name}}}",
        rf"\caption{{{_escaped(f'{chart.title}: {chart.subject}.')}}}",
        r"\end{figure}",
    ]


def _section(table: Table) -> Iterator[str]:
    yield from ("", rf"\paragraph{{{_escaped(table.title)}}}")
    if table.columns:
        yield from _table(table)
    yield ""
    if table.notes:
        notes = "\n\n".join(map(_escaped, table.notes))
        yield from (rf"{{\sloppy {notes}\par}}", "")


def _table(table: Table) -> Iterator[str]:
    """The table in the largest print in which it fits, or in parts with the same first columns."""
    every = [_column(table, place) for place in range(len(table.columns))]
    for size, points in _SIZES:
        if _total(every, points) <= _TEXT_WIDTH:
            yield from _part(every, size, points)
            return
    keys = [column for column in every if column.is_key]
    parts: list[list[_Column]] = [[]]
    for column in every[len(keys) :]:
        if parts[-1] and _total([*keys, *parts[-1], column], points) > _TEXT_WIDTH:
            parts.append([])
        parts[-1].append(column)
    for part in parts:
        yield from _part([*keys, *part], size, points)


@dataclass(frozen=True)
class _Column:
    heading: tuple[str, ...]
    """Its lines, one above the other."""
    cells: tuple[str, ...]
    is_text: bool
    is_key: bool
    """Whether it leads the table and says what a row is of."""

    def width(self, points: float) -> float:
        """At most, in print of this size."""
        widest = max(_points(cell, points) for cell in ("", *self.cells))
        heading = max(_points(word, points) for word in self.heading)
        return max(heading, min(widest, _FOLDED) if self.is_text else widest)

    def is_folded(self, points: float) -> bool:
        """Whether any text in it takes several lines."""
        return self.is_text and max(_points(cell, points) for cell in ("", *self.cells)) > _FOLDED


def _column(table: Table, place: int) -> _Column:
    name, cells = table.columns[place], tuple(row[place] for row in table.rows)
    width = max(_HEADING, *map(len, name.split()), *map(len, cells))
    return _Column(
        heading=tuple(textwrap.wrap(name, width, break_long_words=False)),
        cells=cells,
        is_text=name in table.left,
        is_key=place == 0 or all(each in table.left for each in table.columns[: place + 1]),
    )


def _total(columns: Sequence[_Column], points: float) -> float:
    return sum(column.width(points) + _COLUMN_GAP for column in columns)


def _part(columns: Sequence[_Column], size: str, points: float) -> Iterator[str]:
    spare = _TEXT_WIDTH - _total(columns, points)
    folded = sum(column.is_folded(points) for column in columns)
    kinds = ""
    for column in columns:
        width = column.width(points) + spare / max(1, folded)
        text = rf"p{{{width / _TEXT_WIDTH:.2f}\linewidth}}" if column.is_folded(points) else "l"
        kinds += text if column.is_text else "r"
    rows = zip(*(column.cells for column in columns), strict=True)
    yield from (
        rf"{{\{size}\setlength{{\tabcolsep}}{{{_COLUMN_GAP / 2}pt}}",
        rf"\begin{{longtable}}{{@{{}}{kinds}@{{}}}}",
        r"\toprule",
        " & ".join(map(_heading, columns)) + r" \\",
        r"\midrule",
        r"\endhead",
        *(" & ".join(map(_escaped, row)) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{longtable}}",
    )


def _heading(column: _Column) -> str:
    side = "l" if column.is_text else "r"
    return rf"\shortstack[{side}]{{" + r"\\".join(map(_escaped, column.heading)) + "}"


def _points(text: str, size: float) -> float:
    """How wide a text is at most."""
    return size * sum(_WIDTHS.get(character, _WIDTH) for character in text)


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
