"""``sweep doctor`` and ``sweep store`` as processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest

from sweep.lease import lease
from sweep.workspace import Workspace
from tests.cli.process import answer, start, sweep, wait_until

HALF_A_TRANSACTION = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = DELETE")
connection.execute("PRAGMA cache_size = 1")  # pages go to the file before the end
connection.execute("BEGIN")
connection.execute("CREATE TABLE half AS SELECT randomblob(1000) FROM trials, trials AS others")
connection.execute("UPDATE trials SET number = number + 100")
os.kill(os.getpid(), signal.SIGKILL)
"""


def findings(home: Path, status: int = 0, **variables: str) -> dict[str, dict[str, Any]]:
    """What the doctor finds, by name."""
    done = sweep("doctor", "--home", home, "--format", "json", env=variables)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_a_healthy_home_has_no_problem(finished: Path) -> None:
    """Every finding says something, and all but the good ones say what to do."""
    found = findings(finished)
    assert {"versions", "cpu", "gpu", "memory", "home", "disk", "studies", "MLflow"} <= set(found)
    assert found["study tiny"]["found"] == "8 trials are complete"
    assert "artifacts" not in found
    for finding in found.values():
        assert finding["found"]
        assert (finding["mend"] is None) == (finding["level"] == "ok")
    printed = sweep("doctor", "--home", finished).stdout
    assert "ok  versions: sweep" in printed


def test_looking_creates_nothing(tmp_path: Path) -> None:
    """Neither a home nor a file in it."""
    home = tmp_path / "home"
    assert findings(home)["home"]["level"] == "ok"
    assert not home.exists()
    home.mkdir()
    findings(home)
    assert not list(home.iterdir())


def test_a_home_that_cannot_be_is_a_problem(tmp_path: Path) -> None:
    """With status 1 and the way to name another."""
    (tmp_path / "file").touch()
    found = findings(tmp_path / "file" / "home", status=1)
    assert found["home"]["level"] == "problem"
    assert "--home" in found["home"]["mend"]


def test_damaged_databases_are_problems(copy: Path) -> None:
    """Each is named, with what to do about it."""
    for name in ("optuna.db", "mlflow.db"):
        for beside in copy.glob(f"{name}-*"):
            beside.unlink()
        content = bytearray((copy / name).read_bytes())
        content[4096:12288] = os.urandom(8192)
        (copy / name).write_bytes(content)
    found = findings(copy, status=1)
    assert "optuna.db is damaged" in found["studies"]["found"]
    assert "sweep sync" in found["MLflow"]["mend"]


def test_one_damaged_study_hides_no_other(copy: Path) -> None:
    """``doctor`` is called for just that, and ``status`` of all shows those that can be read."""
    url = f"sqlite:///{copy}/optuna.db"
    optuna.copy_study(from_study_name="tiny", from_storage=url, to_storage=url, to_study_name="bad")
    trials = optuna.load_study(study_name="bad", storage=url).trials
    ids = ", ".join(str(trial._trial_id) for trial in trials)  # Optuna has no other way to them
    with sqlite3.connect(copy / "optuna.db") as database:
        database.execute(
            "UPDATE trial_user_attributes SET value_json = replace(value_json, '0.', '1.') "
            f"WHERE key = 'result' AND trial_id IN ({ids})"
        )
    database.close()
    found = findings(copy, status=1)
    assert found["study bad"]["level"] == "problem"
    assert "bad" in found["study bad"]["found"]
    assert found["study bad"]["mend"]
    assert found["study tiny"]["level"] == "ok"
    assert {"MLflow", "encoders"} <= found.keys()
    shown = sweep("status", "--home", copy)
    assert shown.returncode == 2
    assert "tiny" in shown.stdout
    assert "bad" in shown.stderr
    listed = sweep("status", "--home", copy, "--format", "json")
    assert [each["study"] for each in json.loads(listed.stdout)["studies"]] == ["tiny"]
    assert sweep("status", "tiny", "--home", copy).returncode == 0


def test_half_a_transaction_is_no_damage(copy: Path) -> None:
    """A process that is killed leaves a journal behind, which SQLite undoes by itself."""
    killed = subprocess.run(
        [sys.executable, "-c", HALF_A_TRANSACTION, str(copy / "optuna.db")], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert (copy / "optuna.db-journal").stat().st_size > 0
    assert findings(copy)["studies"]["level"] == "ok"


def test_a_server_that_does_not_answer_is_a_problem(finished: Path) -> None:
    """It is named, without its password, and with what to do about it."""
    found = findings(finished, status=1, MLFLOW_TRACKING_URI="http://me:secret@127.0.0.1:1")
    assert "http://me:***@127.0.0.1:1 does not answer" in found["MLflow"]["found"]
    assert "secret" not in str(found)


@pytest.mark.slow
def test_a_study_that_runs_and_one_that_died(copy: Path) -> None:
    """The owner of a lease is named and not disturbed; trials of a dead run are found."""
    storage = f"sqlite:///{copy}/optuna.db"
    study = optuna.load_study(study_name="tiny", storage=storage)
    begun = study.trials[0]
    lost = optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        params=begun.params,
        distributions=begun.distributions,
        user_attrs={k: begun.user_attrs[k] for k in ("spec", "cell", "attempt", "started_at")},
    )
    study.add_trial(lost)
    found = findings(copy)
    assert "1 trials were running" in found["study tiny"]["found"]
    assert "MLflow lacks the runs of 1 trials" in found["runs of tiny"]["found"]
    assert "sweep sync tiny" in found["runs of tiny"]["mend"]
    with lease(Workspace.at(copy, {}), "tiny"):
        assert f"process {os.getpid()}" in findings(copy)["study tiny"]["found"]


