"""What the start page says of the studies: what MLflow holds of them, and whether they run."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from sweep.database import readable
from sweep.lease import last_owner
from sweep.tracking.connection import ask_ourselves, client
from sweep.tracking.overview import GREY, Dot
from sweep.tracking.runs import COLOUR, FRONT
from sweep.tracking.views import REPORT, START_PATH, VIEW, chart_path, table_path
from sweep.workspace import Workspace

if TYPE_CHECKING:
    from mlflow.entities import Experiment
    from mlflow.entities import Run as MlflowRun
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

_MOST_MARKS = 1000
_PAGE = 1000
_DASHBOARD_SECONDS = 2
_DESTINATION = "_MLFLOW_SERVER_ARTIFACT_DESTINATION"
"""Names what ``mlflow server`` was given as ``--artifacts-destination``; it is of MLflow's own."""
_STATUSES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "stopped"}


@dataclass(frozen=True)
class Listed:
    """One study on the page. Paths are relative to the server's root."""

    name: str
    status: str
    """running, finished, failed, stopped, or interrupted: its process died."""
    means: str
    """What to do about it, if anything."""
    trials: int
    """How many are complete."""
    target: int | None
    best: str
    """The most accurate configuration, with its number of labels; empty before there is one."""
    scores: Mapping[str, float]
    """Its accuracies in percent by partition: first on the test partition, if it is known there."""
    begun: int
    """Milliseconds since the epoch."""
    picture: str
    chart: str
    table: str
    report: str | None
    """None before there is one."""
    models: Mapping[str, str]
    """Paths of the versions that were registered from it, by what they are called."""
    dashboard: tuple[int, str] | None
    """Port and path of Optuna's dashboard, if it runs beside MLflow's server."""


