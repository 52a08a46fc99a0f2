"""What is searched, and how."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from sweep.values import Value

Neurons = Annotated[int, Field(ge=1, le=100_000)]


class Choices(Value):
    """One of a list of values."""

    choices: Annotated[tuple[Neurons, ...], Field(min_length=1, max_length=1000, strict=False)]

    @field_validator("choices")
    @classmethod
    def _distinct(cls, choices: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(choices)) < len(choices):
            raise ValueError("a value stands in the list twice")
        return choices

    @property
    def size(self) -> int:
        return len(self.choices)

    @property
    def smallest(self) -> int:
        return min(self.choices)

    @property
    def largest(self) -> int:
        return max(self.choices)


class Range(Value):
    """Whole numbers from ``low`` to ``high``, both included; ``log`` samples their logarithm."""

    low: Neurons
    high: Neurons
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) is greater than high ({self.high})")
        return self

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    @property
    def smallest(self) -> int:
        return self.low

    @property
    def largest(self) -> int:
        return self.high


Dimension = Annotated[
    Annotated[Choices, Tag("<choices>")] | Annotated[Range, Tag("<range>")],
    Discriminator(lambda value: "<choices>" if _has(value, "choices") else "<range>"),
]


class Space(Value):
    """What is searched."""

    hidden_neurons: Dimension
    latent_dim: Dimension | None = None


def _has(value: Any, key: str) -> bool:
    """Whether a mapping, or a model, has a key."""
    return key in value if isinstance(value, dict) else hasattr(value, key)


Objective = Literal["accuracy", "classifier_parameters", "inference_parameters"]


class Search(Value):
    """Which sampler proposes, and what it optimises."""

    sampler: Literal["tpe", "random", "grid", "qmc", "nsga2", "gp"] = "tpe"
    objectives: Annotated[
        tuple[Objective, ...], Field(min_length=1, max_length=3, strict=False)
    ] = ("accuracy", "classifier_parameters")
    max_parameters: Annotated[int, Field(ge=1)] | None = None
    """The classifier's parameters are to be no more than these."""

    @field_validator("objectives")
    @classmethod
    def _distinct(cls, objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if len(set(objectives)) < len(objectives):
            raise ValueError("an objective stands in the list twice")
        return objectives
