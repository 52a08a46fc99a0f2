"""The projection into a real MLflow store: each run once, whatever is repeated."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.entities import Run as MlflowRun

from sweep.errors import HomeError
from sweep.results import DataFacts
from sweep.tracking import Run, Tracker, find_trial_run_ids, remove_experiment
from sweep.tracking import runs as runs_module
from sweep.tracking.connection import ui_address
from sweep.workspace import Workspace
from tests.cli.process import wait_until

DATA = DataFacts(name="mnist-5k", sha256="5" * 64, is_mnist=False)
RUN = Run(
    kind="trial",
    name="vae 10 → 200 · trial 0",
    status="FINISHED",
    started_at=1_000,
    finished_at=9_000,
    tags={"sweep.trial": "0", "sweep.attempt": "1", "sweep.key": "k"},
    params={"representation": "vae"},
    metrics={"accuracy": 0.5},
    curves={"val_accuracy": [0.25, 0.5], "val_loss": [2.0, 1.0]},
    texts={"failure.txt": "none"},
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A home with one MLflow database for all tests; each has a study of its own."""
    return Workspace.at(tmp_path_factory.mktemp("home"), {})


@pytest.fixture
def study(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


def experiment_of(workspace: Workspace, study: str) -> Experiment:
    found = MlflowClient(workspace.tracking).get_experiment_by_name(study)
    assert found is not None
    return found


def runs(workspace: Workspace, study: str) -> list[MlflowRun]:
    client = MlflowClient(workspace.tracking)
    return list(client.search_runs([experiment_of(workspace, study).experiment_id]))


def points(workspace: Workspace, run: MlflowRun, key: str) -> list[tuple[int, float]]:
    history = MlflowClient(workspace.tracking).get_metric_history(run.info.run_id, key)
    return sorted((metric.step, metric.value) for metric in history)


def test_a_database_whose_creation_was_killed_is_created_anew(tmp_path: Path) -> None:
    """MLflow could not open one whose migrations stopped half-way."""
    code = "import sys; from sweep.workspace import Workspace; from sweep.tracking import Tracker; "
    code += "from pathlib import Path; from tests.tracking.test_tracker import DATA; "
    code += "Tracker(Workspace.at(Path(sys.argv[1]), {}), 'study', DATA)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    wait_until(lambda: any(path.stat().st_size for path in tmp_path.glob(".mlflow.db-*")))
    process.kill()
    process.wait()
    assert not (tmp_path / "mlflow.db").exists()
    Tracker(Workspace.at(tmp_path, {}), "study", DATA)
    assert not list(tmp_path.glob(".mlflow.db-*"))


def test_projecting_again_changes_nothing(workspace: Workspace, study: str) -> None:
    """By the same tracker or by a new one: one run, every point once."""
    ids = {
        Tracker(workspace, study, DATA).project(RUN),
        Tracker(workspace, study, DATA).project(RUN),
    }
    tracker = Tracker(workspace, study, DATA)
    assert tracker.has(RUN)
    ids |= {tracker.project(RUN), tracker.project(RUN)}
    (run,) = runs(workspace, study)
    assert ids == {run.info.run_id}
    assert points(workspace, run, "val_accuracy") == [(1, 0.25), (2, 0.5)]
    assert points(workspace, run, "accuracy") == [(0, 0.5)]
    assert run.data.params == {"representation": "vae"}
    assert (run.info.start_time, run.info.end_time) == (1_000, 9_000)
    assert (run.info.run_name, run.info.status) == (RUN.name, "FINISHED")


def test_a_run_that_was_cut_short_is_completed(workspace: Workspace, study: str) -> None:
    """A run created but not ended, by a process that died, is found and finished."""
    dying = Tracker(workspace, study, DATA)
    dying.project(replace(RUN, metrics={}, curves={}, status="RUNNING"))
    tracker = Tracker(workspace, study, DATA)
    assert not tracker.has(RUN)
    assert tracker.trial_run_ids() == find_trial_run_ids(workspace, [study])[study] == {}
    tracker.project(RUN)
    assert tracker.trial_run_ids().keys() == {0}
    (run,) = runs(workspace, study)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["accuracy"] == 0.5


ENCODER = replace(
    RUN,
    kind="encoder",
    name="encoder vae 10 · draw 1",
    status="RUNNING",
    tags={"sweep.key": "k"},
    metrics={},
    curves={"loss": [3.0], "kl": [1.0]},
    texts={},
)
LOSS, KL = [3.0, 2.0, 1.0], [1.0, 1.0, 2.0]


@pytest.mark.parametrize("dies", [False, True])
def test_each_epoch_of_a_growing_curve_stands_once(
    workspace: Workspace, study: str, dies: bool
) -> None:
    """Half a curve, then the whole, with other timestamps; by the same process or the next.

    One of the curves was cut off before the other, as by a death between two batches.
    """
    tracker = Tracker(workspace, study, DATA)
    tracker.project(replace(ENCODER, finished_at=2_000))
    tracker.project(replace(ENCODER, finished_at=3_000, curves={"loss": LOSS[:2], "kl": KL[:1]}))
    (run,) = runs(workspace, study)
    assert (run.info.status, run.info.end_time) == ("RUNNING", None)
    assert points(workspace, run, "loss") == [(1, 3.0), (2, 2.0)]
    if dies:
        tracker = Tracker(workspace, study, DATA)
    for moment in (4_000, 5_000):
        tracker.project(replace(ENCODER, finished_at=moment, curves={"loss": LOSS, "kl": KL}))
    ended = replace(
        ENCODER, status="FINISHED", curves={"loss": LOSS, "kl": KL}, metrics={"train_seconds": 8.0}
    )
    Tracker(workspace, study, DATA).project(ended)
    (run,) = runs(workspace, study)
    assert points(workspace, run, "loss") == list(enumerate(LOSS, start=1))
    assert points(workspace, run, "kl") == list(enumerate(KL, start=1))
    assert (run.info.status, run.info.end_time) == ("FINISHED", 9_000)


@pytest.mark.parametrize("is_found", [False, True])
def test_a_training_that_was_left_or_failed_may_go_on(
    workspace: Workspace, study: str, is_found: bool
) -> None:
    """Its run is RUNNING again, no longer says that it failed, and ends with every epoch once.

    The process that left it may be another than the one that goes on.
    """
    failed = replace(ENCODER, status="FAILED", tags={**ENCODER.tags, "sweep.failure": "it died"})
    whole = replace(ENCODER, curves={"loss": LOSS}, finished_at=20_000)
    tracker = Tracker(workspace, study, DATA)
    tracker.project(replace(RUN, kind="study", tags={}, status="RUNNING"))
    tracker.project(ENCODER)
    tracker.end_abandoned()
    statuses = {run.data.tags["sweep.kind"]: run.info.status for run in runs(workspace, study)}
    assert statuses == {"study": "RUNNING", "encoder": "KILLED"}

    def encoder() -> MlflowRun:
        (run,) = [r for r in runs(workspace, study) if r.data.tags["sweep.kind"] == "encoder"]
        return run

    tracker = Tracker(workspace, study, DATA) if is_found else tracker
    assert not tracker.has(ENCODER)
    tracker.project(ENCODER)
    assert encoder().info.status == "RUNNING"
    assert not tracker.has(failed)
    tracker.project(failed)
    assert tracker.has(failed)
    assert encoder().data.tags["sweep.failure"] == "it died"
    tracker = Tracker(workspace, study, DATA) if is_found else tracker
    tracker.project(whole)
    assert encoder().info.status == "RUNNING"
    assert "sweep.failure" not in encoder().data.tags
    tracker.project(replace(whole, status="FINISHED"))
    assert tracker.has(whole)
    assert tracker.has(failed)
    assert encoder().info.status == "FINISHED"
    assert points(workspace, encoder(), "loss") == list(enumerate(LOSS, start=1))


def test_kinds_and_identities_are_told_apart(workspace: Workspace, study: str) -> None:
    """Trials by number, encoders by key, the study alone."""
    tracker = Tracker(workspace, study, DATA)
    tracker.project(RUN)
    tracker.project(replace(RUN, tags={**RUN.tags, "sweep.trial": "1"}))
    tracker.project(replace(RUN, kind="encoder", tags={"sweep.key": "a"}))
    tracker.project(replace(RUN, kind="encoder", tags={"sweep.key": "b"}))
    tracker.project(replace(RUN, kind="study", tags={}))
    assert len(runs(workspace, study)) == 5
    assert tracker.trial_run_ids().keys() == {0, 1}
    assert find_trial_run_ids(workspace, [study])[study] == tracker.trial_run_ids()


def test_long_curves_and_many_runs_are_whole(
    workspace: Workspace, study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches and pages beyond MLflow's limits lose nothing."""
    monkeypatch.setattr(runs_module, "_PAGE", 2)
    tracker = Tracker(workspace, study, DATA)
    long = replace(RUN, curves={"val_loss": [float(n) for n in range(2500)]})
    tracker.project(long)
    for number in range(1, 6):
        tracker.project(replace(RUN, tags={"sweep.trial": str(number)}))
    assert Tracker(workspace, study, DATA).trial_run_ids().keys() == set(range(6))
    first = next(r for r in runs(workspace, study) if r.data.tags["sweep.trial"] == "0")
    assert points(workspace, first, "val_loss") == [(n + 1, float(n)) for n in range(2500)]


def test_a_deleted_experiment_is_restored(workspace: Workspace, study: str) -> None:
    """Deleted in the UI, it would otherwise block the study's name for ever."""
    tracker = Tracker(workspace, study, DATA)
    MlflowClient(tracker.uri).delete_experiment(tracker.experiment_id)
    assert Tracker(workspace, study, DATA).experiment_id == tracker.experiment_id
    assert experiment_of(workspace, study).lifecycle_stage == "active"


def test_a_run_has_its_dataset_and_its_files(
    workspace: Workspace, study: str, tmp_path: Path
) -> None:
    """The dataset is an input, by name and hash; pictures are artifacts; once, if done again."""
    (tmp_path / "samples.png").write_bytes(b"picture")
    tracker = Tracker(workspace, study, DATA)
    for _ in range(2):
        tracker.project(replace(RUN, files=[tmp_path / "samples.png"]))
    (run,) = runs(workspace, study)
    assert run.inputs is not None
    (given,) = run.inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.digest) == ("mnist-5k", "5" * 16)
    listed = MlflowClient(tracker.uri).list_artifacts(run.info.run_id)
    assert "samples.png" in {artifact.path for artifact in listed}


def test_the_description_links_to_a_view_that_is_there(workspace: Workspace, study: str) -> None:
    """The chart link names a view whose state is JSON, with all its charts."""
    tracker = Tracker(workspace, study, DATA)
    run_id = tracker.project(replace(RUN, kind="study", tags={}))
    tracker.describe(run_id, "vae blue", "the table")
    experiment = experiment_of(workspace, study)
    key = tracker.chart_path.partition("viewStateShareKey=")[2].partition("&")[0]
    view = json.loads(experiment.tags[f"mlflow.sharedViewState.{key}"])
    charts = json.loads(view["state"])["compareRunCharts"]
    assert [(chart["type"], chart["uuid"]) for chart in charts] == [
        ("SCATTER", "log10_classifier_parameters"),
        ("SCATTER", "log10_inference_parameters"),
        ("PARALLEL", "all"),
        ("PARALLEL", "latents"),
        ("LINE", "val_accuracy"),
        ("LINE", "train_loss"),
    ]
    assert "the table" in experiment.tags["mlflow.note.content"]
    assert "vae blue" in experiment.tags["mlflow.note.content"].splitlines()[0]
    assert tracker.chart_path.removeprefix("/") in experiment.tags["mlflow.note.content"]


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sqlite:////home/mlflow.db", "http://127.0.0.1:5000"),
        ("https://me:secret@tracking:8443/mlflow/", "https://tracking:8443/mlflow"),
        ("databricks", None),
    ],
)
def test_runs_have_an_address(uri: str, address: str | None) -> None:
    """The server's own, without a password; for a database, where ``sweep ui`` serves it."""
    assert ui_address(uri) == address


