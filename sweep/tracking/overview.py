"""A study at a glance: accuracy against the classifier's parameters, small enough for a list.

It has what MLflow holds of the trials alone, so that it can be drawn while a study runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _HEIGHT = 320, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 30, 34
_GREY = "#808080"  # legible on light and on dark
_TICKS = (0, 20, 50, 70, 80, 90, 95, 97, 98, 99, 99.5, 100)
_APART = 14
"""Pixels that two labels want between them."""
_CHARACTER = 6.5
"""Pixels that a character takes, about."""


class Mark(NamedTuple):
    """One configuration."""

    representation: str
    parameters: float
    """Of the classifier."""
    accuracy: float
    """A fraction."""
    colour: str
    on_front: bool


def overview(marks: Sequence[Mark]) -> str:
    """An SVG of configurations; those on the front are whole, the others pale.

    Accuracies stand on the stretched axis of the report's charts, parameters on a logarithmic one.
    """
    if not marks:
        return _svg([_text(_WIDTH / 2, _HEIGHT / 2, "no trial is complete yet", "middle")])
    xs = [math.log10(mark.parameters) for mark in marks]
    ys = [_stretched(100 * mark.accuracy) for mark in marks]
    x_low, x_high = _range(xs)
    y_low, y_high = _range(ys)

    def across(x: float) -> float:
        return _LEFT + (x - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def down(y: float) -> float:
        return _HEIGHT - _BOTTOM - (y - y_low) / (y_high - y_low) * (_HEIGHT - _TOP - _BOTTOM)

    heights = _apart([(down(_stretched(tick)), f"{tick:g} %") for tick in _TICKS])
    if len(heights) < 2:
        ends = {min(ys): min(marks, key=_accuracy), max(ys): max(marks, key=_accuracy)}
        heights = _apart([(down(y), f"{100 * mark.accuracy:.1f} %") for y, mark in ends.items()])
    powers: Iterable[float] = range(math.ceil(x_low), math.floor(x_high) + 1)
    parts = [
        *(_line(height) for height, _ in heights),
        *(_text(_LEFT - 6, height + 4, name, "end") for height, name in heights),
        *(
            _text(across(power), _HEIGHT - 18, f"{10**power:,.0f}", "middle")
            for power in powers or sorted({min(xs), max(xs)})
        ),
        *_legend(marks),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, "parameters of the classifier", "middle"),
    ]
    drawn = sorted(zip(marks, xs, ys, strict=True), key=lambda each: each[0].on_front)
    parts += [
        f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="{4.5 if mark.on_front else 3.5}" '
        f'fill="{mark.colour}" fill-opacity="{1 if mark.on_front else 0.45}"/>'
        for mark, x, y in drawn
    ]
    return _svg(parts)


def _legend(marks: Sequence[Mark]) -> Iterator[str]:
    """The representations in their colours, in a line over the picture."""
    x = float(_LEFT)
    for name, colour in dict.fromkeys((mark.representation, mark.colour) for mark in marks):
        yield f'<circle cx="{x + 4:.1f}" cy="10" r="4" fill="{colour}"/>'
        yield _text(x + 12, 14, escape(name), "start")
        x += 24 + _CHARACTER * len(name)


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis, with a margin."""
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _apart(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Those ticks that lie on the axis, the highest first, and not on each other."""
    kept: list[tuple[float, str]] = []
    for place, name in sorted(ticks):
        is_inside = _TOP <= place <= _HEIGHT - _BOTTOM
        if is_inside and (not kept or place - kept[-1][0] >= _APART):
            kept.append((place, name))
    return kept


def _accuracy(mark: Mark) -> float:
    return mark.accuracy


def _stretched(percent: float) -> float:
    return -math.log10(100.5 - percent)


def _line(y: float) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_GREY}" '
        'stroke-opacity="0.3"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_GREY}">{text}</text>'


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="11">'
        + "".join(parts)
        + "</svg>\n"
    )
