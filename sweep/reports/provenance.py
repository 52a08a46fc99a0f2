"""Where a report's numbers come from: all that one needs to get them again."""

from __future__ import annotations

from pydantic import JsonValue

from sweep.results import DataFacts, Environment
from sweep.values import Value


class EncodersOrigin(Value):
    """Encoders that were trained in one environment; other studies may have trained them."""

    count: int
    began: str
    ended: str
    """First start and last end of a training, ISO 8601, UTC."""
    environment: Environment | None
    """Null for encoders of versions that did not write it down."""


class Provenance(Value):
    """A study's config, data, environments and durations."""

    dataset: DataFacts
    seed: int
    """Every other seed derives from it."""
    config: dict[str, JsonValue]
    """What makes the study what it is; its execution is no part of that."""
    environments: tuple[Environment, ...]
    """The different machines and versions that it was run with, in their order."""
    encoders: tuple[EncodersOrigin, ...]
    """Those that the trials stand on, as far as they are still stored."""
    attempts: dict[str, int]
    """Numbers of attempts by their state."""
    began: str | None
    ended: str | None
    """First start and last end of a trial, ISO 8601, UTC. Draws that were in the home already were
    taken from there, so the trials may have lasted much less than their training."""
    train_seconds: float
    """Of all trials together, encoders excluded."""
    encoder_seconds: float
    """Of the encoders that they stand on, as far as they are still stored."""
