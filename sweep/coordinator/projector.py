"""Bringing runs to MLflow in the background.

MLflow is written from one background thread, so that it never holds up training; what it refuses is
kept and tried again, and what is still missing at the end is projected by the next start.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from threading import Event, Lock

from sweep.database import reason
from sweep.results import DataFacts
from sweep.tracking import Identity, Run, Tracker
from sweep.tracking.connection import proxy_of
from sweep.tracking.views import NOTHING, Varied
from sweep.workspace import Workspace

log = logging.getLogger("sweep")

_RETRY_SECONDS = 15.0
_LOOK_SECONDS = 0.2
_HOLD_SECONDS = 1.0
"""How long a run that goes on is held back: one that ends sooner is written once, as it ended, and
one that gets on quickly is written once a second."""
_STUDY_HOLD_SECONDS = 10.0
"""The same for the study's own run, which gets on with every trial."""
_GIVING_WAY_SECONDS = 5.0
"""How long a run waits for a coordinator that is busy."""


@dataclass(frozen=True)
class _Waiting:
    """The newest version of a run, and since when any version of it has waited."""

    run: Run
    since: float

    @property
    def is_due(self) -> bool:
        hold = _STUDY_HOLD_SECONDS if self.run.kind == "study" else _HOLD_SECONDS
        return not self.run.goes_on or time.monotonic() - self.since >= hold


class Projector:
    """Projects runs in the background, in the order in which they were given.

    Of each run only the newest version waits.
    """

    def __init__(
        self, workspace: Workspace, study: str, data: DataFacts, varied: Varied = NOTHING
    ) -> None:
        self._workspace = workspace
        self._study = study
        self._data = data
        self._varied = varied
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mlflow")
        self._waiting: dict[Identity, _Waiting] = {}
        self._lock = Lock()
        """Guards what waits, which the caller's thread and the background's change."""
        self._work: Future[bool] | None = None
        self._tracker: Tracker | None = None
        self._has_study = False
        """Whether the study's own run was given, which the others' pages lead to."""
        self._retry_at = 0.0
        self._warned = False
        self._may_begin = Event()
        self._may_begin.set()
        self._given_up = False
        """Whether nobody waits any more for what is still to be projected."""

    def project(self, runs: Iterable[Run]) -> None:
        """Have runs projected; those that stand there complete are left as they are."""
        for run in runs:
            self._enter(run)
        idle = self._work is None or self._work.done()
        if idle and time.monotonic() >= self._retry_at and self._next(hasty=False):
            self._work = self._thread.submit(self._project_waiting)

    def give_way(self, *, busy: bool) -> None:
        """Begin with no run while the coordinator is busy, which shares the interpreter: its
        workers wait for it, and nobody waits for MLflow.
        """
        if busy:
            self._may_begin.clear()
        else:
            self._may_begin.set()

    def _enter(self, run: Run) -> None:
        with self._lock:
            earlier = self._waiting.get(run.identity)
            if earlier is not None and run.goes_on and not earlier.run.goes_on:
                return  # how it ended is the last word
            since = time.monotonic() if earlier is None else earlier.since
            if run.kind == "study" and not self._has_study:
                self._has_study, since = True, -math.inf  # it is not held back
            self._waiting[run.identity] = _Waiting(run, since)

    def _next(self, *, hasty: bool) -> _Waiting | None:
        """What is to be projected next; when ``hasty``, what is held back, too."""
        with self._lock:
            return next((each for each in self._waiting.values() if hasty or each.is_due), None)

    def finish(
        self,
        last: Callable[[Tracker], None],
        timeout: float,
        leaving: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Project what is left, then do one last thing; whether all of that was done.

        Args:
            last: is given MLflow when it holds all else.
            timeout: seconds after which nobody waits any more.
            leaving: says that nobody waits any more before.
        """
        done = self._thread.submit(self._finish, last)
        deadline = time.monotonic() + timeout
        while not done.done() and time.monotonic() < deadline and not leaving():
            wait_for([done], _LOOK_SECONDS)
        self.close()
        if done.done() and not done.cancelled() and done.result():
            return True
        log.warning(
            "MLflow does not hold everything yet: the same command brings it there later. "
            "Nothing is lost."
        )
        return False

    def close(self) -> None:
        """Leave what is still to be projected to the next start; nobody waits for it any more."""
        self._given_up = True
        self._may_begin.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _finish(self, last: Callable[[Tracker], None]) -> bool:
        if not self._project_waiting(hasty=True):
            return False
        try:
            tracker = self._open()
            tracker.end_abandoned()
            last(tracker)
        except Exception as error:  # whatever MLflow raises
            self._warn(error)
            return False
        return True

    def _project_waiting(self, *, hasty: bool = False) -> bool:
        """Project what waits, up to the first failure; whether there was none."""
        while waiting := self._next(hasty=hasty):
            self._may_begin.wait(_GIVING_WAY_SECONDS)
            if self._given_up:
                return False
            run = waiting.run
            try:
                tracker = self._open()
                if run.kind == "study" or not tracker.has(run):
                    tracker.project(run)
            except Exception as error:  # whatever MLflow raises must not stop the training
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                self._tracker = None  # MLflow may have done what it did not answer: look again
                self._warn(error)
                return False
            with self._lock:
                if self._waiting[run.identity] is waiting:  # and no newer version
                    del self._waiting[run.identity]
        return True

    def _open(self) -> Tracker:
        if self._tracker is None:
            self._tracker = Tracker(self._workspace, self._study, self._data, self._varied)
        return self._tracker

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            proxy = proxy_of(self._workspace.tracking)
            through = f" through the proxy {proxy}" if proxy else ""
            log.warning(
                "MLflow cannot be written%s, and training goes on: %.200s", through, reason(error)
            )
            self._warned = True
