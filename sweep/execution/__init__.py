"""Where tasks run: one protocol, worker processes of this machine, or this very process."""

from __future__ import annotations

from sweep.execution.base import Executor, Failed, FailureKind, Outcome, Task, WorkFunction
from sweep.execution.inline import InlineExecutor
from sweep.execution.local import LocalExecutor

__all__ = [
    "Executor",
    "Failed",
    "FailureKind",
    "InlineExecutor",
    "LocalExecutor",
    "Outcome",
    "Task",
    "WorkFunction",
]
