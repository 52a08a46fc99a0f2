"""MLflow's home: runs are projected into it, each exactly once.

What MLflow holds is a projection of what the studies' storage holds, and can be repeated at any
time: a run is found by its identity tags or created with them; of its values, those are logged that
do not stand there; its status is set last, and says that all the rest is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.home import Home
from sweep.results import DataFacts
from sweep.tracking.artifacts import Artifacts
from sweep.tracking.connection import is_server, open_client
from sweep.tracking.relocation import relocate
from sweep.tracking.runs import (
    FRONT,
    NOTE,
    TO_REPORT,
    Run,
    Standing,
    standing_runs,
    trial_run_ids,
)
from sweep.tracking.views import (
    NOTHING,
    PICTURE,
    VIEW,
    Varied,
    chart_path,
    link,
    picture,
    report_path,
    run_path,
    shared_view,
    table_path,
)
from sweep.workspace import Workspace

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Experiment

_METRICS_A_BATCH = 900  # MLflow takes 1,000 at most
_REPORT_TAG = "report.sha256"


class Tracker:
    """The MLflow experiment of one study. Every method may raise what MLflow raises."""

    def __init__(
        self, workspace: Workspace, study: str, data: DataFacts, varied: Varied = NOTHING
    ) -> None:
        """Open the study's experiment, and learn which runs it has; slow (MLflow is imported).

        Args:
            workspace: names MLflow's place, and the home that keeps its artifacts.
            study: the study's name.
            data: its dataset, which every run is given as an input.
            varied: what it varies, which its pages show.
        """
        self.uri = workspace.tracking
        self._study = study
        self._data = data
        self._client = open_client(workspace)
        if workspace.keeps_tracking:
            relocate(workspace.home)
        experiment = self._open_experiment(workspace.home, varied)
        self.experiment_id = str(experiment.experiment_id)
        place = experiment.artifact_location
        directory = _directory(place, workspace.home) if workspace.keeps_tracking else None
        self._artifacts = Artifacts(self._client, directory)
        self._runs = standing_runs(self._client, self.experiment_id)

    def has(self, run: Run) -> bool:
        """Whether a run stands there complete: finished, or ended just as it is given; as this
        version shows it, and with its artifacts.
        """
        found = self._runs.get(run.identity)
        if found is None or not found.agrees(run):
            return False
        return not self._artifacts.may_lack(found.run_id, run.artifacts)

    def trial_run_ids(self) -> dict[int, str]:
        """Ids of the trials' runs that have ended, by Optuna's trial number."""
        return trial_run_ids(self._runs)

    def project(self, run: Run) -> str:
        """Bring one run into MLflow, and give its id; what stands there is not written again.

        One that is to be RUNNING may be projected again and again as it gets on, and one that has
        ended otherwise than well may go on.
        """
        from mlflow.entities import Param, RunTag

        standing = self._runs.get(run.identity)
        is_ours = standing is None or not standing.is_described
        if run.kind == "trial" and is_ours and (note := self._note(run)):
            run = replace(run, tags={**run.tags, NOTE: note})
        standing = standing or self._create(run)  # with its tags: that is one writing less
        run_id = standing.run_id
        points = standing.missing_points(self._client, run)
        params = [Param(key, value) for key, value in standing.missing_params(run).items()]
        tags = [RunTag(key, value) for key, value in standing.missing_tags(run).items()]
        if points or params or tags:
            first = points[:_METRICS_A_BATCH]
            self._client.log_batch(run_id, metrics=first, params=params, tags=tags)
        for start in range(_METRICS_A_BATCH, len(points), _METRICS_A_BATCH):
            self._client.log_batch(run_id, metrics=points[start : start + _METRICS_A_BATCH])
        for key in standing.stale_tags(run):
            self._client.delete_tag(run_id, key)
        for name, text in standing.missing_texts(run).items():
            self._artifacts.add_text(run_id, name, text)
        standing.note(run, points)
        if not standing.has_inputs:
            self._client.log_inputs(run_id, [_dataset_input(self._data)])
            standing.has_inputs = True
        for path in run.files:
            self._artifacts.add(run_id, path)
        if not run.goes_on:
            self._client.set_terminated(run_id, run.status, run.finished_at)
        elif standing.status != "RUNNING":
            self._client.update_run(run_id, status="RUNNING")
        standing.end(run.status)
        return run_id

    def _create(self, run: Run) -> Standing:
        created = self._client.create_run(
            self.experiment_id,
            start_time=run.started_at,
            run_name=run.name,
            tags={"sweep.kind": run.kind, "sweep.study": self._study, **run.tags},
        )
        standing = self._runs[run.identity] = Standing(created, is_new=True)
        return standing

    def end_abandoned(self) -> None:
        """End what stands there as if it ran, but for the study: nothing does any more.

        Such are encoders whose training was left; it may go on later.
        """
        for (kind, _), standing in self._runs.items():
            if kind != "study" and standing.status == "RUNNING":
                self._client.set_terminated(standing.run_id, "KILLED")
                standing.end("KILLED")

    def attach(self, run_id: str, directory: Path) -> None:
        """Put the files of a directory into a run's artifacts."""
        for file in sorted(directory.iterdir()):
            self._artifacts.add(run_id, file)

    def note_metrics(
        self, run_id: str, metrics: Mapping[str, float], moment: int, step: int = 0
    ) -> None:
        """Log more values of a run; with the same moment and step they stand there once.

        Args:
            run_id: of the run.
            metrics: by name.
            moment: milliseconds since the epoch.
            step: what they are drawn over.
        """
        from mlflow.entities import Metric

        points = [Metric(name, value, moment, step) for name, value in metrics.items()]
        self._client.log_batch(run_id, metrics=points)

    def note_front(self, trials: Mapping[int, bool]) -> None:
        """Tag trials that have ended, by number, with whether they are on the report's front."""
        for number, is_on in trials.items():
            standing = self._runs.get(("trial", str(number)))
            tag = "yes" if is_on else "no"
            if standing is not None and standing.front != tag:
                self._client.set_tag(standing.run_id, FRONT, tag)
                standing.front = tag

    def note_report(self, run_id: str, digest: str) -> None:
        """Write down of which content a run has the report, and all that goes with it."""
        self._client.set_tag(run_id, _REPORT_TAG, digest)

    def has_report(self, run_id: str, digest: str, name: str) -> bool:
        """Whether a run has the report of this content, and still the artifact of this name."""
        if self._client.get_run(run_id).data.tags.get(_REPORT_TAG) != digest:
            return False
        return name in self._artifacts.names(run_id)

    def describe(self, run_id: str, colours: str, summary: str) -> None:
        """Set the note of the study's run and of the experiment.

        Args:
            run_id: the study's run.
            colours: which is whose; it stands in the first line, which MLflow shows of a long note.
            summary: what stands below.
        """
        report = link("Report", report_path(self.experiment_id, run_id))
        shown = picture(PICTURE, run_id)
        first = f"{report} · {_links(self.experiment_id)} · {colours}"
        note = f"{first}\n\n{shown}\n\n{summary}"
        self._client.set_tag(run_id, NOTE, note)
        self._client.set_experiment_tag(self.experiment_id, NOTE, note)

    @property
    def chart_path(self) -> str:
        """The page of MLflow's UI that shows accuracy against parameters, from its root."""
        return chart_path(self.experiment_id)

    def _note(self, run: Run) -> str | None:
        """Where a trial's page leads to; None before the study has a run."""
        study = self._runs.get(("study", ""))
        if study is None:
            return None
        to_report = link(TO_REPORT, report_path(self.experiment_id, study.run_id))
        others = [
            link(name, run_path(self.experiment_id, found.run_id))
            for name, other in run.stands_on
            if (found := self._runs.get(other))
        ]
        return " · ".join([to_report, *others])

    def _open_experiment(self, home: Home, varied: Varied) -> Experiment:
        experiment = self._client.get_experiment_by_name(self._study)
        if experiment is None:
            # A server knows where its artifacts go; a local database must be told.
            place = None if is_server(self.uri) else (home.mlartifacts / self._study).as_uri()
            experiment_id = self._client.create_experiment(self._study, place)
            self._client.set_experiment_tag(experiment_id, NOTE, _links(experiment_id))
            experiment = self._client.get_experiment(experiment_id)
        experiment_id = experiment.experiment_id
        if experiment.lifecycle_stage == "deleted":
            self._client.restore_experiment(experiment_id)
        tags = {
            f"mlflow.sharedViewState.{VIEW}": json.dumps(shared_view(varied)),
            "mlflow.experimentKind": "custom_model_development",  # opens on the runs
        }
        for key, value in tags.items():
            self._client.set_experiment_tag(experiment_id, key, value)
        return experiment


def _links(experiment_id: str) -> str:
    """The links to an experiment's pages that stand in descriptions."""
    chart = link("Accuracy against parameters", chart_path(experiment_id))
    return f"{chart} · {link('trials as a table', table_path(experiment_id))}"


def _directory(location: str, home: Home) -> Path | None:
    """The directory in the home of an experiment whose artifacts lie there."""
    above, _, name = location.rpartition("/")
    return home.mlartifacts / name if above == home.mlartifacts.as_uri() else None


def _dataset_input(data: DataFacts) -> DatasetInput:
    """The dataset as MLflow shows it: by its name and the beginning of its content's hash."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=data.name,
        digest=data.sha256[:16],
        source_type="sweep",
        source=json.dumps({"dataset": data.name, "sha256": data.sha256}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
