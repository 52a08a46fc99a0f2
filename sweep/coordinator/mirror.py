"""A study's image in MLflow: what an earlier run left out, and the report at the end."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sweep import __version__
from sweep.coordinator.documents import PAGE, Document, document, write_report
from sweep.coordinator.projector import Projector
from sweep.coordinator.runs import attempt_run, encoder_run, study_run
from sweep.reports.comparison import Report
from sweep.reports.render import summary
from sweep.search.attempt import State
from sweep.search.study import Study
from sweep.tracking import RunStatus, Tracker
from sweep.tracking.connection import ui_address
from sweep.workspace import Workspace

_LAST_PROJECTION_SECONDS = 120.0


@dataclass(frozen=True)
class Shown:
    """What came of showing a study."""

    report: Report
    chart: tuple[str, str] | None
    """MLflow's tracking URI, and the chart page's path in its UI; None if it was out of reach."""


class Mirror:
    """One study in MLflow, for as long as its lease is held."""

    def __init__(self, study: Study, workspace: Workspace) -> None:
        self._study = study
        self._store = workspace.store
        self.projector = Projector(workspace, study.config.name, study.data)
        identity = json.dumps(study.config.identity, sort_keys=True)
        self._run = partial(
            study_run,
            study.config,
            hashlib.sha256(identity.encode()).hexdigest()[:32],
            min([a.started_at for a in study.attempts], default=int(time.time() * 1000)),
        )

    def begin(self) -> None:
        """Have the study's run, and all that it has done so far, projected."""
        self.projector.project([self._run("RUNNING")])
        past = [attempt for attempt in self._study.attempts if attempt.state is not State.RUNNING]
        # Those of a study that an older version ran are recorded in the home alone.
        keys = {encoder.key for attempt in past for encoder in attempt.spec.encoders}
        for key in sorted(keys - self._study.encoders.keys()):
            if record := self._store.encoders.record(key):
                self._study.note_encoder(record)
        self.projector.project(
            encoder_run(record, self._store.pictures(key))
            for key, record in sorted(self._study.encoders.items())
        )
        self.projector.project(attempt_run(attempt) for attempt in past)

    def finish(
        self,
        *,
        stopped: bool,
        within: float = _LAST_PROJECTION_SECONDS,
        leaving: Callable[[], bool] = lambda: False,
    ) -> Shown:
        """Wait for what is being projected, and attach the report.

        Args:
            stopped: whether the study is left before its end.
            within: seconds that MLflow is waited for.
            leaving: says that it is waited for no longer.
        """
        study = self._study
        status: RunStatus = "FAILED" if study.shortfall else "FINISHED"
        if stopped:
            status = "KILLED"
        shown: list[Shown] = []

        def conclude(tracker: Tracker) -> None:
            written = document(study.recorded, tracker.trial_run_ids(), self._store)
            self._attach(tracker, tracker.project(self._run(status)), written)
            shown.append(Shown(written.report, (tracker.uri, tracker.chart_path)))

        # Also those that were trained to confirm, or to assess, what was selected.
        self.projector.project(
            encoder_run(record, self._store.pictures(key))
            for key, record in sorted(study.encoders.items())
        )
        self.projector.finish(conclude, min(within, _LAST_PROJECTION_SECONDS), leaving)
        if shown:
            return shown[0]
        return Shown(document(study.recorded, {}, self._store).report, None)

    def _attach(self, tracker: Tracker, run_id: str, written: Document) -> None:
        """Bring a study's report to MLflow, unless that very report stands there: drawing it takes
        longer than all else of a run that finds nothing to do.
        """
        content = [__version__, written.config.to_yaml(), written.report.model_dump_json()]
        digest = hashlib.sha256("\0".join(content).encode()).hexdigest()
        if tracker.has_report(run_id, digest, PAGE):
            return
        self._note_test_scores(tracker, written.report)
        with tempfile.TemporaryDirectory() as directory:
            write_report([written], Path(directory), ui_address(tracker.uri))
            tracker.attach(run_id, Path(directory))
        tracker.describe(run_id, summary(written.report))
        tracker.note_report(run_id, digest)

    def _note_test_scores(self, tracker: Tracker, report: Report) -> None:
        """What the test partition says of what was selected stands beside its own scores."""
        run_ids = tracker.trial_run_ids()
        ended = {
            run_id: attempt.result.finished_at
            for attempt in self._study.attempts
            if attempt.result and (run_id := run_ids.get(attempt.number))
        }
        for row in report.rows:
            is_tested = report.scored_on == "test" and bool(report.searched)
            score = row.accuracy if is_tested else row.test_accuracy
            if score is not None:
                for run_id in row.mlflow_run_ids:
                    tracker.note_metric(run_id, "test_accuracy", score, ended[run_id])
