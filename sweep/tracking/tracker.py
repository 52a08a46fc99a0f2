"""MLflow's home: runs are projected into it, each exactly once.

What MLflow holds is a projection of what the studies' storage holds, and can be repeated at any
time: a run is found by its identity tags or created with them; its values are logged with fixed
timestamps, so that logging them again changes nothing; its status is set last, and says that all
the rest is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from sweep.results import DataFacts
from sweep.tracking.connection import client, create_database, is_server
from sweep.tracking.views import VIEW, chart_path, shared_view, table_path
from sweep.workspace import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric

RunKind = Literal["study", "trial", "encoder"]
RunStatus = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
Identity = tuple[str, str]

_METRICS_A_BATCH = 900  # MLflow takes 1,000 at most
_PAGE = 1000
_REPORT_TAG = "report.sha256"


class _Standing(NamedTuple):
    """A run that MLflow has."""

    run_id: str
    status: str


@dataclass(frozen=True)
class Run:
    """One MLflow run, as it is to stand there.

    ``curves`` hold one value per epoch, from epoch 1. Times are milliseconds since the epoch.
    """

    kind: RunKind
    name: str
    status: RunStatus
    started_at: int
    finished_at: int
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    """Artifacts by file name."""
    files: Sequence[Path] = ()
    """More artifacts."""

    @property
    def identity(self) -> Identity:
        """What tells it from the other runs of its study."""
        return _identity({"sweep.kind": self.kind, **self.tags})


class Tracker:
    """The MLflow experiment of one study. Every method may raise what MLflow raises."""

    def __init__(self, workspace: Workspace, study: str, data: DataFacts) -> None:
        """Open the study's experiment, and learn which runs it has; slow (MLflow is imported).

        Args:
            workspace: names MLflow's place, and the home that keeps its artifacts.
            study: the study's name.
            data: its dataset, which every run is given as an input.
        """
        self.uri = workspace.tracking
        if workspace.keeps_tracking:
            create_database(workspace.home)
        self._study = study
        self._data = data
        self._client = client(self.uri)
        self.experiment_id = self._open_experiment(workspace.home.mlartifacts)
        self._runs = _standing_runs(self._client, self.experiment_id)

    def has(self, run: Run) -> bool:
        """Whether a run stands there complete."""
        found = self._runs.get(run.identity)
        return found is not None and found.status != "RUNNING"

    def trial_run_ids(self) -> dict[int, str]:
        """Ids of the trials' runs, by Optuna's trial number."""
        return _trial_run_ids(self._runs)

    def project(self, run: Run) -> str:
        """Bring one run into MLflow, and give its id; doing it again changes nothing."""
        from mlflow.entities import Param, RunTag

        found = self._runs.get(run.identity)
        if found is not None:
            run_id = found.run_id
        else:
            created = self._client.create_run(
                self.experiment_id,
                start_time=run.started_at,
                run_name=run.name,
                tags={
                    "sweep.kind": run.kind,
                    "sweep.study": self._study,
                    **run.tags,
                },
            )
            run_id = created.info.run_id
            self._runs[run.identity] = _Standing(run_id, "RUNNING")
        points = _points(run)
        self._client.log_batch(
            run_id,
            metrics=points[:_METRICS_A_BATCH],
            params=[Param(key, value) for key, value in run.params.items()],
            tags=[RunTag(key, value) for key, value in run.tags.items()],
        )
        for start in range(_METRICS_A_BATCH, len(points), _METRICS_A_BATCH):
            self._client.log_batch(run_id, metrics=points[start : start + _METRICS_A_BATCH])
        self._client.log_inputs(run_id, [_dataset_input(self._data)])
        for name, text in run.texts.items():
            self._client.log_text(run_id, text, name)
        for path in run.files:
            self._client.log_artifact(run_id, str(path))
        self._end(run, run_id)
        return run_id

    def _end(self, run: Run, run_id: str) -> None:
        if run.status == "RUNNING":
            self._client.update_run(run_id, status="RUNNING")
        else:
            self._client.set_terminated(run_id, run.status, run.finished_at)
        self._runs[run.identity] = _Standing(run_id, run.status)

    def attach(self, run_id: str, directory: Path) -> None:
        """Put the files of a directory into a run's artifacts."""
        self._client.log_artifacts(run_id, str(directory))

    def note_report(self, run_id: str, digest: str) -> None:
        """Write down of which content a run has the report, and all that goes with it."""
        self._client.set_tag(run_id, _REPORT_TAG, digest)

    def has_report(self, run_id: str, digest: str, name: str) -> bool:
        """Whether a run has the report of this content, and still the artifact of this name."""
        if self._client.get_run(run_id).data.tags.get(_REPORT_TAG) != digest:
            return False
        return any(artifact.path == name for artifact in self._client.list_artifacts(run_id))

    def describe(self, run_id: str, summary: str) -> None:
        """Set the note of the study's run and of the experiment."""
        links = (
            f"[Accuracy against parameters]({self.chart_path.removeprefix('/')}) · "
            f"[trials as a table]({table_path(self.experiment_id).removeprefix('/')})"
        )
        note = f"{links}\n\n{summary}"
        self._client.set_tag(run_id, "mlflow.note.content", note)
        self._client.set_experiment_tag(self.experiment_id, "mlflow.note.content", note)

    @property
    def chart_path(self) -> str:
        """The page of MLflow's UI that shows accuracy against parameters, from its root."""
        return chart_path(self.experiment_id)

    def _open_experiment(self, mlartifacts: Path) -> str:
        experiment = self._client.get_experiment_by_name(self._study)
        if experiment is None:
            # A server knows where its artifacts go; a local database must be told.
            place = None if is_server(self.uri) else (mlartifacts / self._study).as_uri()
            experiment_id = str(self._client.create_experiment(self._study, place))
        else:
            experiment_id = str(experiment.experiment_id)
            if experiment.lifecycle_stage == "deleted":
                self._client.restore_experiment(experiment_id)
        tags = {
            f"mlflow.sharedViewState.{VIEW}": json.dumps(shared_view()),
            "mlflow.experimentKind": "custom_model_development",  # opens on the runs
        }
        for key, value in tags.items():
            self._client.set_experiment_tag(experiment_id, key, value)
        return experiment_id


