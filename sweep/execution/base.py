"""What every executor offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sweep.specs import Artifact

WorkFunction = Callable[[str, Callable[[float], None]], str]
"""What a worker does with a task: JSON in, JSON out; it reports the fraction that is done."""


class FailureKind(StrEnum):
    """Why a task gave no result."""

    DIED = "died"
    """Its worker process ended: killed, out of memory, or crashed."""
    LOST = "lost"
    """Its slot or its node is gone; nothing is known against the task."""
    TIMED_OUT = "timed out"
    RAISED = "raised"


@dataclass(frozen=True)
class Task:
    """A piece of work: a name that is unique while it runs, and its JSON."""

    id: str
    payload: str
    kind: str = ""
    """Of its spec: what it needs of a machine depends on it."""
    reads: tuple[Artifact, ...] = ()
    """What it takes from the home."""
    writes: tuple[Artifact, ...] = ()
    """What it leaves there."""


@dataclass(frozen=True)
class Failed:
    """Why a task gave no result; ``error`` is what it raised, if that is what happened."""

    kind: FailureKind
    message: str
    error: BaseException | None = None
    traceback: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a task: its result's JSON, or a failure."""

    task: Task
    result: str | Failed


class Executor(Protocol):
    """Runs tasks on workers. A worker that dies costs its task and no other.

    Workers may come and go while it runs; there may be none for a while.
    """

    @property
    def workers(self) -> int:
        """Number of tasks that can run at once, at this moment."""

    @property
    def free(self) -> int:
        """Number of workers without a task."""

    def takes(self, kind: str) -> bool:
        """Whether a worker is free that does tasks of this kind."""

    def submit(self, task: Task) -> None:
        """Start a task; a worker that takes it must be free."""

    def wait(self, timeout: float) -> list[Outcome]:
        """The tasks that ended, as soon as there are any, or none after ``timeout`` seconds."""

    def running(self) -> Mapping[str, tuple[Task, float]]:
        """For each busy worker, by its name, its task and the fraction of it that is done."""

    def close(self) -> None:
        """Stop all workers at once, whatever they are doing."""
