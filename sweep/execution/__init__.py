"""Where tasks run: one protocol, and workers on this machine, on a cluster, or in this process."""

from __future__ import annotations

from sweep.execution.base import Executor, Failed, FailureKind, Outcome, Task, WorkFunction
from sweep.execution.inline import InlineExecutor
from sweep.execution.local import LocalExecutor
from sweep.execution.ray import Demands, RayExecutor

__all__ = [
    "Demands",
    "Executor",
    "Failed",
    "FailureKind",
    "InlineExecutor",
    "LocalExecutor",
    "Outcome",
    "RayExecutor",
    "Task",
    "WorkFunction",
]
