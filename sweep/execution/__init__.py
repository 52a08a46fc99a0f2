"""Where tasks run: one protocol, and local worker processes."""

from __future__ import annotations

from sweep.execution.base import Executor, Failed, Outcome, Task
from sweep.execution.local import LocalExecutor

__all__ = ["Executor", "Failed", "LocalExecutor", "Outcome", "Task"]