STUDY = replace(RUN, kind="study", name="study", tags={"sweep.target": "3"}, metrics={}, curves={})


def test_a_study_s_run_grows_with_its_trials(workspace: Workspace, study: str) -> None:
    """Each step of its curves once, by the same process or the next, also after it had finished."""
    best = [0.5, 0.5, 0.75]
    tracker = Tracker(workspace, study, DATA)
    for count in (1, 2):
        tracker.project(replace(STUDY, status="RUNNING", curves={"best_accuracy": best[:count]}))
    tracker.project(replace(STUDY, curves={"best_accuracy": best[:2]}))
    tracker = Tracker(workspace, study, DATA)
    tracker.project(replace(STUDY, status="RUNNING", curves={"best_accuracy": best}))
    (run,) = runs(workspace, study)
    assert run.info.status == "RUNNING"
    assert points(workspace, run, "best_accuracy") == list(enumerate(best, start=1))


def note(workspace: Workspace, study: str) -> str:
    (run,) = [r for r in runs(workspace, study) if r.data.tags["sweep.kind"] == "trial"]
    return run.data.tags["mlflow.note.content"]


def test_a_trial_leads_to_its_encoders_and_to_the_report(workspace: Workspace, study: str) -> None:
    """By links that hold for any server; a note that a user has written stays."""
    tracker = Tracker(workspace, study, DATA)
    study_id = tracker.project(STUDY)
    encoder_id = tracker.project(ENCODER)
    others = [("encoder of draw 1", ("encoder", "k")), ("gone", ("encoder", "gone"))]
    trial = replace(RUN, stands_on=others)
    run_id = tracker.project(replace(trial, status="RUNNING"))
    found = note(workspace, study)
    pages = f"(#/experiments/{tracker.experiment_id}/runs/"
    assert f"[Report of the study]{pages}{study_id}/artifacts/report.html)" in found
    assert f"[encoder of draw 1]{pages}{encoder_id})" in found
    assert "gone" not in found
    MlflowClient(tracker.uri).set_tag(run_id, "mlflow.note.content", "the best of all")
    Tracker(workspace, study, DATA).project(trial)
    assert note(workspace, study) == "the best of all"