class Landing:
    """Reads what the page shows. Every method may raise what MLflow raises."""

    def __init__(self, workspace: Workspace, dashboard: str | None) -> None:
        """Nothing is read yet.

        Args:
            workspace: where the studies are, and MLflow's runs.
            dashboard: the address of Optuna's dashboard, if one was started.
        """
        self._workspace = workspace
        self._dashboard = dashboard
        self._client = client(workspace.tracking)

    def studies(self) -> list[Listed]:
        """Every study, the newest first."""
        experiments = list(self._experiments())
        runs = self._study_runs([each.experiment_id for each in experiments])
        models = self._models()
        dashboards = self._dashboards()
        return [
            self._shown(
                each,
                runs.get(each.experiment_id),
                models.get(each.name, {}),
                dashboards.get(each.name),
            )
            for each in experiments
        ]

    def chart(self, study: str) -> str | None:
        """The page of a study's chart; None if there is no such study."""
        experiment = self._client.get_experiment_by_name(study)
        return None if experiment is None else chart_path(experiment.experiment_id)

    def marks(self, study: str) -> list[Dot] | None:
        """A study's complete trials, a thousand at most; None if there is no such study."""
        experiment = self._client.get_experiment_by_name(study)
        if experiment is None:
            return None
        complete = "tags.`sweep.kind` = 'trial' and attributes.status = 'FINISHED'"
        runs = self._client.search_runs([experiment.experiment_id], complete, 1, _MOST_MARKS)
        return [
            Dot(
                run.data.params["representation"],
                run.data.metrics["classifier_parameters"],
                run.data.metrics["accuracy"],
                _colour(run.data.tags.get(COLOUR, "")),
                run.data.tags.get(FRONT) == "yes",
                int(run.data.params["labels"]),
            )
            for run in runs
        ]

    def report(self, study: str) -> bytes | None:
        """A study's report as a page; None if there is none."""
        experiment = self._client.get_experiment_by_name(study)
        if experiment is None:
            return None
        run = self._study_runs([experiment.experiment_id]).get(experiment.experiment_id)
        if run is None or not self._has_report(run):
            return None
        with TemporaryDirectory() as directory:
            kept = _artifacts(run)
            file = kept.download_artifacts(REPORT, directory)  # type: ignore[no-untyped-call]  # MLflow
            return Path(file).read_bytes()

    def _experiments(self) -> Iterator[Experiment]:
        token = None
        while True:
            page = self._client.search_experiments(
                order_by=["creation_time DESC"], page_token=token
            )
            yield from (each for each in page if f"mlflow.sharedViewState.{VIEW}" in each.tags)
            token = page.token
            if not token:
                return

    def _study_runs(self, experiment_ids: list[str]) -> dict[str, MlflowRun]:
        """The studies' own runs, by experiment."""
        if not experiment_ids:
            return {}
        found: dict[str, MlflowRun] = {}
        token = None
        while True:
            page = self._client.search_runs(
                experiment_ids, "tags.`sweep.kind` = 'study'", 1, _PAGE, None, token
            )
            found |= {run.info.experiment_id: run for run in page}
            token = page.token
            if not token:
                return found

    def _models(self) -> dict[str, dict[str, str]]:
        """The registered versions, by study."""
        found: dict[str, dict[str, str]] = {}
        for version in self._client.search_model_versions(order_by=["version_number ASC"]):
            if study := version.tags.get("sweep.study"):
                path = f"/#/models/{quote(version.name)}/versions/{version.version}"
                found.setdefault(study, {})[f"{version.name} {version.version}"] = path
        return found

    def _dashboards(self) -> dict[str, tuple[int, str]]:
        """Where Optuna's dashboard shows each study; none if it does not answer."""
        if self._dashboard is None:
            return {}
        try:
            address = f"{self._dashboard}/api/studies"
            with ask_ourselves(address, timeout=_DASHBOARD_SECONDS) as response:
                summaries = json.load(response)["study_summaries"]
        except (OSError, ValueError, KeyError):
            return {}
        port = urlsplit(self._dashboard).port or 80
        return {
            each["study_name"]: (port, f"/dashboard/studies/{each['study_id']}")
            for each in summaries
        }

    def _has_report(self, run: MlflowRun) -> bool:
        return any(each.path == REPORT for each in _artifacts(run).list_artifacts())

    def _shown(
        self,
        experiment: Experiment,
        run: MlflowRun | None,
        models: Mapping[str, str],
        dashboard: tuple[int, str] | None,
    ) -> Listed:
        name = experiment.name
        tags = run.data.tags if run else {}
        metrics = run.data.metrics if run else {}
        status, means = self._status(name, run.info.status if run else "RUNNING")
        target = tags.get("sweep.target")
        best, scores = self._best(run) if run else ("", {})
        place = f"{START_PATH}/{quote(name)}"
        return Listed(
            name=name,
            status=status,
            means=means,
            trials=int(metrics.get("trials", 0)),
            target=int(target) if target else None,
            best=best,
            scores=scores,
            begun=(run.info.start_time if run else experiment.creation_time) or 0,
            picture=f"{place}/overview.svg",
            chart=chart_path(experiment.experiment_id),
            table=table_path(experiment.experiment_id),
            report=f"{place}/report" if run and self._has_report(run) else None,
            models=models,
            dashboard=dashboard,
        )

    def _best(self, study: MlflowRun) -> tuple[str, dict[str, float]]:
        """The most accurate configuration of a study, and its scores.

        On the partition by which it was selected it looks better than it is.
        """
        tags, accuracy = study.data.tags, study.data.metrics.get("best_accuracy")
        name = tags.get("sweep.best", "")
        if accuracy is None or not name:
            return "", {}
        which = f"attributes.run_name LIKE '{name} · %' AND attributes.status = 'FINISHED'"
        runs = self._client.search_runs([study.info.experiment_id], which, 1, 1)
        metrics = runs[0].data.metrics if runs else {}
        labels = runs[0].data.params.get("labels") if runs else None
        if labels is not None and not name.endswith(" labels"):
            name = f"{name}, {int(labels):,} labels"
        scores = {tags.get("sweep.scored_on", ""): 100 * accuracy}
        if "test_accuracy" in metrics:
            scores = {"test": 100 * metrics["test_accuracy"]} | scores
        return name, scores

    def _status(self, study: str, status: str) -> tuple[str, str]:
        """A study's status as the page has it, and what to do about it."""
        if status != "RUNNING":
            meanings = {
                "failed": f"its target was missed; sweep status {study} says why",
                "stopped": "sweep run with its config goes on",
            }
            shown = _STATUSES[status]
            return shown, meanings.get(shown, "")
        owner = last_owner(readable(self._workspace.storage), study)
        if owner is not None and owner.is_alive:
            return "running", f"by {owner}"
        return "interrupted", "sweep run with its config goes on"


def _colour(tag: str) -> str:
    """A run's colour; grey for what is none, which would stand in a picture as it is."""
    return tag if re.fullmatch(r"#[0-9A-Fa-f]{6}", tag) else GREY


def _artifacts(run: MlflowRun) -> ArtifactRepository:
    """A run's artifacts, as the server's own process finds them.

    Those that it hands on to others (``mlflow-artifacts:``) are at its destination.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    uri: str = run.info.artifact_uri
    address = urlsplit(uri)
    if address.scheme == "mlflow-artifacts":
        uri = f"{os.environ[_DESTINATION].rstrip('/')}{address.path}"
    return get_artifact_repository(uri)
