"""Running a study from its config to its table, and going on with it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from sweep.config import THREADS_PER_TASK, StudyConfig
from sweep.coordinator.assessments import assess_selected
from sweep.coordinator.mirror import Mirror
from sweep.coordinator.plan import undertrained
from sweep.coordinator.trials import Snapshot, TrialRun
from sweep.data.datasets import DatasetSource
from sweep.evaluation import prepare_worker
from sweep.execution import Executor, LocalExecutor
from sweep.home import Home
from sweep.lease import lease
from sweep.machine import available_cores, environment
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
    not_assessed: int
    """Selected configurations that could not be scored on the test partition."""
    report: Report
    exhausted: list[str]
    """Representations whose space was used up before their target."""
    stopped: bool
    chart: tuple[str, str] | None
    """See :class:`Shown`."""
    best: Attempt | None
    """Of a study with one objective."""


def run_study(
    config: StudyConfig,
    workspace: Workspace,
    watch: Callable[[Snapshot], None],
) -> Ended:
    """Run a study to its target, or go on with it.

    Args:
        config: what to run.
        workspace: where it keeps what it does, and looks for its dataset.
        watch: is shown the running study a few times a second.

    Raises:
        InputError: the data, the home or the storage cannot be used, or the study was run with
            another config.
        StudyBusyError: another process is running the study.
    """
    workspace.home.create()
    source = DatasetSource.of(config.dataset, workspace.data)
    with lease(workspace, config.name) as held, _stop_signals() as stopping:
        dataset = source.load()
        sizes = config.part_sizes(dataset.labels)  # refuses what the dataset is too small for
        for warning in undertrained(config, sizes):
            log.warning(warning)
        facts = dataset.facts
        study = open_for_writing(workspace, config, facts, stopping)
        study.note_environment(environment())
        mirror = Mirror(study, workspace)
        mirror.begin()
        not_assessed = 0
        store = workspace.store
        with closing(open_executor(config, workspace.home, source)) as executor:
            trials = TrialRun(study, executor, store, mirror.projector, watch)
            trials.run(lambda: stopping() or held.lost)
            if not study.shortfall:
                not_assessed = assess_selected(
                    study, executor, store, watch, lambda: stopping() or held.lost
                )
        held.check()
        shown = mirror.finish(stopped=stopping())
        return Ended(
            progress=study.progress,
            shortfall=study.shortfall,
            not_assessed=not_assessed,
            report=shown.report,
            exhausted=study.exhausted,
            stopped=stopping(),
            chart=shown.chart,
            best=study.best if len(config.search.objectives) == 1 else None,
        )


def open_for_writing(
    workspace: Workspace,
    config: StudyConfig,
    facts: DataFacts,
    stopping: Callable[[], bool] = lambda: True,
) -> Study:
    """Open a study whose lease is held, creating it if there is none."""
    with workspace.storage_lock:
        storage = open_storage(workspace.storage)
    return Study(storage, config, facts, stopping)


def open_executor(config: StudyConfig, home: Home, source: DatasetSource) -> Executor:
    """Where a study's tasks run, as its config says; nothing is started before the first."""
    engines = {"local": LocalExecutor}
    return engines[config.execution.engine](
        _workers(config),
        partial(prepare_worker, home, source, THREADS_PER_TASK),
        config.execution.trial_timeout,
        home.logs / config.name,
    )


def _workers(config: StudyConfig) -> int:
    """The configured number of workers, or one for each core."""
    if config.execution.workers != "auto":
        return config.execution.workers
    return max(1, available_cores() // THREADS_PER_TASK)


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Take the first SIGINT or SIGTERM as a request to stop, and a second one as an order."""
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
