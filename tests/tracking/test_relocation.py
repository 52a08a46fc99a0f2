"""Homes that are moved, copied and mounted elsewhere, as MLflow sees them."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from sweep.errors import HomeError
from sweep.home import Home
from sweep.results import DataFacts
from sweep.tracking import Run, Tracker
from sweep.tracking.relocation import misplaced, relocate
from sweep.workspace import Workspace

DATA = DataFacts(name="mnist-5k", sha256="5" * 64, is_mnist=False)


def trial(number: int) -> Run:
    return Run(
        kind="trial",
        name=f"pixels → 10 · trial {number}",
        status="FINISHED",
        started_at=1_000,
        finished_at=9_000,
        tags={"sweep.trial": str(number), "sweep.key": "k"},
        texts={"failure.txt": f"of trial {number}"},
    )


def make(root: Path, study: str = "study") -> Workspace:
    """A home with a run, its artifact, and a registered model."""
    workspace = Workspace.at(root, {})
    workspace.home.create()
    tracker = Tracker(workspace, study, DATA)
    run_id = tracker.project(trial(0))
    client = MlflowClient(workspace.tracking)
    model = client.create_logged_model(tracker.experiment_id, "model", run_id)
    mlflow.set_tracking_uri(workspace.tracking)  # where MLflow looks for a version's model
    client.create_registered_model(study)
    client.create_model_version(study, f"models:/{model.model_id}", run_id)
    return workspace


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a home, to be copied."""
    root = tmp_path_factory.mktemp("made") / "home"
    make(root)
    return root


def content(root: Path) -> dict[str, str]:
    """Every file of a home by its bytes."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def mentions(home: Path, place: Path) -> Iterator[str]:
    """Columns of MLflow's database, whichever there are, in which a place is named."""
    with sqlite3.connect(home / "mlflow.db") as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for column in connection.execute(f"PRAGMA table_info({table})").fetchall():
                named = f"SELECT 1 FROM {table} WHERE instr(CAST({column[1]} AS TEXT), ?)"
                if connection.execute(named, [f"{place.as_uri()}/"]).fetchone():
                    yield f"{table}.{column[1]}"


PLACES = {
    "experiments.artifact_location",
    "runs.artifact_uri",
    "logged_models.artifact_location",
    "model_versions.storage_location",
}


def assert_works(home: Path) -> None:
    """Opened as a study's coordinator does, old artifacts are found, and new ones lie there."""
    workspace = Workspace.at(home, {})
    tracker = Tracker(workspace, "study", DATA)
    tracker.project(trial(1))
    assert misplaced(workspace.home) is None
    client = MlflowClient(workspace.tracking)
    runs = client.search_runs([tracker.experiment_id])
    for run in runs:
        assert str(run.info.artifact_uri).startswith(workspace.home.mlartifacts.as_uri())
        file = Path(client.download_artifacts(run.info.run_id, "failure.txt"))
        assert file.read_text() == f"of trial {run.data.tags['sweep.trial']}"
    assert len(runs) == 2
    assert set(mentions(home, workspace.home.root)) == PLACES


def test_what_mlflow_says_of_places_is_all_there_is(made: Path) -> None:
    """No other column of its database names the home: a new version of MLflow may have more."""
    assert set(mentions(made, made)) == PLACES


def test_a_copy_leaves_the_original_alone(made: Path, tmp_path: Path) -> None:
    """To the last byte, though its database named the original's place."""
    before = content(made)
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    assert misplaced(Home.at(copy)) == made / "mlartifacts"
    assert_works(copy)
    assert content(made) == before
    assert not set(mentions(copy, made))


@pytest.mark.parametrize("name", ["with a_space", "ünïcode", "[a]*"])
def test_a_home_that_was_moved_is_whole(made: Path, tmp_path: Path, name: str) -> None:
    """Whatever its new path looks like, and moved back again."""
    first = Path(shutil.copytree(made, tmp_path / "first"))
    relocate(Home.at(first))
    moved = first.rename(tmp_path / name)
    assert misplaced(Home.at(moved)) == tmp_path / "first" / "mlartifacts"
    assert_works(moved)
    assert not first.exists()
    moved.rename(first)
    relocate(Home.at(first))
    assert misplaced(Home.at(first)) is None
    assert set(mentions(first, first)) == PLACES


def test_a_link_is_the_place_that_it_leads_to(made: Path, tmp_path: Path) -> None:
    """Nothing is rewritten for it."""
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    relocate(Home.at(copy))
    before = content(copy)
    (tmp_path / "link").symlink_to(copy)
    relocate(Home.at(tmp_path / "link"))
    assert content(copy) == before


def test_names_that_look_like_places_are_told_apart(tmp_path: Path) -> None:
    """A study called mlartifacts, in a home that lies within another's artifacts."""
    inner = tmp_path / "mlartifacts" / "study" / "home"
    inner.parent.mkdir(parents=True)
    make(inner, "mlartifacts")
    moved = Path(shutil.move(inner, tmp_path / "mlartifacts" / "home"))
    relocate(Home.at(moved))
    assert misplaced(Home.at(moved)) is None
    (experiment,) = MlflowClient(f"sqlite:///{moved}/mlflow.db").search_experiments(
        filter_string="name = 'mlartifacts'"
    )
    assert experiment.artifact_location == (moved / "mlartifacts" / "mlartifacts").as_uri()
    assert not set(mentions(moved, inner))


