"""``sweep status`` of a study that runs, and of one whose coordinator was killed."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from tests.cli.process import start, sweep, trials, wait_until


def status(home: Path) -> dict[str, Any]:
    done = sweep("status", "tiny", "--home", home, "--format", "json")
    assert done.returncode == 0, done.stderr
    (study,) = json.loads(done.stdout)["studies"]
    return dict(study)


def test_a_dead_owner_runs_nothing(tiny_config: Path, tmp_path: Path) -> None:
    """While it lives its trials are running; after a SIGKILL they are interrupted, and it is named.

    The start says that the encoders of this study have too few updates.
    """
    log = tmp_path / "stderr"
    with log.open("w") as said:
        process = start("run", tiny_config, "--home", tmp_path, "--workers", 1, stderr=said)

        def is_running() -> bool:
            if not (tmp_path / "optuna.db").exists() or process.poll() is not None:
                return process.poll() is not None
            try:
                return any(trial.state is TrialState.RUNNING for trial in trials(tmp_path))
            except KeyError:  # the study is not there yet
                return False

        wait_until(is_running, 120)
        alive = status(tmp_path)
        process.kill()
        process.communicate(timeout=60)
    owner = {"host": socket.gethostname(), "pid": process.pid}
    assert alive["owner"] == {**owner, "alive": True}
    assert alive["running"] > 0
    dead = status(tmp_path)
    assert dead["owner"] == {**owner, "alive": False}
    assert dead["running"] == 0
    assert dead["interrupted"] > 0
    assert dead["waiting"] == dead["target"] - dead["complete"]
    shown = sweep("status", "--home", tmp_path).stdout
    assert f"tiny: process {process.pid} on {socket.gethostname()}, which ran it, is dead" in shown
    assert "vae: 5 updates are too few" in log.read_text()


def test_a_study_that_ended_has_no_owner(finished: Path) -> None:
    """Its lease was given back."""
    assert status(finished)["owner"] is None
    assert "is dead" not in sweep("status", "--home", finished).stdout
