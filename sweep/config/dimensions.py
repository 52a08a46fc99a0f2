"""What a number may be searched over: a list of values, or a range."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from sweep.values import Value

Neurons = Annotated[int, Field(ge=1, le=100_000)]
Number = TypeVar("Number", bound=float)
LAST = math.nextafter(1.0, 0.0)
"""Where the last value of a dimension has its share, too: just below 1."""
_SAME = 1e-9


class _OfNumbers(Value, Generic[Number]):
    """What a number may be searched over."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """As in ``Choices_int_ge_1_le_10000``, the name in the JSON Schema."""
        number, *metadata = get_args(params[0]) or params
        bounds = [each for data in metadata for each in getattr(data, "metadata", [data])]
        said = [f"{name}_{value:g}" for each in bounds for name, value in asdict(each).items()]
        return "_".join([cls.__name__, number.__name__, *said])


class Choices(_OfNumbers[Number]):
    """One of a list of values, as in ``{choices: [2, 8, 16]}``."""

    choices: Annotated[tuple[Number, ...], Field(min_length=1, max_length=1000, strict=False)]

    @field_validator("choices")
    @classmethod
    def _distinct(cls, choices: tuple[Number, ...]) -> tuple[Number, ...]:
        if len(set(choices)) < len(choices):
            raise ValueError("a value stands in the list twice")
        return choices

    @property
    def values(self) -> Sequence[Number]:
        return self.choices

    def has(self, value: float) -> bool:
        return value in self.choices

    @property
    def smallest(self) -> Number:
        return min(self.choices)

    @property
    def largest(self) -> Number:
        return max(self.choices)

    def nearest(self, value: Number) -> Number:
        """The value itself."""
        return value

    def upto(self, most: float) -> Choices[Number]:
        """Those of them that exceed no bound; one must not."""
        left = tuple(value for value in self.choices if value <= most)
        return self.model_copy(update={"choices": left})

    def at(self, u: float) -> Number:
        """The value at ``u``, from 0 to just below 1; each has its share of that interval."""
        return self.choices[int(u * len(self.choices))]

    def share(self, value: Number) -> float:
        """The middle of a value's share: :meth:`at` gives it there."""
        return (self.choices.index(value) + 0.5) / len(self.choices)


class Range(_OfNumbers[Number]):
    """Numbers from ``low`` to ``high``, both included; ``log`` samples their logarithm.

    Whole numbers, or real ones, as the setting is that they are for. ``step`` counts from ``low``;
    ``points`` are so many numbers with equal distances, of the logarithms if ``log``.
    """

    low: Number
    high: Number
    log: bool = False
    step: Annotated[Number | None, Field(gt=0)] = None
    points: Annotated[int, Field(ge=2, le=1000)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Range[Number]:
        problems = []
        if self.low > self.high:
            problems.append(f"low ({self.low:g}) is greater than high ({self.high:g})")
        if self.log and self.low <= 0:
            problems.append(f"low ({self.low:g}) has no logarithm: log wants a low above 0")
        if self.step is not None and self.points is not None:
            problems.append("step and points say the same: take one of them")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int)

    @cached_property
    def values(self) -> Sequence[Number] | None:
        """All values, rising; None where there is no end of them."""
        if self.low == self.high:
            return [self.low]
        if self.points is not None:
            return sorted({self._point(place / (self.points - 1)) for place in range(self.points)})
        if self.step is not None:
            count = math.floor((self.high - self.low) / self.step + _SAME) + 1
            steps = (self.low + place * self.step for place in range(count))
            high = float(self.high)  # which the last may exceed by a rounding
            return [self._whole(min(float(value), high)) for value in steps]
        if self.is_whole:
            return range(int(self.low), int(self.high) + 1)  # type: ignore[return-value]  # Number is int where the range is whole
        return None

    def has(self, value: float) -> bool:
        if self.values is None:
            return bool(self.low <= value <= self.high)
        return value in self.values

    @property
    def smallest(self) -> Number:
        return self.low

    @property
    def largest(self) -> Number:
        return self.high if self.values is None else self.values[-1]

    def nearest(self, value: Number) -> Number:
        """The value of the range that is nearest to a number within it."""
        values = self.values
        if values is None:
            return min(max(value, self.low), self.high)  # a logarithm's rounding may exceed them
        if isinstance(values, range):
            return value
        scale = math.log if self.log else float
        place = bisect_left(values, value)  # samplers ask this of every candidate
        around = values[max(place - 1, 0) : place + 1]
        return min(around, key=lambda each: abs(scale(each) - scale(value)))

    def upto(self, most: float) -> Dimension:
        """Those of its values that exceed no bound; there is an end of them, and one must not."""
        assert self.values is not None
        values = self.values[: bisect_right(self.values, most)]
        if self.points is not None:
            return Choices[Any](choices=tuple(values))
        return self.model_copy(update={"high": values[-1]})

    def at(self, u: float) -> Number:
        """The value at ``u``, from 0 to just below 1; each has its share of that interval."""
        values = self.values
        if values is None:
            return self._point(u)
        if self.log and self.points is None:
            low, high = self._logarithms
            value = math.exp(low + u * (high - low))
            return self.nearest(self._whole(min(max(value, float(self.low)), float(self.high))))
        return values[int(u * len(values))]

    def share(self, value: Number) -> float:
        """Where within a value's share :meth:`at` gives it; one of a range that has an end."""
        assert self.values is not None
        if not self.log or self.points is not None or len(self.values) == 1:
            return (bisect_left(self.values, value) + 0.5) / len(self.values)
        low, high = self._logarithms
        return min((math.log(value) - low) / (high - low), LAST)

    @property
    def _logarithms(self) -> tuple[float, float]:
        """From half below the lowest whole number to half above the highest, as Optuna has it."""
        half = 0.5 if self.is_whole else 0.0
        return math.log(self.low - half), math.log(self.high + half)

    def _point(self, u: float) -> Number:
        """What lies at ``u`` from 0 (``low``) to 1 (``high``)."""
        if self.log:
            value = math.exp(math.log(self.low) * (1 - u) + math.log(self.high) * u)
        else:
            value = self.low + u * (self.high - self.low)
        return self._whole(min(max(value, float(self.low)), float(self.high)))

    def _whole(self, value: float) -> Number:
        """A number as the range's numbers are."""
        return round(value) if self.is_whole else value  # type: ignore[return-value]  # Number is int or float by is_whole


Dimension = Choices[Any] | Range[Any]


def dimension(number: Any) -> Any:
    """The type of what a setting may be searched over.

    Args:
        number: the type of the setting, with its bounds.
    """
    return Annotated[
        Annotated[Choices[number], Tag("<choices>")] | Annotated[Range[number], Tag("<range>")],
        Discriminator(lambda value: "<choices>" if _has(value, "choices") else "<range>"),
    ]


def _has(value: Any, key: str) -> bool:
    """Whether a mapping, or a model, has a key."""
    return key in value if isinstance(value, dict) else hasattr(value, key)
