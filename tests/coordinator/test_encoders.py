"""Encoders in MLflow while they train: real workers, checkpoints, storage and MLflow."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sweep.artifacts import ArtifactStore
from sweep.coordinator.mirror import Mirror
from sweep.coordinator.trials import Snapshot, TrialRun
from sweep.execution import LocalExecutor
from sweep.home import Home
from sweep.search.storage import open_storage
from sweep.search.study import Study
from sweep.workspace import Workspace
from tests.cli.process import environment, processes, wait_until
from tests.coordinator.work import (
    BROKEN_LATENT_DIM,
    HISTORY,
    SLOW_DRAW_LATENT_DIM,
    SLOW_EPOCHS,
    SLOW_LATENT_DIM,
    prepare,
    slow_history,
)
from tests.search.builders import FACTS, config


@pytest.fixture
def home(tmp_path: Path, empty_mlflow: Path) -> Home:
    home = Home.at(tmp_path)
    home.create()
    shutil.copy(empty_mlflow, home.mlflow_db)
    return home


def run(
    home: Home,
    latent_dim: int,
    watch: Callable[[Snapshot], None] = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Study:
    """Run a study of one row, on one encoder, as a coordinator does; or go on with it."""
    row = {"representation": "vae", "latent_dim": latent_dim, "hidden_neurons": 5}
    workspace = Workspace.at(home.root, {})
    study = Study(open_storage(workspace.storage), config(rows=[row], vae=0, pixels=0), FACTS)
    mirror = Mirror(study, workspace)
    mirror.begin()
    executor = LocalExecutor(1, partial(prepare, home), 600, home.logs)
    try:
        TrialRun(study, executor, ArtifactStore(home), mirror.projector, watch).run(stopping)
    finally:
        executor.close()
        mirror.projector.finish(lambda _: None, timeout=60)
    return study


def client(home: Home) -> MlflowClient:
    return MlflowClient(f"sqlite:///{home.mlflow_db}")


def standing(home: Home, kind: str) -> Any | None:
    """The one run of a kind, if it stands there."""
    experiment = client(home).get_experiment_by_name("study")
    if experiment is None:
        return None
    found = client(home).search_runs([experiment.experiment_id], f"tags.`sweep.kind` = '{kind}'")
    assert len(found) <= 1
    return found[0] if found else None


def points(home: Home, run_id: str, name: str) -> list[tuple[int, float]]:
    history = client(home).get_metric_history(run_id, name)
    return sorted((point.step, point.value) for point in history)


def assert_every_epoch_once(home: Home) -> None:
    encoder = standing(home, "encoder")
    assert encoder is not None
    assert encoder.info.status == "FINISHED"
    for name, curve in slow_history(SLOW_EPOCHS).items():
        assert points(home, encoder.info.run_id, name) == list(enumerate(curve, start=1)), name
    call = f"encoder({SLOW_LATENT_DIM}, draw=0, representation='"
    assert encoder.data.tags["sweep.python"].startswith(call)
    assert encoder.data.tags["sweep.collapsed"] == f"2 of {SLOW_LATENT_DIM}"


def test_an_encoder_s_curves_grow_while_it_trains(home: Home) -> None:
    """RUNNING from its beginning with its params, then epoch by epoch; collapse is said once."""
    seen: list[int] = []
    news: list[str] = []
    left: list[float] = []

    def watch(snapshot: Snapshot) -> None:
        news.extend(snapshot.news)
        left.extend(
            each.seconds_left for each in snapshot.running.values() if each.seconds_left is not None
        )
        encoder = standing(home, "encoder")
        if encoder is None or encoder.info.status != "RUNNING" or not encoder.data.params:
            return  # MLflow makes a run first; its params are the next request
        assert encoder.data.params["latent_dim"] == str(SLOW_LATENT_DIM)
        assert encoder.data.tags["sweep.key"]
        logged = points(home, encoder.info.run_id, "loss")
        assert logged == list(enumerate(slow_history(len(logged))["loss"], start=1))
        seen.append(len(logged))
        is_told = any("collapsed" in line for line in news)
        assert ("sweep.collapsed" in encoder.data.tags) <= is_told

    study = run(home, SLOW_LATENT_DIM, watch)
    assert study.progress.complete == 1
    assert seen == sorted(seen)
    assert len(set(seen)) > 2, "it did not grow"
    assert any(0 < count < SLOW_EPOCHS for count in seen)
    assert_every_epoch_once(home)
    (told,) = [line for line in news if "collapsed" in line]
    assert told.startswith(f"encoder vae {SLOW_LATENT_DIM}, draw 1: 2 of {SLOW_LATENT_DIM} latent")
    assert left
    assert min(left) < 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills", [3, pytest.param(20, marks=[pytest.mark.chaos, pytest.mark.timeout(3600)])]
)
def test_workers_that_are_killed_double_no_epoch(home: Home, kills: int) -> None:
    """Again and again, each time further on: the training goes on in the run that it has."""
    progress = [0]
    statuses: set[str] = set()

    def watch(snapshot: Snapshot) -> None:
        if encoder := standing(home, "encoder"):
            statuses.add(encoder.info.status)
        for each in snapshot.running.values():
            store = ArtifactStore(home)
            if len(progress) <= kills and store.progress(each.spec) > progress[-1]:
                kill_worker()
                progress.append(store.progress(each.spec))  # the dead one's last word

    study = run(home, SLOW_LATENT_DIM, watch)
    assert study.progress.complete == 1
    tries = (home.root / "log").read_text().count("encoder")
    assert tries == kills + 1
    assert statuses <= {"RUNNING", "FINISHED"}
    assert_every_epoch_once(home)


def kill_worker() -> None:
    """Of this process, the only one; it is dead then."""

    def workers() -> list[int]:
        children = processes(lambda parent, _: parent == os.getpid())
        return [pid for pid, line in children.items() if "spawn_main" in line]

    killed = workers()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not set(killed) & set(workers()))


COORDINATOR = """
import sys
from pathlib import Path
from sweep.home import Home
from tests.coordinator.test_encoders import run
from tests.coordinator.work import SLOW_LATENT_DIM
if __name__ == "__main__":
    run(Home.at(Path(sys.argv[1])), SLOW_LATENT_DIM)
