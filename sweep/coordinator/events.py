"""What a scheduler tells of: its consumers record it, project it to MLflow, and show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sweep.search.attempt import Failure
from sweep.specs import Spec
from sweep.values import Value


@dataclass(frozen=True)
class Hungry:
    """A worker is free, and nothing that is wanted can begin: more may be wanted now."""


@dataclass(frozen=True)
class Begun:
    """A task was handed to a worker."""

    spec: Spec


@dataclass(frozen=True)
class Activity:
    """What one worker does."""

    spec: Spec
    label: str
    """What the study calls it."""
    fraction: float
    """How much of it is done, 0 to 1."""
    seconds: float
    """Since it began."""
    seconds_left: float | None
    """As long as it will take at its pace so far; None while that cannot be told."""


@dataclass(frozen=True)
class Progressed:
    """Time has passed: what each busy worker does, by its name."""

    running: Mapping[str, Activity]


@dataclass(frozen=True)
class Done:
    """A task gave its result."""

    spec: Spec
    result: Value
    seconds: float | None
    """Wall seconds since it began; None if it was there already."""


@dataclass(frozen=True)
class Retried:
    """A task has failed, and begins again."""

    spec: Spec
    failure: Failure


def begins_again(label: str, failure: Failure) -> str:
    """What is said of a task that was retried."""
    return f"{label}: {failure.cause}: {failure.message}; it begins again"


@dataclass(frozen=True)
class Broken:
    """A task has failed for good, wanted for itself or not; GivenUp follows for what was wanted."""

    spec: Spec
    failure: Failure


@dataclass(frozen=True)
class GivenUp:
    """What was wanted cannot be made: it has failed, or something that it needs."""

    spec: Spec
    failure: Failure


Event = Hungry | Begun | Progressed | Done | Retried | Broken | GivenUp
