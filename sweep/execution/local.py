"""Workers as processes of this machine.

Each worker is a Pebble pool of one process: what happens to it, from a SIGKILL to a half-written
message, stays with it. Processes are spawned, so that TensorFlow lives in them alone; they are
replaced after a number of tasks, so that their memory stays bounded; and they end with the
coordinator, however it ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from sweep.errors import OutageError
from sweep.execution.base import Failed, FailureKind, Outcome, Task, WorkFunction
from sweep.execution.looks import Looks
from sweep.execution.process import initialize, work

TASKS_PER_PROCESS = 50
LONGEST_LOOK = 5.0
"""Seconds between two looks at a task that count: more, and this process was stopped itself."""
_NOT_BEGUN = -1.0
_LOST = "its worker was lost"
_MEND = "its last lines say why; often memory or threads are short (ulimit -u)"
_STARTING = threading.Lock()


class _Process(SpawnProcess):
    """A process that does not run the coordinator's main module.

    Python would have each worker run it, under another name: a script that calls ``sweep.run``
    without asking for its ``__name__`` would begin anew in each of them.
    """

    def start(self) -> None:
        with _hidden_main():
            super().start()


class _Spawn(SpawnContext):
    Process = _Process


_SPAWN = _Spawn()


@contextmanager
def _hidden_main() -> Iterator[None]:
    """Hide for a moment where the main module comes from."""
    main = vars(sys.modules["__main__"])
    with _STARTING:
        origin: dict[str, Any] = {
            name: main.pop(name) for name in ("__spec__", "__file__") if name in main
        }
        main["__spec__"] = None
        try:
            yield
        finally:
            main.update(origin)


class LocalExecutor:
    """Worker processes of this machine; see :class:`sweep.execution.base.Executor`."""

    def __init__(
        self, workers: int, prepare: Callable[[], WorkFunction], timeout: float, logs: Path
    ) -> None:
        """Nothing is started before the first task.

        Args:
            workers: number of processes.
            prepare: called once in each new process; gives the function that does its tasks.
                It is pickled.
            timeout: seconds that a task may take, but for those in which it is stopped.
            logs: directory for what the processes print, a file for each.
        """
        logs.mkdir(parents=True, exist_ok=True)
        # A logging.py in the working directory is not Python's: heeded by processes that start.
        os.environ["PYTHONSAFEPATH"] = "1"
        self._workers = [
            _Worker(prepare, timeout, logs / f"worker-{n + 1}.log") for n in range(workers)
        ]

    @property
    def workers(self) -> int:
        return len(self._workers)

    @property
    def free(self) -> int:
        return sum(worker.task is None for worker in self._workers)

    def takes(self, kind: str) -> bool:
        return self.free > 0

    def submit(self, task: Task) -> None:
        """See :class:`Executor`.

        Raises:
            OSError: the system starts no process.
        """
        next(w for w in self._workers if w.task is None).start(task)

    def wait(self, timeout: float) -> list[Outcome]:
        busy = [w.future for w in self._workers if w.future is not None]
        if not busy:
            time.sleep(timeout)
            return []
        wait_for(busy, timeout, return_when=FIRST_COMPLETED)
        collected = [worker.collect() for worker in self._workers]
        return [outcome for outcome in collected if outcome is not None]

    def running(self) -> Mapping[str, tuple[Task, float]]:
        return {
            f"worker {number}": (worker.task, max(worker.fraction, 0.0))
            for number, worker in enumerate(self._workers, start=1)
            if worker.task is not None
        }

    def close(self) -> None:
        for worker in self._workers:
            worker.stop()


class _Worker:
    """One process, replaced as often as need be, and its task."""

    def __init__(self, prepare: Callable[[], WorkFunction], timeout: float, log: Path) -> None:
        self._prepare = prepare
        self._timeout = timeout
        self._log = log
        # Shared memory, because writing to it can never block a worker.
        self._fraction = _SPAWN.RawValue("d", 0.0)
        self._pid = _SPAWN.RawValue("i", 0)
        self._pool: ProcessPool | None = None
        self._second_start = False
        self._seconds = 0.0
        """How long the task was seen to run; while it or this process is stopped, it does not."""
        self._looks = Looks(LONGEST_LOOK)
        self.task: Task | None = None
        self.future: Future[str] | None = None

    @property
    def fraction(self) -> float:
        return float(self._fraction.value)

    def start(self, task: Task) -> None:
        self.task = task
        self._seconds = 0.0
        self._looks = Looks(LONGEST_LOOK)
        self._fraction.value = _NOT_BEGUN
        try:
            self.future = self._schedule(task)
        except RuntimeError:  # the process died while it had nothing to do: the pool is broken
            self.stop()
            try:
                self.future = self._schedule(task)
            except BrokenProcessPool as error:  # nor does another one begin
                raise error.__cause__ or error from None

    def _schedule(self, task: Task) -> Future[str]:
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=1,
                max_tasks=TASKS_PER_PROCESS,
                initializer=initialize,
                initargs=(self._prepare, self._fraction, self._pid, str(self._log), os.getpid()),
                context=_SPAWN,
            )
        future: Future[str] = self._pool.schedule(work, args=(task.payload,))
        return future

    def collect(self) -> Outcome | None:
        """What came of the task; None as long as there is nothing, or if it had to start again.

        A process that died before it began, perhaps while it had nothing to do, has cost the task
        nothing. If a second one in its place dies as well, none gets ready here: an outage.
        """
        if self.task is None or self.future is None:
            return None
        task, future = self.task, self.future
        if not future.done() and not self._is_overdue():
            return None
        self.task = self.future = None
        if not future.done():
            self.stop()
            failed = Failed(FailureKind.TIMED_OUT, f"took longer than {self._timeout:g} seconds")
            return Outcome(task, failed)
        if isinstance(future.exception(), ProcessExpired | BrokenProcessPool):
            self.stop()
            if self.fraction == _NOT_BEGUN and not self._second_start:
                self._second_start = True
                self.start(task)
                return None
        self._second_start = False
        try:
            return Outcome(task, future.result())
        except (ProcessExpired, BrokenProcessPool) as error:
            death = _death(error.exitcode) if isinstance(error, ProcessExpired) else _LOST
            failed = Failed(FailureKind.DIED, f"{death}; its log: {self._log}")
            if self.fraction == _NOT_BEGUN:
                none = OutageError(f"no worker gets ready: {failed.message}", hint=_MEND)
                failed = Failed(FailureKind.DIED, none.message, none)
        except Exception as error:  # whatever the task raised
            traceback = str(getattr(error, "traceback", ""))
            failed = Failed(FailureKind.RAISED, str(error) or repr(error), error, traceback)
        return Outcome(task, failed)

    def _is_overdue(self) -> bool:
        since = self._looks.again()
        if self.fraction != _NOT_BEGUN and not _is_stopped(self._pid.value):
            self._seconds += since
        return self._seconds > self._timeout

    def stop(self) -> None:
        """Kill the process. Joining may wait for a message that was cut off, so nobody waits."""
        if self._pool is not None:
            self._pool.stop()
            joiner = threading.Thread(target=self._pool.join, daemon=True)
            joiner.start()
            joiner.join(timeout=5)
            self._pool = None


def _is_stopped(pid: int) -> bool:
    """Whether a process was stopped, as by Ctrl-Z; where the system does not say, it was not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in ("T", "t")


def _death(exitcode: int) -> str:
    if exitcode == -signal.SIGKILL:
        return "its worker was killed (SIGKILL; often for want of memory)"
    if exitcode < 0:
        return f"its worker was ended by {signal.Signals(-exitcode).name}"
    return f"its worker ended with status {exitcode}"
