"""Bringing runs to MLflow in the background.

MLflow is written from one background thread, so that it never holds up training; what it refuses is
kept and tried again, and what is still missing at the end is projected by the next start.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

from sweep.database import reason
from sweep.results import DataFacts
from sweep.tracking import Run, Tracker
from sweep.workspace import Workspace

log = logging.getLogger("sweep")

_RETRY_SECONDS = 15.0


class Projector:
    """Projects runs in the background, in the order in which they were given."""

    def __init__(self, workspace: Workspace, study: str, data: DataFacts) -> None:
        self._workspace = workspace
        self._study = study
        self._data = data
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mlflow")
        self._waiting: deque[Run] = deque()
        self._work: Future[bool] | None = None
        self._tracker: Tracker | None = None
        self._retry_at = 0.0
        self._warned = False
        self._given_up = False
        """Whether nobody waits any more for what is still to be projected."""

    def project(self, runs: Iterable[Run]) -> None:
        """Have runs projected; those that stand there complete are left as they are."""
        self._waiting.extend(runs)
        idle = self._work is None or self._work.done()
        if idle and self._waiting and time.monotonic() >= self._retry_at:
            self._work = self._thread.submit(self._project_waiting)

    def finish(self, last: Callable[[Tracker], None], timeout: float) -> bool:
        """Project what is left, then do one last thing; whether all of that was done in time."""
        done = self._thread.submit(self._finish, last)
        wait_for([done], timeout)
        self._given_up = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        if done.done() and not done.cancelled() and done.result():
            return True
        log.warning(
            "MLflow does not hold everything yet: the same command brings it there later. "
            "Nothing is lost."
        )
        return False

    def _finish(self, last: Callable[[Tracker], None]) -> bool:
        if not self._project_waiting():
            return False
        try:
            last(self._open())
        except Exception as error:  # whatever MLflow raises
            self._warn(error)
            return False
        return True

    def _project_waiting(self) -> bool:
        """Project what waits, up to the first failure; whether nothing waits any more."""
        while self._waiting:
            if self._given_up:
                return False
            run = self._waiting[0]
            try:
                tracker = self._open()
                if run.kind == "study" or not tracker.has(run):
                    tracker.project(run)
            except Exception as error:  # whatever MLflow raises must not stop the training
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                self._tracker = None  # MLflow may have done what it did not answer: look again
                self._warn(error)
                return False
            self._waiting.popleft()
        return True

    def _open(self) -> Tracker:
        if self._tracker is None:
            self._tracker = Tracker(self._workspace, self._study, self._data)
        return self._tracker

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            log.warning("MLflow cannot be written, and training goes on: %.200s", reason(error))
            self._warned = True