def find_trial_run_ids(workspace: Workspace, study: str) -> dict[int, str]:
    """Ids of a study's trial runs, by Optuna's trial number; looks, and creates nothing."""
    if workspace.keeps_tracking and not workspace.home.mlflow_db.exists():
        return {}
    mlflow = client(workspace.tracking)
    experiment = mlflow.get_experiment_by_name(study)
    return _trial_run_ids(_standing_runs(mlflow, experiment.experiment_id)) if experiment else {}


def _standing_runs(client: MlflowClient, experiment_id: str) -> dict[Identity, _Standing]:
    """Every run of an experiment that this system made."""
    runs: dict[Identity, _Standing] = {}
    token = None
    while True:
        page = client.search_runs([experiment_id], "", 1, _PAGE, None, token)
        for run in page:
            if "sweep.kind" in run.data.tags:
                runs[_identity(run.data.tags)] = _Standing(run.info.run_id, run.info.status)
        token = page.token
        if not token:
            return runs


def _identity(tags: Mapping[str, str]) -> Identity:
    """Trials are told apart by their number, encoders by their key; the study is one."""
    kind = tags["sweep.kind"]
    name = {"trial": "sweep.trial", "encoder": "sweep.key"}.get(kind)
    return kind, tags[name] if name else ""


def _trial_run_ids(runs: Mapping[Identity, _Standing]) -> dict[int, str]:
    return {int(name): run.run_id for (kind, name), run in runs.items() if kind == "trial"}


def _points(run: Run) -> list[Metric]:
    from mlflow.entities import Metric

    moment = run.finished_at
    points = [Metric(key, float(value), moment, 0) for key, value in run.metrics.items()]
    for key, curve in run.curves.items():
        points += [
            Metric(key, float(value), moment, epoch + 1) for epoch, value in enumerate(curve)
        ]
    return points


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