"""


@pytest.mark.slow
def test_a_coordinator_that_is_killed_doubles_no_epoch(home: Home, tmp_path: Path) -> None:
    """In the middle of the training, when MLflow has some of its epochs; the next goes on.

    Those of a real VAE are killed again and again in ``tests/chaos/test_training.py``.
    """
    script = tmp_path / "coordinator.py"
    script.write_text(COORDINATOR)

    def has_epochs() -> bool:
        encoder = standing(home, "encoder")
        return encoder is not None and bool(points(home, encoder.info.run_id, "loss"))

    with subprocess.Popen(
        [sys.executable, str(script), str(home.root)],
        env=environment() | {"PYTHONPATH": str(Path.cwd())},
    ) as process:
        wait_until(lambda: has_epochs() or process.poll() is not None, 120)
        process.kill()
    encoder = standing(home, "encoder")
    assert encoder is not None
    assert encoder.info.status == "RUNNING"
    assert run(home, SLOW_LATENT_DIM).progress.complete == 1
    assert_every_epoch_once(home)


@pytest.mark.slow
def test_a_training_that_is_left_is_ended_and_goes_on(home: Home) -> None:
    """Its run is KILLED when the study is stopped, and RUNNING again with the next start."""
    statuses: list[str] = []

    def is_under_way() -> bool:
        encoder = standing(home, "encoder")
        return encoder is not None and bool(points(home, encoder.info.run_id, "loss"))

    run(home, SLOW_LATENT_DIM, stopping=is_under_way)
    left = standing(home, "encoder")
    assert left is not None
    assert left.info.status == "KILLED"
    known = len(points(home, left.info.run_id, "loss"))
    assert known < SLOW_EPOCHS

    def watch(_: Snapshot) -> None:
        encoder = standing(home, "encoder")
        assert encoder is not None
        statuses.append(encoder.info.status)

    run(home, SLOW_LATENT_DIM, watch)
    assert "RUNNING" in statuses
    assert_every_epoch_once(home)


def test_an_encoder_that_fails_says_so(home: Home) -> None:
    """Its run is FAILED, with the reason, and so is its trial's."""
    run(home, BROKEN_LATENT_DIM)
    encoder = standing(home, "encoder")
    assert encoder is not None
    assert encoder.info.status == "FAILED"
    assert encoder.data.tags["sweep.failure"] == "diverged: the VAE diverged"
    artifacts = client(home).list_artifacts(encoder.info.run_id)
    assert [artifact.path for artifact in artifacts] == ["failure.txt"]


def test_a_trial_stands_from_its_first_draw_on(home: Home) -> None:
    """RUNNING, with its params and tags, while its draw is made; FINISHED in the same run."""
    running: list[Any] = []

    def watch(snapshot: Snapshot) -> None:
        found = standing(home, "trial")
        if found is not None and found.info.status == "RUNNING":
            running.append(found)

    run(home, SLOW_DRAW_LATENT_DIM, watch)
    assert running
    assert running[0].data.params["hidden_neurons"] == "5"
    assert running[0].data.tags["sweep.trial"] == "0"
    ended = standing(home, "trial")
    assert ended is not None
    assert (ended.info.run_id, ended.info.status) == (running[0].info.run_id, "FINISHED")
    assert ended.info.start_time == running[0].info.start_time
    assert ended.data.params.items() > running[0].data.params.items()
    encoder = standing(home, "encoder")
    assert encoder is not None
    assert points(home, encoder.info.run_id, "loss") == [(1, HISTORY["loss"][0])]
