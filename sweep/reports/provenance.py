"""Where a report's numbers come from: all that one needs to get them again."""

from __future__ import annotations

from pydantic import ConfigDict, Field, JsonValue

from sweep.trial import DataFacts, Value


class Environment(Value):
    """What numbers may depend on that no config says.

    Another version may have written more down, or less: neither keeps a report from being made.
    """

    model_config = ConfigDict(extra="ignore")

    cpu: str = "unknown"
    cores: int = 0
    bf16_units: tuple[str, ...] = ()
    system: str = "unknown"
    python: str = "unknown"
    packages: dict[str, str] = Field(default_factory=dict)
    """Versions by name."""
    git_revision: str | None = None
    """The commit of the code, with "+" if it was changed since; null outside of a clone."""


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