def test_a_run_of_an_older_version_is_completed_once(workspace: Workspace, study: str) -> None:
    """One that has finished without its colour gets what it lacks, and nothing twice."""
    Tracker(workspace, study, DATA).project(replace(RUN, kind="study", tags={}))
    Tracker(workspace, study, DATA).project(RUN)
    coloured = replace(
        RUN,
        tags={**RUN.tags, "mlflow.runColor": "#0072B2"},
        metrics={**RUN.metrics, "accuracy_percent": 50.0},
    )
    tracker = Tracker(workspace, study, DATA)
    assert not tracker.has(coloured)
    run_id = tracker.project(coloured)
    for again in (tracker, Tracker(workspace, study, DATA)):
        assert again.has(coloured)
    run = MlflowClient(tracker.uri).get_run(run_id)
    assert run.data.tags["mlflow.runColor"] == "#0072B2"
    assert "[Report of the study]" in run.data.tags["mlflow.note.content"]
    assert points(workspace, run, "accuracy_percent") == [(0, 50.0)]
    assert points(workspace, run, "accuracy") == [(0, 0.5)]
    assert points(workspace, run, "val_accuracy") == [(1, 0.25), (2, 0.5)]
    assert (run.info.status, run.info.end_time) == ("FINISHED", 9_000)


