"""Where the parts of a chart's picture stand: title, legend, panels, axes and note.

Everything is in points, 72 an inch, from the lower left corner. What is written is as wide as
matplotlib will draw it, so nothing is wider than what it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from sweep.reports.charts import Axis, Chart, Panel, Tick

TITLE, BODY, SMALL, TINY = 10.5, 8.0, 7.0, 6.5
"""Sizes of what is written, in points."""
LINE = 1.3
"""Height of a line, in sizes of its text."""
HANDLE = 16.0
"""Width of a legend's mark."""
MARGIN = 0.07
"""Of an axis, beyond the lowest and the highest value, in parts of their distance."""
_EDGE, _GAP = 5.0, 9.0
_BETWEEN_PANELS = 22.0
_TICK = 5.0
"""From an axis to its numbers."""
_DIGIT = "0"


@dataclass(frozen=True)
class Width:
    """How wide a picture is, and what that makes of it."""

    suffix: str
    """At the end of its files' names."""
    points: float
    across: int
    """So many panels stand side by side; more stand below."""
    panel_height: float


TWO_COLUMNS = Width("", 7.2 * 72, 2, 2.9 * 72)
"""A page of a paper that is set in two columns, or a screen."""
ONE_COLUMN = Width("_column", 3.5 * 72, 1, 2.3 * 72)
"""One of its columns, or a phone."""


@dataclass(frozen=True)
class Text:
    """Lines of text that begin at the left of ``x`` and below ``y``, or are centred on ``x``."""

    lines: tuple[str, ...]
    size: float
    x: float
    y: float

    @property
    def height(self) -> float:
        """Of all lines together."""
        return len(self.lines) * self.size * LINE


@dataclass(frozen=True)
class Frame:
    """A panel's axes and what is written about them."""

    panel: Panel
    x_axis: Axis
    left: float
    bottom: float
    width: float
    height: float
    x_ticks: tuple[Tick, ...]
    x_title: Text
    y_title: Text | None
    """Only at the left of a row of panels, as are the numbers of the axis."""

    def along(self, place: float) -> float:
        """How far right of the frame's left a place of the x axis is."""
        return self.width * (place + MARGIN) / (1 + 2 * MARGIN)

    def up(self, place: float) -> float:
        """How far above the frame's bottom a place of the y axis is."""
        return self.height * (place + MARGIN) / (1 + 2 * MARGIN)


@dataclass(frozen=True)
class Sheet:
    """All of a picture."""

    width: float
    height: float
    title: Text
    subject: Text
    legend_top: float
    legend_columns: int
    y_ticks: tuple[Tick, ...]
    frames: tuple[Frame, ...]
    note: Text


def lay_out(chart: Chart, width: Width) -> Sheet:
    """The sheet of a chart: as wide as is asked for, and as high as it takes."""
    inside = width.points - 2 * _EDGE
    top = -_EDGE  # everything hangs below the top, whose height is not known yet
    title = Text(wrapped(chart.title, TITLE, inside), TITLE, _EDGE, top)
    top -= title.height
    subject = Text(wrapped(chart.subject, BODY, inside), BODY, _EDGE, top)
    top -= subject.height + _GAP / 2
    legend_top, names = top, [series.name for series in chart.legend]
    widest = max((_width(name, BODY) for name in names), default=0) + HANDLE + 3 * BODY
    columns = max(1, min(len(names), int(inside // widest)))
    top -= ceil(len(names) / columns) * BODY * LINE + _GAP
    y_axis = chart.y_axis
    inner = width.panel_height / (1 + 2 * MARGIN)
    y_ticks = y_axis.ticks(inner / (SMALL * LINE), upright=True)
    frames: list[Frame] = []
    for row in _rows(chart.panels, width.across):
        placed = list(_row(chart, row, y_ticks, width, top))
        frames += placed
        top = min(frame.x_title.y - frame.x_title.height for frame in placed) - _GAP
    note = Text(wrapped(chart.note, SMALL, inside), SMALL, _EDGE, top)
    height = _EDGE + note.height - top
    return Sheet(
        width.points, height, title, subject, legend_top, columns, y_ticks, tuple(frames), note
    )


def _rows(panels: Sequence[Panel], across: int) -> Iterator[Sequence[Panel]]:
    for first in range(0, len(panels), across):
        yield panels[first : first + across]


def _row(
    chart: Chart, panels: Sequence[Panel], y_ticks: Sequence[Tick], width: Width, top: float
) -> Iterator[Frame]:
    """Panels side by side below ``top``, one y axis at their left."""
    left = _EDGE + max(_width(tick.label, SMALL) for tick in y_ticks) + _TICK + 2
    right = width.points - _EDGE - _GAP
    each = (right - left - _BETWEEN_PANELS * (len(panels) - 1)) / len(panels)
    y_title = Text(wrapped(chart.y_title, BODY, right - _EDGE), BODY, _EDGE, top)
    bottom = top - y_title.height - _GAP / 2 - width.panel_height
    for place, panel in enumerate(panels):
        start = left + place * (each + _BETWEEN_PANELS)
        x_axis = chart.x_axis(panel)
        room = each / (1 + 2 * MARGIN) / _width(_DIGIT, SMALL)
        below = bottom - _TICK - SMALL * LINE - 1
        yield Frame(
            panel=panel,
            x_axis=x_axis,
            left=start,
            bottom=bottom,
            width=each,
            height=width.panel_height,
            x_ticks=x_axis.ticks(room),
            x_title=Text(wrapped(panel.x_title, BODY, each), BODY, start + each / 2, below),
            y_title=None if place else y_title,
        )


def wrapped(text: str, size: float, width: float) -> tuple[str, ...]:
    """Text in lines that are no wider than this; only a single word may be."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


@lru_cache(maxsize=4096)
def _width(text: str, size: float) -> float:
    """How wide matplotlib draws a text, in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def text_size(text: str, size: float) -> tuple[float, float]:
    """Width and height of a line, in points."""
    return _width(text, size), size * LINE
