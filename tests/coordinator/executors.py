"""An executor whose workers come and go as a test says, and whose tasks end as it says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sweep.execution import Failed, FailureKind, Outcome, Task

Ending = Callable[[Task], str | Failed]


class Elastic:
    """Ends every task at the next look, as ``ending`` says; ``workers`` may be set at any time.

    A task whose worker is taken away is lost.
    """

    def __init__(self, ending: Ending, workers: int = 1) -> None:
        self._ending = ending
        self.workers = workers
        self._tasks: dict[str, Task] = {}
        self.begun: list[str] = []
        """Keys of all tasks, in the order in which they began."""
        self.looked = 0

    @property
    def free(self) -> int:
        return max(0, self.workers - len(self._tasks))

    def takes(self, kind: str) -> bool:
        return self.free > 0

    def submit(self, task: Task) -> None:
        assert self.free
        assert task.id not in self._tasks, "it runs already"
        self._tasks[task.id] = task
        self.begun.append(task.id)

    def wait(self, timeout: float) -> list[Outcome]:
        self.looked += 1
        if not self._tasks:
            time.sleep(min(timeout, 0.001))
        tasks = list(self._tasks.values())
        self._tasks.clear()
        kept = tasks[: self.workers]
        lost = Failed(FailureKind.LOST, "its slot is gone")
        ended = [Outcome(task, self._ending(task)) for task in kept]
        return ended + [Outcome(task, lost) for task in tasks[self.workers :]]

    def running(self) -> Mapping[str, tuple[Task, float]]:
        return {f"worker {key}": (task, 0.5) for key, task in self._tasks.items()}

    def close(self) -> None:
        self._tasks.clear()
