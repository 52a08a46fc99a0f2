"""Tasks in this very process, one at a time: for tests, and for a debugger."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping

from sweep.execution.base import Failed, FailureKind, Outcome, Task, WorkFunction


class InlineExecutor:
    """One worker without a process; see :class:`sweep.execution.base.Executor`.

    A task runs while it is waited for. Nothing protects this process from what it does, and no
    limit of time ends it.
    """

    workers = 1

    def __init__(self, prepare: Callable[[], WorkFunction]) -> None:
        """``prepare`` gives the function that does the tasks; it is called before the first."""
        self._prepare = prepare
        self._work: WorkFunction | None = None
        self._task: Task | None = None
        self._fraction = 0.0

    @property
    def free(self) -> int:
        return int(self._task is None)

    def takes(self, kind: str) -> bool:
        return self._task is None

    def submit(self, task: Task) -> None:
        assert self._task is None
        self._task = task
        self._fraction = 0.0

    def wait(self, timeout: float) -> list[Outcome]:
        task = self._task
        if task is None:
            time.sleep(timeout)
            return []
        result: str | Failed
        try:
            self._work = self._work or self._prepare()
            result = self._work(task.payload, self._report)
        except Exception as error:  # whatever the task raised
            text = traceback.format_exc()
            result = Failed(FailureKind.RAISED, str(error) or repr(error), error, text)
        self._task = None
        return [Outcome(task, result)]

    def running(self) -> Mapping[str, tuple[Task, float]]:
        return {"worker 1": (self._task, self._fraction)} if self._task else {}

    def close(self) -> None:
        self._task = None

    def _report(self, fraction: float) -> None:
        self._fraction = fraction
