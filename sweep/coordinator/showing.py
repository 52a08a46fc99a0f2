"""Having MLflow show a study: what an earlier run left out, and the report at the end."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sweep.coordinator.inspect import Recorded
from sweep.coordinator.projection import Projector, attempt_run, encoder_run, study_run
from sweep.coordinator.reporting import Document, document, write_report
from sweep.home import Home
from sweep.reports.comparison import Report
from sweep.reports.render import summary
from sweep.representations import REPRESENTATIONS
from sweep.representations.store import EncoderStore
from sweep.results import DataFacts
from sweep.search.attempt import State
from sweep.search.study import Study
from sweep.tracking import Status, Tracker

_LAST_PROJECTION_SECONDS = 120.0


@dataclass(frozen=True)
class Shown:
    """What came of showing a study."""

    report: Report
    chart: tuple[str, str] | None
    """MLflow's tracking URI, and the chart page's path in its UI; None if it was out of reach."""


class Showing:
    """One study in MLflow, for as long as its lease is held."""

    def __init__(self, study: Study, data: DataFacts, home: Home) -> None:
        self._study = study
        self._data = data
        self._home = home
        self._encoders = EncoderStore(home)
        self.projector = Projector(home, study.config.name, data)
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
        keys = {
            spec.encoder(draw).key
            for spec in (attempt.spec for attempt in past)
            if REPRESENTATIONS[spec.representation.name].is_trained
            for draw in range(spec.draws)
        }
        self.projector.project(
            encoder_run(record, self._encoders.pictures(key))
            for key in sorted(keys)
            if (record := self._encoders.record(key))
        )
        self.projector.project(attempt_run(attempt) for attempt in past)

    def finish(self, *, stopped: bool) -> Shown:
        """Wait for what is being projected, and attach the report.

        Args:
            stopped: whether the study is left before its end.
        """
        study = self._study
        status: Status = "FAILED" if study.shortfall else "FINISHED"
        if stopped:
            status = "KILLED"
        shown: list[Shown] = []

        def conclude(tracker: Tracker) -> None:
            written = self._document(tracker.trial_run_ids())
            run_id = tracker.project(self._run(status))
            with tempfile.TemporaryDirectory() as directory:
                write_report([written], Path(directory))
                tracker.attach(run_id, Path(directory))
            tracker.describe(run_id, summary(written.report))
            shown.append(Shown(written.report, (tracker.uri, tracker.chart_path)))

        self.projector.finish(conclude, _LAST_PROJECTION_SECONDS)
        if shown:
            return shown[0]
        return Shown(self._document({}).report, None)

    def _document(self, mlflow_run_ids: Mapping[int, str]) -> Document:
        study = self._study
        recorded = Recorded(
            config=study.config,
            data=self._data,
            attempts=study.attempts,
            environments=study.environments,
            figures=study.figures,
        )
        return document(recorded, mlflow_run_ids, self._home)
