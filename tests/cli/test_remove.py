"""``sweep remove`` as a process, on copies of a finished study."""

from __future__ import annotations

import os
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from sweep.lease import lease
from sweep.tracking import Tracker
from sweep.workspace import Workspace
from tests.chaos.servers import MlflowServer
from tests.cli.process import (
    accuracies,
    answer,
    assert_exactly_once,
    mlflow_runs,
    sweep,
)
from tests.search.builders import FACTS


def known(home: Path) -> bool:
    """Whether the study is there for the other commands."""
    statuses = {sweep(name, "tiny", "--home", home).returncode for name in ("status", "trials")}
    assert statuses in ({0}, {2})
    return statuses == {0}


def kept(home: Path) -> dict[str, int]:
    """When everything that is kept by content was written."""
    kinds = ("encoders", "draws", "assessments")
    return {
        str(file.relative_to(home)): file.stat().st_mtime_ns
        for kind in kinds
        for file in (home / kind).rglob("*")
        if file.is_file() and file.name != "manifest.json"  # whose time is that of the last use
    }


@pytest.mark.slow
def test_a_study_is_removed_and_runs_again_from_what_was_trained(
    copy: Path, tiny_config: Path
) -> None:
    """It asks first. Then nobody knows it, and its name is free for an empty experiment."""
    before, results, old = kept(copy), accuracies(copy), mlflow_runs(copy)
    refused = sweep("remove", "tiny", "--home", copy)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert "Remove the study tiny" in answer("n", "remove", "tiny", "--home", copy)
    assert known(copy)
    said = answer("y", "remove", "tiny", "--home", copy)
    assert "sweep store --prune" in said
    assert not known(copy)
    assert not (copy / "logs" / "tiny").exists()
    assert kept(copy) == before
    client = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    assert client.get_experiment_by_name("tiny") is None

    again = sweep("run", tiny_config, "--home", copy)
    assert again.returncode == 0, again.stderr
    assert kept(copy) == before
    assert accuracies(copy) == results
    assert_exactly_once(copy)
    assert not {run.info.run_id for run in old} & {run.info.run_id for run in mlflow_runs(copy)}
    assert sweep("remove", "tiny", "--home", copy, "--yes", "--quiet").stderr == ""
    assert not known(copy)
    (default,) = client.search_experiments(ViewType.ACTIVE_ONLY)
    assert default.name == "Default"


def test_a_study_that_is_being_run_stays(copy: Path) -> None:
    """With status 1, and the owner's name; an unknown study is refused with status 2."""
    with lease(Workspace.at(copy, {}), "tiny"):
        refused = sweep("remove", "tiny", "--home", copy, "--yes")
    assert (refused.returncode, f"process {os.getpid()}" in refused.stderr) == (1, True)
    assert known(copy)
    assert sweep("remove", "tinny", "--home", copy, "--yes").returncode == 2
    assert sweep("remove", "tiny", "--home", copy / "none", "--yes").returncode == 2
    assert not (copy / "none").exists()


@pytest.mark.slow
def test_without_mlflow_nothing_is_removed(copy: Path) -> None:
    """It says so; what was half done is known by its name, and done by the same command."""
    elsewhere = {"MLFLOW_TRACKING_URI": "http://me:secret@127.0.0.1:1"}
    refused = sweep("remove", "tiny", "--home", copy, "--yes", env=elsewhere)
    assert refused.returncode == 1
    assert "is not removed" in refused.stderr
    assert "same command" in refused.stderr
    assert not {"secret", "Traceback"} & set(refused.stderr.split())
    assert known(copy)
    assert (copy / "logs" / "tiny").exists()

    client = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    number = client.get_experiment_by_name("tiny").experiment_id  # type: ignore[union-attr]
    client.rename_experiment(number, f"tiny (removed: {number})")  # and stopped here
    assert sweep("remove", "tiny", "--home", copy, "--yes").returncode == 0
    assert client.get_experiment(number).lifecycle_stage == "deleted"
    assert not known(copy)


def test_an_experiment_that_was_deleted_by_hand(copy: Path) -> None:
    """Its name is free, too, after the study is removed."""
    client = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    number = client.get_experiment_by_name("tiny").experiment_id  # type: ignore[union-attr]
    client.delete_experiment(number)
    done = sweep("remove", "tiny", "--home", copy, "--yes")
    assert done.returncode == 0, done.stderr
    assert client.get_experiment_by_name("tiny") is None
    assert client.get_experiment(number).lifecycle_stage == "deleted"


@pytest.mark.slow
def test_what_other_programs_made_stays(copy: Path) -> None:
    """A study of theirs is none of ours; one whose creation was cut short is."""
    storage = f"sqlite:///{copy}/optuna.db"
    theirs = optuna.create_study(study_name="theirs", storage=storage)
    theirs.add_trial(optuna.trial.create_trial(value=1.0))
    planned = optuna.create_study(study_name="planned", storage=storage)
    planned.set_user_attr("owner", "somebody")
    configured = optuna.create_study(study_name="configured", storage=storage)
    configured.set_user_attr("config", {"layers": 3})
    optuna.create_study(study_name="both", storage=storage, directions=["maximize", "maximize"])
    optuna.create_study(study_name="half", storage=storage)
    optuna.create_study(study_name="../encoders", storage=storage)
    foreign = {"theirs", "planned", "configured", "both", "../encoders"}
    for name, status in (dict.fromkeys(foreign, 2) | {"half": 0}).items():
        done = sweep("remove", name, "--home", copy, "--yes")
        assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
    assert set(optuna.get_all_study_names(storage)) == {"tiny", *foreign}
    assert list((copy / "encoders").iterdir())


@pytest.mark.slow
def test_a_tracking_server(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked by its REST client alone, and the name is free there."""
    server = MlflowServer(tmp_path)
    server.start()
    try:
        variables = {"MLFLOW_TRACKING_URI": server.uri}
        workspace = Workspace.at(copy, variables)
        old = Tracker(workspace, "tiny", FACTS).experiment_id
        done = sweep("remove", "tiny", "--home", copy, "--yes", env=variables)
        assert done.returncode == 0, done.stderr
        assert MlflowClient(server.uri).get_experiment(old).lifecycle_stage == "deleted"
        assert Tracker(workspace, "tiny", FACTS).experiment_id != old
    finally:
        server.kill()