def test_an_artifact_that_is_gone_is_brought_back(workspace: Workspace, study: str) -> None:
    """Of a run that has finished; nothing else of it is written twice."""
    run_id = Tracker(workspace, study, DATA).project(RUN)
    (file,) = workspace.home.mlartifacts.glob(f"*/{run_id}/artifacts/failure.txt")
    file.unlink()
    tracker = Tracker(workspace, study, DATA)
    assert not tracker.has(RUN)
    tracker.project(RUN)
    assert tracker.has(RUN)
    assert file.read_text() == "none"
    (run,) = runs(workspace, study)
    assert points(workspace, run, "val_accuracy") == [(1, 0.25), (2, 0.5)]


def test_the_front_is_tagged_and_changes(workspace: Workspace, study: str) -> None:
    """Of trials that stand there; it can be filtered by."""
    tracker = Tracker(workspace, study, DATA)
    for number in (0, 1):
        tracker.project(replace(RUN, tags={"sweep.trial": str(number)}))
    tracker.note_front({0: True, 1: False, 2: True})
    tracker = Tracker(workspace, study, DATA)
    tracker.note_front({0: False, 1: True})
    found = MlflowClient(tracker.uri).search_runs([tracker.experiment_id], "tags.pareto = 'yes'")
    assert [run.data.tags["sweep.trial"] for run in found] == ["1"]


def test_looking_creates_nothing(tmp_path: Path, workspace: Workspace) -> None:
    """A study without an experiment has no run ids; and neither has a place without MLflow's
    tables, in which none are made: a home, a file that is not there, and one that is empty.
    """
    assert find_trial_run_ids(workspace, ["nothing"]) == {"nothing": {}}
    empty = tmp_path / "empty.db"
    empty.touch()
    for place in ({}, elsewhere(tmp_path / "none.db"), elsewhere(empty)):
        bare = Workspace.at(tmp_path, place)
        assert find_trial_run_ids(bare, ["nothing"]) == {"nothing": {}}
        remove_experiment(bare, "nothing")
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("empty.db", 0)]


def test_looking_changes_no_database_of_another_version(tmp_path: Path, empty_mlflow: Path) -> None:
    """MLflow would bring an older one into its own form, or refuse it; we say what it is."""
    shutil.copy(empty_mlflow, tmp_path / "old.db")
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of old'")
    before = (tmp_path / "old.db").read_bytes()
    with pytest.raises(HomeError, match=r"its schema is of old, and .* is needed") as refused:
        find_trial_run_ids(Workspace.at(tmp_path, elsewhere(tmp_path / "old.db")), ["study"])
    assert "sweep doctor" in str(refused.value.hint)
    assert (tmp_path / "old.db").read_bytes() == before


def elsewhere(database: Path) -> dict[str, str]:
    """The variables of a user whose runs are in a database beside the home."""
    return {"MLFLOW_TRACKING_URI": f"sqlite:///{database}"}