def test_what_lies_elsewhere_on_purpose_stays(made: Path, tmp_path: Path) -> None:
    """An experiment that somebody else has put into the database, with artifacts of its own."""
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    elsewhere = (tmp_path / "elsewhere" / "3").as_uri()
    MlflowClient(f"sqlite:///{copy}/mlflow.db").create_experiment("theirs", elsewhere)
    relocate(Home.at(copy))
    experiment = MlflowClient(f"sqlite:///{copy}/mlflow.db").get_experiment_by_name("theirs")
    assert experiment is not None
    assert experiment.artifact_location == elsewhere


def test_another_database_is_left_as_it_is(made: Path, tmp_path: Path) -> None:
    """What MLFLOW_TRACKING_URI names belongs to no home."""
    uri = f"sqlite:///{shutil.copyfile(made / 'mlflow.db', tmp_path / 'other.db')}"
    workspace = Workspace.at(tmp_path / "home", {"MLFLOW_TRACKING_URI": uri})
    tracker = Tracker(workspace, "study", DATA)
    experiment = MlflowClient(uri).get_experiment(tracker.experiment_id)
    assert experiment.artifact_location == (made / "mlartifacts" / "study").as_uri()


def test_a_run_writes_into_its_home_whatever_the_database_says(made: Path, tmp_path: Path) -> None:
    """As when a home is mounted in two places, and opened from the other one meanwhile."""
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    workspace = Workspace.at(copy, {})
    tracker = Tracker(workspace, "study", DATA)
    other = tmp_path / "other"
    with sqlite3.connect(copy / "mlflow.db") as connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = replace(artifact_location, ?, ?)",
            [str(copy), str(other)],
        )
    run_id = tracker.project(trial(7))
    assert not other.exists()
    file = copy / "mlartifacts" / "study" / run_id / "artifacts" / "failure.txt"
    assert file.read_text() == "of trial 7"
    assert misplaced(workspace.home) == other / "mlartifacts"
    relocate(workspace.home)
    assert set(mentions(copy, copy)) == PLACES


IN_A_MOUNT = """
set -e
mkdir -p "$2"
mount --bind "$1" "$2"
[ "$3" = rw ] || mount -o remount,ro,bind "$2"
shift 3
exec "$@"
"""


def in_a_mount(home: Path, at: Path, mode: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where a home is mounted at another place, too; skips where none can be."""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", IN_A_MOUNT, "sh", home, at, mode, *command],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unshare: " in done.stderr or "mount: " in done.stderr:
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    return done


OPEN = """
import sys
from pathlib import Path
from tests.tracking.test_relocation import assert_works
assert_works(Path(sys.argv[1]))
"""


def test_a_mounted_home_is_whole(made: Path, tmp_path: Path) -> None:
    """Seen under another path, as in a container, and under its own again."""
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    relocate(Home.at(copy))
    mounted = tmp_path / "mounted"
    done = in_a_mount(copy, mounted, "rw", sys.executable, "-c", OPEN, str(mounted))
    assert done.returncode == 0, done.stderr
    assert set(mentions(copy, mounted)) == PLACES
    assert not list(mounted.iterdir())  # outside of the mount there is an empty directory
    relocate(Home.at(copy))
    assert set(mentions(copy, copy)) == PLACES
    assert len(list(copy.glob("mlartifacts/study/*/artifacts/failure.txt"))) == 2


REFUSE = """
import sys
from pathlib import Path
from sweep.home import Home
from sweep.tracking.relocation import misplaced, relocate
home = Home.at(Path(sys.argv[1]))
print(misplaced(home))
relocate(home)
"""


def test_what_cannot_be_written_is_refused_by_name(made: Path, tmp_path: Path) -> None:
    """Looking works on a read-only mount; opening for writing says which database it is."""
    mounted = tmp_path / "mounted"
    before = content(made)
    done = in_a_mount(made, mounted, "ro", sys.executable, "-c", REFUSE, str(mounted))
    assert done.stdout.strip() == str(made / "mlartifacts")
    assert HomeError.__name__ in done.stderr
    assert str(mounted) in done.stderr
    assert content(made) == before


@pytest.mark.slow
def test_reports_of_a_read_only_mount_change_nothing(finished: Path, tmp_path: Path) -> None:
    """What only looks works on a home that was moved and cannot be written."""
    mounted = tmp_path / "mounted"
    before = content(finished)
    commands = (["status"], ["report", "tiny"], ["trials", "tiny"], ["doctor", "--format", "json"])
    for command in commands:
        arguments = [sys.executable, "-m", "sweep", *command, "--home", str(mounted)]
        done = in_a_mount(finished, mounted, "ro", *arguments)
        assert "Traceback" not in done.stderr
        if command[0] == "doctor":
            assert f"lie in {finished / 'mlartifacts'}" in done.stdout
            found = json.loads(done.stdout)["findings"]
            assert [each["name"] for each in found if each["level"] == "problem"] == ["home"]
        else:
            assert done.returncode == 0, done.stderr
            assert "WARNING" not in done.stderr
    refused = in_a_mount(
        finished, mounted, "ro", sys.executable, "-m", "sweep", "ui", "--home", str(mounted)
    )
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert content(finished) == before
