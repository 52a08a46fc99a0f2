"""Where values stand on an axis, and which of them are named: one law for all who draw.

Names never touch each other; the lowest and the highest part of what is shown have one each, and no
long stretch between them has none, as far as there is room.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

Scale = Literal["linear", "logarithmic", "stretched"]

END, STRETCH = 0.15, 0.35
"""Parts of an axis: within which of its ends there is a name, and how far names lie apart."""
_FILLED, _APART = 0.25, 0.1
"""Where no regular values will do, what is longer has another name in it, so far from its ends."""
_CHARACTER_GAP, _LINE_GAP = 0.8, 0.4
"""Between two names that follow each other, in characters, and that stand above each other, in
lines."""
_EMPTY: Mapping[Scale, Sequence[float]] = {
    "linear": (0, 1),
    "logarithmic": (1, 10),
    "stretched": (0, 100),
}
_DIGITS = ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10)))
_MOST = 60
"""Multiples are not looked for beyond so many."""
_THOUSAND, _MILLION = 1e3, 1e6


@dataclass(frozen=True)
class Tick:
    """A value that is named on an axis."""

    value: float
    label: str


@dataclass(frozen=True)
class Axis:
    """An axis over the values from ``low`` to ``high``.

    The stretched scale is one of accuracies in percent: see :func:`stretched`.
    """

    scale: Scale
    low: float
    high: float
    few: tuple[float, ...] = ()
    """Where there are only few values, these, in order; no other is named."""

    @classmethod
    def over(cls, values: Iterable[float], scale: Scale, few: Sequence[float] = ()) -> Axis:
        """The axis that shows all of these; of a single value also what lies about it."""
        shown = sorted(values) or _EMPTY[scale]
        low, high = shown[0], shown[-1]
        if scale == "stretched" and high - low < 0.2:
            low, high = max(0.0, low - 0.5), min(100.0, high + 0.5)
        elif scale == "logarithmic" and high < 1.02 * low:
            low, high = low / 1.1, high * 1.1
        elif scale == "linear" and high - low < (least := max(0.1, 1e-3 * abs(high))):
            low, high = low - 5 * least, high + 5 * least
        return cls(scale, low, high, tuple(few))

    def height(self, value: float) -> float:
        """A value on the scale, in units of its own."""
        if self.scale == "stretched":
            return stretched(value)
        return math.log10(value) if self.scale == "logarithmic" else value

    def place(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high one."""
        start, end = self._ends
        return (self.height(value) - start) / (end - start)

    def value(self, place: float) -> float:
        """What lies at a place, which may be beyond the ends."""
        start, end = self._ends
        height = start + place * (end - start)
        if self.scale == "stretched":
            return unstretched(height)
        return math.pow(10, height) if self.scale == "logarithmic" else height

    def ticks(self, room: float, upright: bool = False) -> tuple[Tick, ...]:
        """The values to name, in order.

        Args:
            room: how long the axis is from its low to its high end: in characters, or for one that
                is upright in lines of text.
            upright: whether names stand above each other.
        """

        def are_clear(values: Sequence[float]) -> bool:
            """Whether no two of these names, in order, come near each other."""
            if upright:
                sizes, gap = [1.0] * len(values), _LINE_GAP
            else:
                sizes, gap = [float(len(self._label(value))) for value in values], _CHARACTER_GAP
            places = [room * self.place(value) for value in values]
            return all(
                there - here >= (size + other) / 2 + gap
                for (here, there), (size, other) in zip(
                    pairwise(places), pairwise(sizes), strict=True
                )
            )

        values = self._of_few(are_clear) if self.few else self._round(are_clear)
        return tuple(Tick(value, self._label(value)) for value in values)

    @cached_property
    def _ends(self) -> tuple[float, float]:
        return self.height(self.low), self.height(self.high)

    def _label(self, value: float) -> str:
        """Its digits, in groups of three; round counts on a logarithmic axis as 20k and 1.5M."""
        plain = f"{value:,.10g}"
        if self.scale != "logarithmic" or self.few or value < _THOUSAND:
            return plain
        unit, sign = (_MILLION, "M") if value >= _MILLION else (_THOUSAND, "k")
        return min(f"{value / unit:.6g}{sign}", plain, key=len)

    def _of_few(self, are_clear: Callable[[Sequence[float]], bool]) -> list[float]:
        """The ends, and what is clear of them and of each other."""
        named: list[float] = []
        for value in dict.fromkeys((self.few[0], self.few[-1], *self.few)):
            with_it = sorted([*named, value])
            named = with_it if are_clear(with_it) else named
        return named

    def _round(self, are_clear: Callable[[Sequence[float]], bool]) -> list[float]:
        """The roundest regular values that cover the axis, or else round ones here and there."""
        for values in self._regular(self.low, self.high):
            places = [self.place(value) for value in values]
            if (
                len(values) > 1
                and places[0] <= END
                and places[-1] >= 1 - END
                and all(there - here <= STRETCH for here, there in pairwise(places))
                and are_clear(values)
            ):
                return values

        def between(low: float, high: float) -> Iterator[float]:
            """Round values between two that are named, where they lie far apart."""
            start, end = self.place(low), self.place(high)
            distance = end - start
            if distance > _FILLED:
                for apart in (_APART, distance / 3):
                    middle = self._roundest(start + apart, end - apart, (start + end) / 2)
                    if are_clear([low, middle, high]):
                        yield from between(low, middle)
                        yield middle
                        yield from between(middle, high)
                        return

        first, last = self._roundest(0, END, 0), self._roundest(1 - END, 1, 1)
        return [first, *between(first, last), last]

    def _roundest(self, start: float, end: float, near: float) -> float:
        """The roundest value between two places; of several, the one nearest to a third."""
        for values in self._regular(self.value(start), self.value(end)):
            if values:
                return min(values, key=lambda value: abs(self.place(value) - near))
        raise AssertionError("the finest regular values lie everywhere")

    def _regular(self, low: float, high: float) -> Iterator[list[float]]:
        """Ever finer regular values between two: decades and their parts, then multiples."""
        if self.scale == "logarithmic":
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for every in (3, 2):
                yield _within(low, high, (10.0**power for power in powers if power % every == 0))
            for digits in _DIGITS:
                yield _within(low, high, (d * 10.0**power for power in powers for d in digits))
        power = math.floor(math.log10(max(abs(low), abs(high)))) + 1
        while True:
            for unit in (5, 2, 1):
                first, last = (end / (unit * 10.0**power) for end in (low, high))
                if last - first > _MOST:
                    return
                numbers = range(math.floor(first), math.ceil(last) + 1)
                multiples = (round(n * unit * 10.0**power, max(0, -power)) for n in numbers)
                yield _within(low, high, multiples)
            power -= 1


def stretched(percent: float) -> float:
    """Where an accuracy lies on the axis: minus the logarithm of the error, which may be zero."""
    return -math.log10(100.5 - percent)


def unstretched(height: float) -> float:
    """The accuracy in percent that lies at a height."""
    return 100.5 - math.pow(10, -height)


def _within(low: float, high: float, values: Iterable[float]) -> list[float]:
    return [value for value in values if low <= value <= high]
