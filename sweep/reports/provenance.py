"""Where a report's numbers come from: all that one needs to get them again."""

from __future__ import annotations

from pydantic import JsonValue

from sweep.trial import DataFacts, Environment, Value


class Provenance(Value):
    """A study's config, data, environments and durations."""

    dataset: DataFacts
    seed: int
    """Every other seed derives from it."""
    config: dict[str, JsonValue]
    """What makes the study what it is; its execution is no part of that."""
    environments: tuple[Environment, ...]
    """The different machines and versions that it was run with, in their order."""
    attempts: dict[str, int]
    """Numbers of attempts by their state."""
    began: str | None
    ended: str | None
    """First start and last end of a trial, ISO 8601, UTC."""
    train_seconds: float
    """Of all trials together, encoders excluded."""
    encoder_seconds: float
    """Of the encoders that they stand on, as far as they are still stored."""
