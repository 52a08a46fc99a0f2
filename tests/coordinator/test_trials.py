"""A study's trials, with real workers, storage and MLflow; only the training is left out."""

from __future__ import annotations

import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sweep.artifacts import ArtifactStore
from sweep.coordinator.projector import Projector
from sweep.coordinator.runs import attempt_run
from sweep.coordinator.trials import Snapshot, TrialRun
from sweep.errors import DataError
from sweep.execution import LocalExecutor
from sweep.home import Home
from sweep.search.attempt import Cause, State
from sweep.search.storage import open_storage
from sweep.search.study import Study
from sweep.workspace import Workspace
from tests.coordinator.work import BROKEN_LATENT_DIM, DATA_GONE, DIVERGES, KILLED, KILLS, prepare
from tests.search.builders import FACTS, config


@pytest.fixture
def home(tmp_path: Path, empty_mlflow: Path) -> Home:
    home = Home.at(tmp_path)
    home.create()
    shutil.copy(empty_mlflow, home.mlflow_db)
    return home


def run(
    home: Home, rows: list[dict[str, Any]], draws: int = 1, vae: int = 0, pixels: int = 0
) -> tuple[Study, list[Snapshot]]:
    """Run a study on two workers to its end."""
    study_config = config(rows=rows, vae=vae, pixels=pixels)
    replicates = study_config.replicates.model_copy(update={"draws": draws})
    study_config = study_config.model_copy(update={"replicates": replicates})
    study = Study(open_storage(f"sqlite:///{home.optuna_db}"), study_config, FACTS)
    executor = LocalExecutor(2, partial(prepare, home), 60, home.logs)
    projector = Projector(Workspace.at(home.root), study_config.name, FACTS)
    snapshots: list[Snapshot] = []
    try:
        running = TrialRun(study, executor, ArtifactStore(home), projector, snapshots.append)
        running.run(lambda: False)
    finally:
        projector.project(attempt_run(attempt) for attempt in study.attempts)
        projector.finish(lambda _: None, timeout=60)
    return study, snapshots


def row(hidden_neurons: int, latent_dim: int | None = None) -> dict[str, Any]:
    if latent_dim is None:
        return {"representation": "pixels", "hidden_neurons": hidden_neurons}
    return {
        "representation": "vae",
        "latent_dim": latent_dim,
        "hidden_neurons": hidden_neurons,
    }


def mlflow_statuses(home: Home) -> Counter[tuple[str, str]]:
    client = MlflowClient(f"sqlite:///{home.mlflow_db}")
    experiment = client.get_experiment_by_name("study")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    kinds = Counter((run.data.tags["sweep.kind"], run.info.status) for run in runs)
    kinds.pop(("study", "RUNNING"), None)  # who runs the trials does not end it
    return kinds


def test_encoders_are_trained_once_and_before_their_trials(home: Home) -> None:
    """However many trials stand on one; and everything is in MLflow, exactly once."""
    study, _ = run(home, [row(n, latent_dim=2) for n in range(1, 7)], vae=8, pixels=6)
    assert study.progress.complete == 20
    tasks = Counter((home.root / "log").read_text().splitlines())
    assert set(tasks.values()) == {1}
    encoders = sum(task.startswith("encoder") for task in tasks)
    assert encoders == len({a.cell.latent_dim for a in study.attempts if a.cell.latent_dim})
    assert mlflow_statuses(home) == {("trial", "FINISHED"): 20, ("encoder", "FINISHED"): encoders}


def test_an_encoder_that_diverges_fails_its_trials_and_no_other(home: Home) -> None:
    """It is tried once, not once for each of its trials."""
    rows = [row(n, latent_dim=BROKEN_LATENT_DIM) for n in (1, 2, 3)] + [row(4, latent_dim=2)]
    study, _ = run(home, rows)
    by_state = Counter(attempt.state for attempt in study.attempts)
    assert by_state == {State.FAILED: 3, State.COMPLETE: 1}
    failures = [attempt.failure for attempt in study.attempts if attempt.failure]
    assert {failure.cause for failure in failures} == {Cause.DIVERGED}
    assert "encoder vae 99, draw 1: the VAE diverged" in failures[0].message
    assert (home.root / "log").read_text().count("encoder") == 2
    assert mlflow_statuses(home)["trial", "FAILED"] == 3


