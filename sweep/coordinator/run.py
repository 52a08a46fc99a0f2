"""Running a study from its config to its table, and going on with it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock

from sweep.config import THREADS_PER_TASK, StudyConfig
from sweep.coordinator.lease import lease
from sweep.coordinator.loop import Loop, Snapshot
from sweep.coordinator.projection import Projector, attempt_run, encoder_run, study_run
from sweep.coordinator.reporting import study_report, write_report
from sweep.data.datasets import DatasetSource
from sweep.evaluation import prepare_worker
from sweep.execution import LocalExecutor
from sweep.reports.comparison import Report
from sweep.reports.render import to_markdown
from sweep.representations import REPRESENTATIONS
from sweep.representations.store import EncoderStore
from sweep.search.attempt import State
from sweep.search.storage import open_storage
from sweep.search.study import Progress, Study
from sweep.tracking import Status, Tracker

_LAST_PROJECTION_SECONDS = 120.0


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    progress: Progress
    shortfall: int
    """Trials that are missing, but for those that a used-up space could not give."""
    report: Report
    exhausted: list[str]
    """Representations whose space was used up before their target."""
    stopped: bool
    chart: tuple[str, str] | None
    """MLflow's tracking URI, and the chart page's path in its UI; None if it was out of reach."""


def run_study(
    config: StudyConfig,
    source: DatasetSource,
    storage_url: str,
    watch: Callable[[Snapshot], None],
) -> Ended:
    """Run a study to its target, or go on with it.

    Args:
        config: what to run.
        source: its dataset, and the home.
        storage_url: Optuna's storage.
        watch: is shown the running study a few times a second.

    Raises:
        InputError: the data, the home or the storage cannot be used, or the study was run with
            another config.
        StudyBusyError: another process is running the study.
    """
    home = source.home
    home.create()
    with lease(home, config.name), _stop_signals() as stopping:
        facts = source.load().facts
        with FileLock(home.locks / "optuna.db.lock"):  # two may not create its tables at once
            storage = open_storage(storage_url)
        study = Study(storage, config, facts)
        projector = Projector(home, config.name, facts)
        key = hashlib.sha256(json.dumps(config.identity, sort_keys=True).encode()).hexdigest()[:32]
        started_at = min([a.started_at for a in study.attempts], default=int(time.time() * 1000))
        project_study = partial(study_run, config, key, started_at)
        projector.project([project_study("RUNNING")])
        encoders = EncoderStore(home)
        _project_past(study, encoders, projector)
        executor = LocalExecutor(
            _workers(config),
            partial(prepare_worker, source, THREADS_PER_TASK),
            config.execution.trial_timeout,
            home.logs / config.name,
        )
        Loop(study, executor, encoders, projector, watch).run(stopping)

        status: Status = "FAILED" if study.shortfall else "FINISHED"
        if stopping():
            status = "KILLED"
        reports: list[Report] = []
        charts: list[tuple[str, str]] = []

        def conclude(tracker: Tracker) -> None:
            report = study_report(config, facts.is_mnist, study.attempts, tracker.trial_run_ids())
            _attach(tracker, tracker.project(project_study(status)), report, config)
            reports.append(report)
            charts.append((tracker.uri, tracker.chart_path))

        projector.finish(conclude, _LAST_PROJECTION_SECONDS)
        return Ended(
            progress=study.progress,
            shortfall=study.shortfall,
            report=reports[0]
            if reports
            else study_report(config, facts.is_mnist, study.attempts, {}),
            exhausted=study.exhausted,
            stopped=stopping(),
            chart=charts[0] if charts else None,
        )


def _project_past(study: Study, encoders: EncoderStore, projector: Projector) -> None:
    """Have projected what an earlier run of the study may have left unprojected."""
    past = [attempt for attempt in study.attempts if attempt.state is not State.RUNNING]
    keys = {
        spec.encoder(draw).key
        for spec in (attempt.spec for attempt in past)
        if REPRESENTATIONS[spec.representation.name].is_trained
        for draw in range(spec.draws)
    }
    projector.project(
        encoder_run(encoders.record(key), encoders.pictures(key))
        for key in sorted(keys)
        if encoders.has(key)
    )
    projector.project(attempt_run(attempt) for attempt in past)


def _attach(tracker: Tracker, run_id: str, report: Report, config: StudyConfig) -> None:
    """Put the report's files, and its table as a note, into the study's MLflow run."""
    with tempfile.TemporaryDirectory() as directory:
        write_report(report, config, Path(directory))
        tracker.attach(run_id, Path(directory))
    tracker.describe(run_id, to_markdown(report))


def _workers(config: StudyConfig) -> int:
    """The configured number of workers, or one for each core."""
    if config.execution.workers != "auto":
        return config.execution.workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // THREADS_PER_TASK)


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