def test_what_is_damaged_or_half_done_is_found(copy: Path, finished: Path) -> None:
    """Encoders that changed on the disk, those whose training was cut short, and dead owners.

    And that the home is a copy, whose runs still name its original.
    """
    first = sorted((copy / "encoders").iterdir())[0]
    with next(first.glob("*.npy")).open("r+b") as file:
        file.write(b"other")
    (copy / "checkpoints" / ("0" * 32)).write_bytes(b"state")
    found = findings(copy)
    assert f"1 of 4 are damaged: {first.name}" in found["encoders"]["found"]
    assert "sweep store --prune" in found["half-trained encoders"]["mend"]
    assert f"lie in {finished / 'mlartifacts'}, which is there too" in found["artifacts"]["found"]
    assert f"lie in {copy / 'mlartifacts'}" in found["artifacts"]["mend"]
    assert sweep("store", "--prune", "--yes", "--home", copy).returncode == 0
    assert "half-trained encoders" not in findings(copy)


def test_failed_trials_are_found_with_the_way_to_retry(copy: Path) -> None:
    """Of the last attempt at each spec."""
    study = optuna.load_study(study_name="tiny", storage=f"sqlite:///{copy}/optuna.db")
    begun = study.trials[0]
    attributes = {k: begun.user_attrs[k] for k in ("spec", "cell", "attempt", "started_at")}
    failure = {"cause": "error", "message": "no", "finished_at": 1}
    failed = optuna.trial.create_trial(
        state=optuna.trial.TrialState.FAIL,
        params=begun.params,
        distributions=begun.distributions,
        user_attrs=attributes | {"failure": failure},
    )
    study.add_trial(failed)
    found = findings(copy)["study tiny"]
    assert found["found"] == "1 trials failed"
    assert "sweep retry tiny" in found["mend"]
    assert ": error: no" in sweep("status", "tiny", "--home", copy).stdout


def test_what_an_interrupted_registration_left_is_pruned(copy: Path) -> None:
    """A directory, once nobody can be writing it any more."""
    left = copy / "models" / f".{'0' * 32}-01234567"
    left.mkdir(parents=True)
    (left / "model.keras").write_bytes(b"half")
    os.utime(left, (0, 0))
    assert "sweep store --prune" in findings(copy)["leftovers"]["mend"]
    done = sweep("store", "--prune", "--yes", "--home", copy)
    assert done.returncode == 0, done.stderr
    assert not left.exists()


@pytest.mark.slow
def test_leftovers_are_found_and_pruned(copy: Path, tiny_config: Path) -> None:
    """What a killed training has left is removed, and the encoders that are needed are not."""
    kept = {path.name for path in (copy / "encoders").iterdir()}
    process = start("run", tiny_config, "--home", copy, "--set", "name=other", "--set", "seed=9")
    wait_until(lambda: list(copy.glob("encoders/.*")))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "sweep store --prune" in findings(copy)["leftovers"]["mend"]
    done = sweep("store", "--prune", "--yes", "--home", copy)
    assert done.returncode == 0, done.stderr
    assert findings(copy)["leftovers"]["found"] == "none"
    assert kept <= {path.name for path in (copy / "encoders").iterdir()}


def test_the_store_lists_and_prunes_what_no_study_needs(copy: Path) -> None:
    """It asks first, keeps them when the answer is no, and refuses when nobody can answer."""
    listed = json.loads(sweep("store", "--home", copy, "--format", "json").stdout)["encoders"]
    assert len(listed) == len(list((copy / "encoders").iterdir())) == 4
    assert all(encoder["studies"] == ["tiny"] and encoder["size"] > 1000 for encoder in listed)
    assert "Nothing to remove" in sweep("store", "--prune", "--home", copy).stderr
    shown = sweep("store", "--home", copy).stdout
    assert "Draws count from 1 here, and from 0 in Python" in shown

    optuna.delete_study(study_name="tiny", storage=f"sqlite:///{copy}/optuna.db")
    refused = sweep("store", "--prune", "--home", copy)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert "Remove 4 encoders" in answer("n", "store", "--prune", "--home", copy)
    assert len(list((copy / "encoders").iterdir())) == 4
    assert "Removed 4 encoders" in answer("y", "store", "--prune", "--home", copy)
    assert not list((copy / "encoders").iterdir())


def test_what_was_set_aside_is_asked_for_too(copy: Path) -> None:
    """Somebody may want to look at a damaged file; it is named as what it is."""
    aside = next((copy / "draws").iterdir()).with_name("0123.json.damaged-123")
    aside.write_text("{}")
    os.utime(aside, (0, 0))
    refused = sweep("store", "--prune", "--home", copy)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert "Remove 1 files that are damaged or half written?" in answer(
        "n", "store", "--prune", "--home", copy
    )
    assert aside.exists()
    said = answer("y", "store", "--prune", "--home", copy)
    assert "Removed 0 encoders (0.0 MB) and 1 damaged or half written files." in said
    assert not aside.exists()


def test_what_is_pruned_is_decided_after_the_answer(copy: Path) -> None:
    """A study that begins while the question is open keeps its encoders."""
    url, before = f"sqlite:///{copy}/optuna.db", f"sqlite:///{copy}/before.db"
    shutil.copyfile(copy / "optuna.db", copy / "before.db")
    optuna.delete_study(study_name="tiny", storage=url)

    def begin() -> None:
        optuna.copy_study(from_study_name="tiny", from_storage=before, to_storage=url)

    said = answer("y", "store", "--prune", "--home", copy, meanwhile=begin)
    assert "Remove 4 encoders" in said
    assert "Removed 0 encoders (0.0 MB); 4 are in use or needed by now" in said
    assert len(list((copy / "encoders").iterdir())) == 4
