"""An attempt: one Optuna trial, as the rest of the system sees it."""

from __future__ import annotations

import time
from enum import StrEnum

from sweep.config import Cell
from sweep.results import TrialResult
from sweep.specs import TrialSpec, variation
from sweep.values import Value


class State(StrEnum):
    """How an attempt stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Cause(StrEnum):
    """Why an attempt did not complete."""

    INTERRUPTED = "interrupted"
    """Its coordinator ended first; the attempt does not count, and its spec runs again."""
    WORKER_DIED = "worker died"
    """Killed or out of memory, several times: the same task was tried again before."""
    TIMED_OUT = "timed out"
    DIVERGED = "diverged"
    ERROR = "error"


class Failure(Value):
    """Why an attempt did not complete."""

    cause: Cause
    message: str
    traceback: str | None = None
    finished_at: int
    """Milliseconds since the epoch."""


def interruption() -> Failure:
    """The failure of an attempt that lost its coordinator, just now."""
    return Failure(
        cause=Cause.INTERRUPTED,
        message="the run was stopped before it ended",
        finished_at=time.time_ns() // 1_000_000,
    )


class Attempt(Value):
    """One try at one spec."""

    number: int
    """Optuna's trial number."""
    spec: TrialSpec
    cell: Cell
    attempt: int
    """Which attempt at this spec, from 1."""
    started_at: int
    """Milliseconds since the epoch."""
    result: TrialResult | None = None
    failure: Failure | None = None

    @property
    def label(self) -> str:
        """The configuration with what the study varies of it, as in ``vae 10 → 200, beta 0.5``."""
        return self.spec.label + variation(self.cell.varied)

    @property
    def state(self) -> State:
        if self.result is not None:
            return State.COMPLETE
        if self.failure is None:
            return State.RUNNING
        if self.failure.cause is Cause.INTERRUPTED:
            return State.INTERRUPTED
        return State.FAILED
