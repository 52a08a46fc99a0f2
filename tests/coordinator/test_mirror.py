"""A study's image in MLflow, and what is not done again for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from sweep.config import parse_config
from sweep.coordinator import mirror as mirror_module
from sweep.coordinator.documents import Document, write_report
from sweep.coordinator.mirror import Mirror
from sweep.coordinator.run import open_for_writing
from sweep.reports.style import colour, number
from sweep.results import Assessment, Replicate
from sweep.specs import AssessmentSpec
from sweep.tracking import Run, Tracker
from sweep.workspace import Workspace
from tests.guarantee import runs
from tests.search.builders import FACTS, begin, complete, config, result


def test_a_report_is_attached_once(
    tmp_path: Path, empty_mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that finds nothing to do draws nothing; what has changed, or is gone, is drawn anew."""
    written: list[int] = []

    def counting(documents: list[Document], directory: Path, mlflow: str | None) -> list[Path]:
        written.append(len(documents[0].report.rows))
        return write_report(documents, directory, mlflow)

    monkeypatch.setattr(mirror_module, "write_report", counting)
    projected: list[str] = []
    project = Tracker.project

    def noting(self: Tracker, run: Run) -> str:
        projected.append(run.kind)
        return project(self, run)

    monkeypatch.setattr(Tracker, "project", noting)
    workspace = Workspace.at(tmp_path, {})
    workspace.home.create()
    shutil.copy(empty_mlflow, workspace.home.mlflow_db)
    for trials in (2, 2, 3, 3):
        study = open_for_writing(workspace, config(pixels=trials), FACTS)
        while (attempt := begin(study)) is not None:
            complete(study, attempt, result(attempt))
        mirror = Mirror(study, workspace)
        mirror.begin()
        assert mirror.finish(stopped=False).chart is not None
    assert written == [2, 3]
    assert [kind for kind in projected if kind != "study"] == ["trial"] * 3
    (page,) = list(workspace.home.mlartifacts.rglob("report.html"))
    assert "http://127.0.0.1:5000/#/runs/" in page.read_text()
    page.unlink()
    assert Mirror(study, workspace).finish(stopped=False).chart is not None
    assert written == [2, 3, 3]


def test_what_is_projected_anew_is_whole(tmp_path: Path, empty_mlflow: Path) -> None:
    """Of a study whose trials were all done before: pages, colours, front, and how it grew."""
    workspace = Workspace.at(tmp_path, {})
    workspace.home.create()
    shutil.copy(empty_mlflow, workspace.home.mlflow_db)
    study = open_for_writing(workspace, config(pixels=3), FACTS)
    while (attempt := begin(study)) is not None:
        complete(study, attempt, result(attempt))
    mirror = Mirror(study, workspace)
    mirror.begin()
    assert mirror.finish(stopped=False).chart is not None
    client = MlflowClient(workspace.tracking)
    found = list(runs(client, study.config.name))
    (own,) = [run for run in found if run.data.tags["sweep.kind"] == "study"]
    trials = [run for run in found if run.data.tags["sweep.kind"] == "trial"]
    for run in trials:
        assert f"{own.info.run_id}/artifacts/report.html" in run.data.tags["mlflow.note.content"]
        assert run.data.tags["mlflow.runColor"] == colour(number("pixels"))
        assert run.data.metrics["accuracy_percent"] == round(100 * run.data.metrics["accuracy"], 2)
    on_front = [run for run in trials if run.data.tags["pareto"] == "yes"]
    assert own.data.metrics["front"] == len(on_front) > 0
    assert own.data.tags["sweep.target"] == "3"
    assert own.data.metrics["trials"] == len(trials) == 3
    best = max(run.data.metrics["accuracy"] for run in trials)
    assert own.data.metrics["best_accuracy"] == best
    history = client.get_metric_history(own.info.run_id, "best_accuracy")
    assert [point.step for point in sorted(history, key=lambda each: each.step)] == [1, 2, 3]


def test_what_confirms_is_shown_after_what_was_assessed(tmp_path: Path, empty_mlflow: Path) -> None:
    """Also where it is lower, and was added later; projecting it again changes nothing."""
    workspace = Workspace.at(tmp_path, {})
    workspace.home.create()
    shutil.copy(empty_mlflow, workspace.home.mlflow_db)
    searched = config(pixels=1)
    confirming = parse_config(
        searched.model_dump() | {"confirm": {"draws": 1, "classifiers": 1}}, "test"
    )
    found = []
    for step, study_config in enumerate((searched, confirming, confirming)):
        study = open_for_writing(workspace, study_config, FACTS)
        while (attempt := begin(study)) is not None:
            ended = complete(study, attempt, result(attempt))
            assessed = Assessment(
                key=AssessmentSpec(trial=ended.spec).key,
                accuracies=((0.9,),),
                confusion=((0,) * 10,) * 10,
                milliseconds=1.0,
            )
            study.note_assessment(assessed)
        if step == 1:
            (attempt,) = study.attempts
            spec = study_config.confirming_spec(attempt.spec)
            (draw,) = spec.draw_numbers
            fresh = Replicate(draw=draw, member=0, accuracy=0.8, accuracy_best_epoch=0.8)
            update = {"key": spec.key, "replicates": (fresh,)}
            study.note_confirmation(result(attempt).model_copy(update=update))
        mirror = Mirror(study, workspace)
        mirror.begin()
        assert mirror.finish(stopped=False).chart is not None
        client = MlflowClient(workspace.tracking)
        (run,) = [
            run for run in runs(client, study.config.name) if run.data.tags["sweep.kind"] == "trial"
        ]
        points = client.get_metric_history(run.info.run_id, "test_percent")
        found.append((run.data.metrics["test_accuracy"], [(at.step, at.value) for at in points]))
    assert found == [(0.9, [(0, 90.0)]), *[(0.8, [(0, 90.0), (1, 80.0)])] * 2]
