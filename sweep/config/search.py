"""How a search goes: who proposes, and for what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from sweep.values import Value

Objective = Literal["accuracy", "classifier_parameters", "inference_parameters"]


class Search(Value):
    """Which sampler proposes, and what it optimises."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    sampler: Literal["tpe", "random", "grid", "qmc", "nsga2", "gp"] = "tpe"
    objectives: Annotated[
        tuple[Objective, ...], Field(min_length=1, max_length=3, strict=False)
    ] = ("accuracy", "classifier_parameters")
    max_parameters: Annotated[int, Field(ge=1)] | None = None
    """The classifier's parameters are to be no more than these."""
    startup_trials: Annotated[
        Annotated[int, Field(ge=1, le=10_000)] | None,
        BeforeValidator(
            lambda value: None if value == "auto" else value,
            json_schema_input_type=Literal["auto"] | Annotated[int, Field(ge=1, le=10_000)] | None,
        ),
    ] = None
    # ``auto`` is None here, so that old studies' configs have not changed.
    """How many trials of each representation fill its space evenly before the sampler learns;
    ``auto``: as many as fit."""

    @field_validator("objectives")
    @classmethod
    def _distinct(cls, objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if len(set(objectives)) < len(objectives):
            raise ValueError("an objective stands in the list twice")
        return objectives
