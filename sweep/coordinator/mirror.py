"""A study's image in MLflow: what an earlier run left out, and the report at the end."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sweep import __version__
from sweep.coordinator.documents import PAGE, Document, document, write_report
from sweep.coordinator.labels import Labels
from sweep.coordinator.note import colour_key, summary
from sweep.coordinator.projector import Projector
from sweep.coordinator.runs import StudyRun, attempt_run, encoder_run, percent
from sweep.reports.comparison import Report
from sweep.reports.rows import Row
from sweep.reports.style import colour, number
from sweep.search.attempt import State
from sweep.search.study import Study
from sweep.tracking import Run, RunStatus, Tracker
from sweep.tracking.connection import ui_address
from sweep.tracking.overview import Dot, overview
from sweep.tracking.views import PICTURE
from sweep.workspace import Workspace

_SHOWN_AS = "4"
"""Goes up when what is brought to MLflow with a report changes: then it is brought anew."""
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
        self._labels = Labels(study.config)
        self.projector = Projector(
            workspace, study.config.name, study.data, varied=self._labels.params
        )

    def _run(self, status: RunStatus) -> Run:
        """The study's run as it stands."""
        study = self._study
        return StudyRun(study.config, study.attempts, study.progress.target).at(status)

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
            encoder_run(record, self._store.pictures(key), self._labels)
            for key, record in sorted(self._study.encoders.items())
        )
        self.projector.project(attempt_run(attempt) for attempt in past)

    def close(self) -> None:
        """Project no more; what is missing is projected by the next start."""
        self.projector.close()

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
            encoder_run(record, self._store.pictures(key), self._labels)
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
        content = [
            __version__,
            _SHOWN_AS,
            written.config.to_yaml(),
            written.report.title,
            written.report.model_dump_json(),
        ]
        rows = written.report.rows
        complete = self._complete(tracker)
        fronts = {run_id for row in rows if row.pareto for run_id in row.mlflow_run_ids}
        tracker.note_front({number: run_id in fronts for run_id, (number, _) in complete.items()})
        digest = hashlib.sha256("\0".join(content).encode()).hexdigest()
        if tracker.has_report(run_id, digest, PAGE):
            return
        self._note_test_scores(tracker, written.report, complete)
        with tempfile.TemporaryDirectory() as directory:
            write_report([written], Path(directory), ui_address(tracker.uri))
            Path(directory, PICTURE).write_text(
                overview([_dot(row) for row in rows]), encoding="utf-8"
            )
            tracker.attach(run_id, Path(directory))
        tracker.describe(run_id, colour_key(written.report), summary(written.report))
        front = {"front": sum(row.pareto for row in rows)}
        tracker.note_metrics(run_id, front, int(1000 * time.time()), self._study.progress.complete)
        tracker.note_report(run_id, digest)

    def _note_test_scores(
        self, tracker: Tracker, report: Report, complete: Mapping[str, tuple[int, int]]
    ) -> None:
        """What the test partition says of what was selected stands beside its own scores.

        A run shows the latest step: what fresh draws say comes after what the search's own said.
        """
        is_tested = report.scored_on == "test" and bool(report.searched)
        for row in report.rows:
            score = row.accuracy if is_tested else row.test_accuracy
            if score is not None:
                scores = {"test_accuracy": score, "test_percent": percent(score)}
                for run_id in row.mlflow_run_ids:
                    _, ended = complete[run_id]
                    tracker.note_metrics(run_id, scores, ended, step=int(is_tested))

    def _complete(self, tracker: Tracker) -> dict[str, tuple[int, int]]:
        """The runs of complete trials: number, and when it ended (milliseconds since the epoch)."""
        run_ids = tracker.trial_run_ids()
        return {
            run_id: (attempt.number, attempt.result.finished_at)
            for attempt in self._study.attempts
            if attempt.result and (run_id := run_ids.get(attempt.number))
        }


def _dot(row: Row) -> Dot:
    shade = colour(number(row.representation))
    parameters = row.classifier_parameters
    return Dot(row.representation, parameters, row.accuracy, shade, row.pareto, row.labels)
