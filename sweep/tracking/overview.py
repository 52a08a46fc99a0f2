"""A study at a glance: accuracy against the classifier's parameters, small enough for a list.

It has what MLflow holds of the trials alone, so that it can be drawn while a study runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from sweep.representations import REPRESENTATIONS

_WIDTH, _HEIGHT = 320, 232
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 30, 66
GREY = "#808080"  # legible on light and on dark
_TICKS = (0, 50, 80, 90, 95, 98, 99, 100, 20, 70, 97, 99.5, 10, 30, 40, 60, 75, 85)
"""Accuracies that may be named, the roundest first."""
_APART = 14
"""Pixels that two labels want between them."""
_BARE = 45
"""Pixels at an end of the axis that are not left without a label: a third of it."""
_CHARACTER = 6.5
"""Pixels that a character takes, about."""


class Dot(NamedTuple):
    """One configuration."""

    representation: str
    parameters: float
    """Of the classifier."""
    accuracy: float
    """A fraction."""
    colour: str
    on_front: bool
    labels: int
    """How many labelled images it was trained on."""


def overview(found: Sequence[Dot]) -> str:
    """An SVG of configurations; those on the front are filled, the others are rings.

    Accuracies stand on the stretched axis of the report's charts, parameters on a logarithmic one.
    Of label budgets, only the largest of each representation is shown: others are no match for it.
    """
    if not found:
        return _svg([_text(_WIDTH / 2, _HEIGHT / 2, "no trial is complete yet", "middle")])
    most: dict[str, int] = {}
    for mark in found:
        most[mark.representation] = max(mark.labels, most.get(mark.representation, 0))
    marks = [mark for mark in found if mark.labels == most[mark.representation]]
    xs = [math.log10(mark.parameters) for mark in marks]
    ys = [_stretched(100 * mark.accuracy) for mark in marks]
    x_low, x_high = _range(xs)
    y_low, y_high = _range(ys)

    def across(x: float) -> float:
        return _LEFT + (x - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def down(y: float) -> float:
        return _HEIGHT - _BOTTOM - (y - y_low) / (y_high - y_low) * (_HEIGHT - _TOP - _BOTTOM)

    heights = _apart([(down(_stretched(tick)), f"{tick:g} %") for tick in _TICKS])
    ends = {min(ys): min(marks, key=_accuracy), max(ys): max(marks, key=_accuracy)}
    for y, mark in ends.items():
        if all(abs(height - down(y)) > _BARE for height, _ in heights):
            heights = _apart([*heights, (down(y), f"{100 * mark.accuracy:.1f} %")])
    powers: Iterable[float] = range(math.ceil(x_low), math.floor(x_high) + 1)
    counts = _beside([(across(p), f"{10**p:,.0f}") for p in powers or sorted({min(xs), max(xs)})])
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    below = [
        "parameters of the classifier",
        "filled: on the front",
        _labels(most, is_part=len(marks) < len(found)),
    ]
    parts = [
        *(_line(height) for height, _ in heights),
        *(_text(_LEFT - 6, height + 4, name, "end") for height, name in heights),
        *(_text(x, _HEIGHT - _BOTTOM + 16, name, "middle") for x, name in counts),
        *_legend(marks),
        *(
            _text(middle, _HEIGHT - _BOTTOM + 30 + 15 * line, text, "middle")
            for line, text in enumerate(below)
        ),
    ]
    drawn = sorted(zip(marks, xs, ys, strict=True), key=lambda each: each[0].on_front)
    parts += [
        f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="{4.5 if mark.on_front else 3}" '
        f'fill="{mark.colour if mark.on_front else "none"}" stroke="{mark.colour}"/>'
        for mark, x, y in drawn
    ]
    return _svg(parts)


def _legend(marks: Sequence[Dot]) -> Iterator[str]:
    """The representations in their colours, in a line over the picture; in the registry's order."""
    order = {name: place for place, name in enumerate(REPRESENTATIONS)}
    shown = dict.fromkeys((mark.representation, mark.colour) for mark in marks)
    x = float(_LEFT)
    for name, colour in sorted(shown, key=lambda each: order.get(each[0], len(order))):
        yield f'<circle cx="{x + 4:.1f}" cy="10" r="4" fill="{colour}"/>'
        yield _text(x + 12, 14, escape(name), "start")
        x += 24 + _CHARACTER * len(name)


def _labels(most: Mapping[str, int], *, is_part: bool) -> str:
    """With how many labels representations stand there; the number of most of them comes first."""
    common = max(most.values(), key=list(most.values()).count)
    others = [f"{escape(name)} {labels:,}" for name, labels in most.items() if labels != common]
    said = ", ".join([f"{common:,} labels", *others])
    return f"only the largest budget: {said}" if is_part else said


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis, with a margin."""
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _apart(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Those ticks that lie on the axis, and not on one that was there before; from the top."""
    kept: list[tuple[float, str]] = []
    for place, name in ticks:
        is_inside = _TOP <= place <= _HEIGHT - _BOTTOM
        if is_inside and all(abs(place - other) >= _APART for other, _ in kept):
            kept.append((place, name))
    return sorted(kept)


def _beside(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Those ticks whose labels are whole in the picture, moved by a little, and not on another."""
    kept: list[tuple[float, str]] = []
    end = 0.0
    for place, name in ticks:
        half = _CHARACTER * len(name) / 2
        place = min(place, _WIDTH - half - 1)
        if place - half >= end:
            kept.append((place, name))
            end = place + half + _CHARACTER
    return kept


def _accuracy(mark: Dot) -> float:
    return mark.accuracy


def _stretched(percent: float) -> float:
    return -math.log10(100.5 - percent)


def _line(y: float) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GREY}" '
        'stroke-opacity="0.3"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{GREY}">{text}</text>'


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="11">'
        + "".join(parts)
        + "</svg>\n"
    )