def test_a_killed_worker_costs_one_try_of_one_task(home: Home) -> None:
    """Its task begins again within the same attempt, and the others do not notice."""
    study, snapshots = run(home, [row(KILLED), row(1), row(2)])
    assert study.progress.complete == 3
    attempts = [(a.cell.hidden_neurons, a.attempt, a.state) for a in study.attempts]
    assert sorted(attempts) == [
        (1, 1, State.COMPLETE),
        (2, 1, State.COMPLETE),
        (KILLED, 1, State.COMPLETE),
    ]
    assert mlflow_statuses(home) == {("trial", "FINISHED"): 3}
    news = [line for snapshot in snapshots for line in snapshot.news]
    assert any("worker died" in line and "it begins again" in line for line in news)


def test_a_task_that_kills_its_workers_is_given_up(home: Home) -> None:
    """After three of them: one failed attempt, and ``retry`` may queue it."""
    study, _ = run(home, [row(KILLS), row(1)])
    (failed,) = [attempt for attempt in study.attempts if attempt.failure]
    assert failed.failure is not None
    assert failed.failure.cause is Cause.WORKER_DIED
    assert sum(Counter((home.root / "log").read_text().split()).values()) == 2 * 4
    assert study.shortfall == 1
    assert [attempt.number for attempt in study.retry_failed()] == [failed.number]


def test_a_trial_is_its_draws(home: Home) -> None:
    """Each is a task of its own; the trial has their replicates in their order."""
    study, snapshots = run(home, [row(5, latent_dim=2), row(6)], draws=3)
    for attempt in study.attempts:
        assert attempt.result is not None
        assert [r.draw for r in attempt.result.replicates] == [0, 1, 2]
        assert attempt.result.train_seconds == pytest.approx(0.3)
        assert attempt.result.started_at <= attempt.result.finished_at
    tasks = Counter(line.split()[0] for line in (home.root / "log").read_text().splitlines())
    assert tasks == {"draw": 6, "encoder": 3}
    assert mlflow_statuses(home) == {("trial", "FINISHED"): 2, ("encoder", "FINISHED"): 3}
    labels = {each.label for snapshot in snapshots for each in snapshot.running.values()}
    assert any("draw 2 of 3" in label for label in labels)


def test_a_trial_that_diverges_is_not_tried_again(home: Home) -> None:
    """It fails with its reason, and the study goes on."""
    study, _ = run(home, [row(DIVERGES), row(1)])
    (failed,) = [attempt for attempt in study.attempts if attempt.failure]
    assert failed.failure is not None
    assert (failed.failure.cause, failed.failure.message) == (
        Cause.DIVERGED,
        "the classifier diverged",
    )
    assert "work.py" in (failed.failure.traceback or "")
    assert study.progress.complete == 1


def test_data_that_changed_stops_the_study(home: Home) -> None:
    """It is nobody's trial that failed; what was begun is recorded as interrupted."""
    with pytest.raises(DataError, match="the dataset changed"):
        run(home, [row(DATA_GONE), row(1)])
    study = Study(
        open_storage(f"sqlite:///{home.optuna_db}"),
        config(rows=[row(DATA_GONE), row(1)]),
        FACTS,
    )
    assert all(a.state in (State.INTERRUPTED, State.COMPLETE) for a in study.attempts)


@pytest.mark.slow
def test_training_goes_on_without_mlflow(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer costs nothing; a later run projects what it missed."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    study, _ = run(home, [row(n) for n in range(1, 6)])
    assert study.progress.complete == 5
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    run(home, [row(n) for n in range(1, 6)])
    assert mlflow_statuses(home) == {("trial", "FINISHED"): 5}


def test_the_watcher_sees_the_study_to_its_end(home: Home) -> None:
    """Snapshots show workers at their tasks, the best so far, and at last nothing left to do."""
    _, snapshots = run(home, [row(3, latent_dim=2), row(1)])
    labels = {each.spec.label for snapshot in snapshots for each in snapshot.running.values()}
    assert {"encoder vae 2, draw 1", "vae 2 → 3, draw 1 of 1", "pixels → 1, draw 1 of 1"} & labels
    last = snapshots[-1]
    assert (last.progress.complete, last.progress.waiting, len(last.running)) == (2, 0, 0)
    assert last.best is not None
    assert last.best.cell.hidden_neurons == 3
    assert last.seconds_left == 0
