"""What the start page says of studies, over a real MLflow store."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from sweep.lease import lease
from sweep.results import DataFacts
from sweep.tracking import Run, RunStatus, Tracker
from sweep.tracking.landing import Landing, Listed
from sweep.workspace import Workspace

DATA = DataFacts(name="mnist-5k", sha256="5" * 64, is_mnist=False)
STUDY = Run(
    kind="study",
    name="study",
    status="RUNNING",
    started_at=1_000,
    finished_at=9_000,
    tags={"sweep.target": "3", "sweep.best": "vae 2 → 9", "sweep.scored_on": "validation"},
    curves={"best_accuracy": [0.5, 0.75], "trials": [1, 2]},
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A home for all tests; each has a study of its own."""
    workspace = Workspace.at(tmp_path_factory.mktemp("home"), {})
    workspace.home.create()
    return workspace


def shown(workspace: Workspace, study: str, dashboard: str | None = None) -> Listed:
    return {each.name: each for each in Landing(workspace, dashboard).studies()}[study]


def test_a_study_that_runs_is_told_from_one_that_died(workspace: Workspace) -> None:
    """By the owner of its lease; with how far it is, and its best."""
    Tracker(workspace, "runs", DATA).project(STUDY)
    with lease(workspace, "runs"):
        found = shown(workspace, "runs")
    assert (found.status, found.trials, found.target) == ("running", 2, 3)
    assert (found.best, found.scores) == ("vae 2 → 9", {"validation": 75.0})
    assert found.begun == 1_000
    assert found.report is None
    assert shown(workspace, "runs").status == "interrupted"


@pytest.mark.parametrize(
    ("status", "said"), [("FINISHED", "finished"), ("FAILED", "failed"), ("KILLED", "stopped")]
)
def test_how_a_study_ended_is_said(workspace: Workspace, status: RunStatus, said: str) -> None:
    """Also if nothing of it was complete; and what to do then."""
    Tracker(workspace, said, DATA).project(replace(STUDY, status=status, curves={}))
    found = shown(workspace, said)
    assert (found.status, found.trials, found.best, found.scores) == (said, 0, "", {})
    assert bool(found.means) == (said != "finished")


def test_a_study_without_a_run_of_its_own_is_shown(workspace: Workspace) -> None:
    """It has just begun, or its run was deleted; and one that was deleted is not."""
    Tracker(workspace, "begun", DATA)
    assert shown(workspace, "begun").trials == 0
    gone = Tracker(workspace, "gone", DATA)
    MlflowClient(gone.uri).delete_experiment(gone.experiment_id)
    assert "gone" not in {each.name for each in Landing(workspace, None).studies()}


def test_the_picture_and_the_report_are_what_mlflow_holds(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Complete trials in their colours, and the page as it was attached."""
    tracker = Tracker(workspace, "whole", DATA)
    run_id = tracker.project(replace(STUDY, status="FINISHED"))
    trial = Run(
        kind="trial",
        name="pixels → 10",
        status="FINISHED",
        started_at=1_000,
        finished_at=2_000,
        tags={"sweep.trial": "0", "mlflow.runColor": "#D55E00"},
        params={"representation": "pixels", "labels": "3000"},
        metrics={"accuracy": 0.5, "classifier_parameters": 7960},
    )
    tracker.project(trial)
    tracker.project(replace(trial, status="FAILED", tags={"sweep.trial": "1"}, metrics={}))
    tracker.note_front({0: True})
    (tmp_path / "report.html").write_text("<p>the report")
    tracker.attach(run_id, tmp_path)
    landing = Landing(workspace, None)
    assert landing.marks("whole") == [("pixels", 7960, 0.5, "#D55E00", True, 3000)]
    trial_run = tracker.trial_run_ids()[0]
    MlflowClient(tracker.uri).set_tag(trial_run, "mlflow.runColor", '"/><script>alert(1)</script>')
    assert [mark.colour for mark in landing.marks("whole") or []] == ["#808080"]
    assert shown(workspace, "whole").report == "/studies/whole/report"
    assert landing.report("whole") == b"<p>the report"
    assert landing.marks("nothing") is None
    assert landing.report("nothing") is None


def test_a_best_stands_with_its_labels_and_its_test_score_first(workspace: Workspace) -> None:
    """What was selected by a score looks better by it; the labels may be in its name already."""
    for best, name in (("vae 2 → 9", "vae 2 → 9, 1,000 labels"), ("pca 2 → 9, 10 labels",) * 2):
        tracker = Tracker(workspace, "best" + best[:3], DATA)
        tracker.project(replace(STUDY, tags={**STUDY.tags, "sweep.best": best}))
        trial = Run(
            kind="trial",
            name=f"{best} · trial 3",
            status="FINISHED",
            started_at=1_000,
            finished_at=2_000,
            tags={"sweep.trial": "3"},
            params={"labels": "1000"},
            metrics={"test_accuracy": 0.5},
        )
        tracker.project(trial)
        other = {"sweep.trial": "4"}
        tracker.project(replace(trial, name=f"{best}0 · trial 4", tags=other, metrics={}))
        found = shown(workspace, "best" + best[:3])
        assert found.best == name
        assert list(found.scores.items()) == [("test", 50.0), ("validation", 75.0)]


def test_the_versions_of_a_study_s_models_are_its_links(workspace: Workspace) -> None:
    """Under whatever name they were registered; those of others, and of nobody, are not."""
    Tracker(workspace, "modelled", DATA).project(STUDY)
    Tracker(workspace, "bare", DATA).project(STUDY)
    client = MlflowClient(workspace.tracking)
    for name, study in (("digits", "modelled"), ("digits", "modelled"), ("a.b", "modelled")):
        with suppress(MlflowException):  # it is there already
            client.create_registered_model(name)
        client.create_model_version(name, "file:///m", tags={"sweep.study": study})
    client.create_model_version("digits", "file:///m")
    assert shown(workspace, "modelled").models == {
        "a.b 1": "/#/models/a.b/versions/1",
        "digits 1": "/#/models/digits/versions/1",
        "digits 2": "/#/models/digits/versions/2",
    }
    assert shown(workspace, "bare").models == {}


def test_a_dashboard_that_does_not_answer_is_not_shown(workspace: Workspace) -> None:
    """It may have ended, or be still starting."""
    Tracker(workspace, "alone", DATA).project(STUDY)
    assert shown(workspace, "alone", "http://127.0.0.1:1").dashboard is None
