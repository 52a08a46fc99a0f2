"""Running a study from its config to its table, and going on with it."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sweep.config import StudyConfig
from sweep.coordinator.engine import joined, open_executor
from sweep.coordinator.mirror import Mirror
from sweep.coordinator.plan import undertrained_of
from sweep.coordinator.preflight import Checked, preflight
from sweep.coordinator.selection import Selection
from sweep.coordinator.studies import begun_at, report_page
from sweep.coordinator.timelimit import TimeLimit
from sweep.coordinator.trials import Snapshot, TrialRun
from sweep.errors import StoppedError, TargetMissedError
from sweep.execution.ray import Joined
from sweep.lease import lease
from sweep.reports.comparison import Report
from sweep.results import DataFacts
from sweep.search.attempt import Attempt
from sweep.search.history import Progress
from sweep.search.storage import open_storage
from sweep.search.study import Study
from sweep.workspace import Workspace

log = logging.getLogger("sweep")


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    progress: Progress
    shortfall: int
    """Trials that are missing, but for those that a used-up space could not give."""
    not_confirmed: int
    """Selected configurations that could not be trained on fresh draws."""
    not_assessed: int
    """Selected configurations that could not be scored on the test partition."""
    report: Report
    exhausted: list[str]
    """Representations whose space was used up before their target."""
    stopped: bool
    """Whether the user interrupted it."""
    out_of_time: bool
    """Whether something is left that would not have ended within the limit."""
    chart: tuple[str, str] | None
    """See :class:`Shown`."""
    was_finished: bool
    """Whether there was nothing left to do when it began."""
    page: Path | None
    """The report's page, if it lies in the home."""
    best: Attempt | None
    """Of a study with one objective."""

    def check(self) -> None:
        """See that all of it was done that the config asks for.

        Raises:
            StoppedError: the user interrupted it.
            TargetMissedError: trials are missing, or what was selected could not be confirmed or
                assessed.
        """
        study, progress = self.report.study, self.progress
        if self.stopped:
            raise StoppedError(
                f"stopped; {progress.complete} of {progress.target} trials are done",
                hint="the same command goes on with the study",
            )
        if self.shortfall:
            raise TargetMissedError(
                f"{progress.complete} of {progress.target} trials are complete, "
                f"{progress.failed} failed",
                hint=f"sweep status {study} and MLflow say why",
            )
        if self.not_confirmed:
            raise TargetMissedError(
                f"{self.not_confirmed} of the selected could not be confirmed on fresh draws",
                hint="the warnings above say why; the same command tries them again",
            )
        if self.not_assessed:
            raise TargetMissedError(
                f"{self.not_assessed} of the selected could not be scored on the test partition",
                hint="the warnings above say why; the same command tries them again",
            )

    @property
    def remarks(self) -> Iterator[str]:
        """What is worth knowing even if all was done."""
        if self.exhausted:
            names = ", ".join(self.exhausted)
            yield f"The space of {names} is used up: every cell has been tried."
        if self.progress.failed and not self.shortfall:
            yield f"Warning: {self.progress.failed} trials failed beside the target."


def run_study(
    config: StudyConfig,
    workspace: Workspace,
    watch: Callable[[Snapshot], None],
    limit: TimeLimit,
    address: str | None = None,
) -> Ended:
    """Run a study to its target, or go on with it.

    Args:
        config: what to run.
        workspace: where it keeps what it does, and looks for its dataset.
        watch: is shown the running study a few times a second.
        limit: when it is left, with what runs interrupted; the same call goes on.
        address: of the Ray cluster that the engine ``ray`` joins; None for ``RAY_ADDRESS``, or to
            start one here.

    Raises:
        SweepError: it is refused, before anything is created; see :func:`preflight`.
        InputError: the data or the home cannot be used any more.
        OutageError: what it writes to stayed out of reach.
    """
    checked = preflight(config, workspace, download=True)
    with joined(config, address) as cluster:
        workspace.home.create()
        return _run(config, checked, workspace, watch, limit, cluster)


def _run(
    config: StudyConfig,
    checked: Checked,
    workspace: Workspace,
    watch: Callable[[Snapshot], None],
    limit: TimeLimit,
    cluster: Joined | None,
) -> Ended:
    assert checked.data is not None  # they were loaded, or refused
    assert checked.sizes is not None
    with ExitStack() as stack:
        held = stack.enter_context(lease(workspace, config.name))
        stopping = stack.enter_context(_stop_signals())

        def leaving() -> bool:
            return stopping() or limit.is_up

        for warning in undertrained_of(checked.config, checked.sizes):
            log.warning(warning)
        study = open_for_writing(workspace, config, checked.data, leaving)
        mirror = stack.enter_context(closing(Mirror(study, workspace)))
        mirror.begin()
        store = workspace.store
        with closing(
            open_executor(config, workspace, checked.source, cluster, study.note_environment)
        ) as executor:

            def ending() -> bool:
                return leaving() or held.lost

            selection = Selection(study, executor, store, mirror.projector, watch, limit)
            trials = TrialRun(study, executor, store, mirror.projector, watch, limit)
            begun_before = len(study.attempts)
            trials.run(ending)
            nothing_begun = len(study.attempts) == begun_before
            was_finished = nothing_begun and not study.shortfall and not selection.is_left
            if not study.shortfall:
                selection.confirm(ending)
                selection.assess(ending)
        held.check()
        stopped = stopping()
        out_of_time = (
            (limit.is_up or limit.holds_back)
            and not stopped
            and (study.shortfall > 0 or selection.is_left)
        )
        shown = mirror.finish(
            stopped=stopped or out_of_time,
            within=limit.left / 2,
            leaving=lambda: stopping() and not stopped,  # asked again, the signal ends it
        )
        return Ended(
            progress=study.progress,
            shortfall=study.shortfall,
            not_confirmed=selection.not_confirmed,
            not_assessed=selection.not_assessed,
            report=shown.report,
            exhausted=study.exhausted,
            stopped=stopped,
            out_of_time=out_of_time,
            chart=shown.chart,
            best=study.best if len(config.search.objectives) == 1 else None,
            was_finished=was_finished,
            page=report_page(workspace, config.name, begun_at(study.attempts)),
        )


def open_for_writing(
    workspace: Workspace,
    config: StudyConfig,
    facts: DataFacts,
    stopping: Callable[[], bool] = lambda: True,
) -> Study:
    """Open a study whose lease is held, creating it if there is none."""
    with workspace.making_tables():
        storage = open_storage(workspace.storage)
    return Study(storage, config, facts, stopping)


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Take the first SIGINT or SIGTERM as a request to stop, and a second one as an order.

    Only a program's main thread can: called from another one, a study goes on to its end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    requested: list[int] = []

    def request(number: int, _frame: object) -> None:
        if requested:
            raise KeyboardInterrupt
        requested.append(number)

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(requested)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
