"""The scripts that start a cluster run a study, with commands that stand for SLURM's and SSH's.

``srun`` and ``ssh`` are scripts here that run what they are given on this machine; Ray, its nodes
and the study are real.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.process import assert_exactly_once, environment, living, sweep, wait_until
from tests.cluster.study import NAME, ONE_ENCODER, ROWS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

SRUN = """#!/usr/bin/env bash
[[ "$*" == "--nodes=1 --ntasks=1 --cpus-per-task=1 --exclude=node1 "* ]] || exit 1
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
SCONTROL = """#!/usr/bin/env bash
echo "$@" >> "$(dirname "$0")/requeued"
"""
SSH = """#!/usr/bin/env bash
[[ $1 == -o && $3 == node? ]] || exit 1
shift 3
exec env -i PATH="$PATH" HOME="$HOME" "$@"
"""


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, str]:
    """An environment in which SLURM and SSH are ours."""
    place = tmp_path / "bin"
    place.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL), ("ssh", SSH)):
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    slurm = {"SLURM_JOB_NUM_NODES": "2", "SLURM_CPUS_PER_TASK": "1", "SLURM_JOB_ID": "7"}
    slurm["SLURMD_NODENAME"] = "node1"
    return environment() | slurm | {"PATH": f"{place}:{os.environ['PATH']}"}


def rays() -> set[int]:
    """Ray's processes on this machine."""
    return {*living("raylet"), *living("gcs_server"), *living("ray::")}


def script(where: str, tmp_path: Path) -> Path:
    """What ``sweep cluster`` prints for a study of some seconds, in a file."""
    config = tmp_path / f"{NAME}.yaml"
    config.write_text(ONE_ENCODER.replace("epochs: 16", "epochs: 2"))
    printed = sweep("cluster", where, config, "--home", tmp_path / "home")
    assert printed.returncode == 0, printed.stderr
    path = tmp_path / f"{where}.sh"
    # Both nodes of SSH are this machine, which has one port 6379 for all.
    path.write_text(printed.stdout.replace("$(hostname -f)", "127.0.0.1"))
    return path


@pytest.mark.parametrize("where", ["slurm", pytest.param("ssh", marks=pytest.mark.slow)])
def test_a_script_runs_its_study(where: str, commands: dict[str, str], tmp_path: Path) -> None:
    """To its table, on nodes that it starts; none of their processes outlives it."""
    before = rays()
    done = subprocess.run(
        ["bash", script(where, tmp_path)],
        env=commands,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "pixels → 16" in done.stdout
    assert_exactly_once(tmp_path / "home", ROWS, NAME)
    assert len(list((tmp_path / f"home/logs/{NAME}").glob("*.log"))) >= 2
    wait_until(lambda: rays() <= before, 30)
    assert not (tmp_path / "bin/requeued").exists()


@pytest.mark.parametrize("setting", ["epochs: 200", "learning_rate: 1000000, epochs: 2"])
def test_a_job_queues_itself_again(setting: str, commands: dict[str, str], tmp_path: Path) -> None:
    """When its time was up before its study was done; not when trials have failed."""
    path = script("slurm", tmp_path)
    if setting == "epochs: 200":
        path.write_text(path.read_text().replace('"${minutes}m"', '"40s"'))
    config = tmp_path / f"{NAME}.yaml"
    config.write_text(config.read_text().replace("epochs: 2", setting))
    done = subprocess.run(
        ["bash", path], env=commands, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 1, done.stderr
    requeued = tmp_path / "bin/requeued"
    if setting == "epochs: 200":
        assert requeued.read_text() == "requeue 7\n"
    else:
        assert not requeued.exists()


@pytest.mark.slow
def test_ctrl_c_stops_the_nodes(commands: dict[str, str], tmp_path: Path) -> None:
    """The study is interrupted, and the nodes end with the script."""
    before = rays()
    with subprocess.Popen(
        ["bash", script("ssh", tmp_path)],
        env=commands,
        text=True,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        wait_until(lambda: list((tmp_path / "home/draws").glob("*.json")), 120)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130
    wait_until(lambda: rays() <= before, 30)
