"""What a study stands on fails for a while: it waits where it must, says so once, and ends well."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sweep.ui import free_address
from tests.chaos.disks import full, mounted
from tests.chaos.servers import DrippingServer, MlflowServer, Proxy, SilentServer
from tests.chaos.study import STUDY, config_for
from tests.cli.process import TARGET as TINY_TARGET
from tests.cli.process import accuracies, printed_until, start, sweep, trials, wait_until
from tests.guarantee import assert_exactly_once

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")
engines = pytest.mark.parametrize("engine", ["local", "ray"])
"""What fails is the coordinator's; with Ray it also is what tasks are sent from and brought to."""
TARGET = 20
_STARTING_SECONDS = 25
"""What a command takes beside its waiting, on a machine that does something else, too."""
_TINY_SECONDS = 90
"""The same for one that trains."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chaos study with 20 trials."""
    path = tmp_path_factory.mktemp("config") / "chaos.yaml"
    text = config_for(0).replace("trials: 40", "trials: 14").replace("trials: 20", "trials: 6")
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.kill()


def assert_complete(home: Path, tracking: str | None = None) -> None:
    """The guarantee, for the home's study."""
    tracking = tracking or f"sqlite:///{home}/mlflow.db"
    assert_exactly_once(f"sqlite:///{home}/optuna.db", tracking, STUDY, TARGET)


def completed(home: Path) -> int:
    """How many trials of a running study are complete."""
    if not (home / "optuna.db").exists():
        return 0
    with sqlite3.connect(home / "optuna.db") as connection:
        try:
            query = "SELECT count(*) FROM trials WHERE state = 'COMPLETE'"
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # its tables are being made


@engines
def test_a_server_that_is_slow_and_fails(
    config: Path, server: MlflowServer, tmp_path: Path, engine: str
) -> None:
    """An MLflow server that is slow, then answers 500 for a while, and then recovers."""
    proxy = Proxy(server.uri)
    proxy.delay = 0.3
    process = start(
        *("run", config, "--home", tmp_path, "--workers", 2, "--engine", engine),
        env={"MLFLOW_TRACKING_URI": proxy.uri},
    )
    wait_until(lambda: proxy.asked > 10)
    proxy.answers_500 = True
    wait_until(lambda: completed(tmp_path) >= 8)
    proxy.answers_500, proxy.delay = False, 0.0
    _, said = process.communicate(timeout=300)
    proxy.close()
    assert process.returncode == 0, said
    assert said.count("MLflow cannot be written") == 1
    synced = sweep("sync", STUDY, "--home", tmp_path, env={"MLFLOW_TRACKING_URI": server.uri})
    assert synced.returncode == 0, synced.stderr
    assert_complete(tmp_path, server.uri)


def test_a_server_that_is_not_there(config: Path, tmp_path: Path) -> None:
    """The study ends without MLflow, says so, and ``sync`` brings everything there later."""
    nowhere = f"http://127.0.0.1:{free_address('127.0.0.1', 0).port}"
    home = tmp_path / "home"
    done = sweep("run", config, "--home", home, env={"MLFLOW_TRACKING_URI": nowhere})
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("MLflow cannot be written") == 1
    assert "the same command brings it there later" in done.stderr
    assert "Traceback" not in done.stderr
    server = MlflowServer(tmp_path)
    server.start()
    try:
        environment = {"MLFLOW_TRACKING_URI": server.uri}
        assert sweep("sync", STUDY, "--home", home, env=environment).returncode == 0
        assert_complete(home, server.uri)
    finally:
        server.kill()


@engines
def test_a_storage_that_is_locked(config: Path, tmp_path: Path, engine: str) -> None:
    """Another program holds SQLite's write lock for longer than SQLite itself would wait."""
    process = start("run", config, "--home", tmp_path, "--workers", 2, "--engine", engine)
    wait_until(lambda: completed(tmp_path) >= 2)
    connection = sqlite3.connect(tmp_path / "optuna.db", timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(8)
    connection.execute("COMMIT")
    connection.close()
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert_complete(tmp_path)


def test_a_server_that_drips_keeps_nobody(tiny_config: Path, tmp_path: Path) -> None:
    """After the last trial come two minutes for MLflow at most, the table, and soon the end."""
    dripping = DrippingServer()
    process = start(
        "run", tiny_config, "--home", tmp_path, env={"MLFLOW_TRACKING_URI": dripping.uri}
    )
    wait_until(lambda: completed(tmp_path) == TINY_TARGET)
    trained_at = time.monotonic()
    printed_until(process, "pixels → 10")
    printed_at = time.monotonic()
    _, said = process.communicate(timeout=60)
    ended = time.monotonic()
    dripping.close()
    assert process.returncode == 0, said
    assert ended - printed_at < 15  # half a second, and what a busy machine adds to it
    assert ended - trained_at < 120 + _TINY_SECONDS
    assert "MLflow does not hold everything yet" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("server", [DrippingServer, SilentServer])
def test_who_only_looks_does_not_wait_for_a_server(
    server: type[DrippingServer], finished: Path
) -> None:
    """``report`` and ``doctor`` end in seconds, and say what is missing, once."""
    keeping = server()
    env = {"MLFLOW_TRACKING_URI": keeping.uri}
    began = time.monotonic()
    reported = sweep("report", "tiny", "--home", finished, env=env)
    took = {"report": time.monotonic() - began}
    assert reported.returncode == 0, reported.stderr
    assert "pixels → 10" in reported.stdout
    assert reported.stderr.count("\n") == 1
    assert "MLflow cannot be read (no answer within 20 s): no run ids" in reported.stderr
    began = time.monotonic()
    looked = sweep("doctor", "--home", finished, env=env)
    took["doctor"] = time.monotonic() - began
    keeping.close()
    assert looked.returncode == 1
    assert f"problem  MLflow: {keeping.uri} does not answer" in looked.stdout
    assert "8 trials are complete" in looked.stdout
    assert max(took.values()) < 20 + _STARTING_SECONDS, took


@pytest.mark.parametrize("command", ["remove", "register"])
def test_who_writes_at_once_does_not_wait_for_ever(command: str, copy: Path) -> None:
    """A minute for a server that drips; then an error, and the study stands as it stood."""
    dripping = DrippingServer()
    began = time.monotonic()
    arguments = ("--yes",) if command == "remove" else ()
    env = {"MLFLOW_TRACKING_URI": dripping.uri}
    done = sweep(command, "tiny", "--home", copy, *arguments, env=env)
    took = time.monotonic() - began
    dripping.close()
    assert done.returncode == 1
    assert "no answer within 60 s" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert took < 60 + _TINY_SECONDS
    assert completed(copy) == TINY_TARGET


def test_a_database_that_is_away_is_known_at_once(finished: Path) -> None:
    """MLflow would try to reach it for two minutes, for every study."""
    silent = SilentServer()
    nobody = free_address("127.0.0.1", 0).port
    for port in (nobody, silent.uri.rpartition(":")[2]):
        env = {"MLFLOW_TRACKING_URI": f"postgresql://me:secret@127.0.0.1:{port}/mlflow"}
        for command in (("doctor",), ("report", "tiny")):
            began = time.monotonic()
            done = sweep(*command, "--home", finished, env=env)
            assert time.monotonic() - began < 20 + _STARTING_SECONDS
            assert "secret" not in done.stdout + done.stderr
            assert "Traceback" not in done.stderr
            assert f"127.0.0.1:{port}" in done.stdout or "no run ids" in done.stderr
    silent.close()


def test_ctrl_c_ends_a_run_that_waits_for_a_server(tiny_config: Path, tmp_path: Path) -> None:
    """Once asks it to end, twice ends it; and nothing is said in Python."""
    dripping = DrippingServer()
    process = start(
        "run", tiny_config, "--home", tmp_path, env={"MLFLOW_TRACKING_URI": dripping.uri}
    )
    wait_until(lambda: completed(tmp_path) == TINY_TARGET, seconds=200)
    time.sleep(5)  # it waits for MLflow
    assert process.poll() is None
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    said = process.communicate(timeout=120)
    dripping.close()
    assert process.returncode in (0, 1, 130), said
    assert "Traceback" not in said[1]


@engines
@needs_root
def test_a_disk_that_is_full_for_a_while(config: Path, tmp_path: Path, engine: str) -> None:
    """Training waits, the user sees why, and it goes on by itself when there is space again."""
    with mounted(tmp_path / "home", "-t", "tmpfs", "-o", "size=60m", "tmpfs") as home:
        process = start("run", config, "--home", home, "--workers", 2, "--engine", engine)
        said: list[str] = []
        assert process.stderr is not None
        reader = threading.Thread(target=lambda: said.extend(process.stderr or []))
        reader.start()
        wait_until(lambda: completed(home) >= 2)
        with full(home):
            wait_until(lambda: any("wait" in line for line in said), seconds=120)
            stuck = completed(home)
            assert process.poll() is None
            found = sweep("doctor", "--home", home)
            assert "problem  disk: 0.0 GB free" in found.stdout
        assert process.wait(timeout=300) == 0, "".join(said)
        reader.join()
        assert stuck < TARGET
        assert "Traceback" not in "".join(said)
        assert "goes on" in "".join(said)
        shutil.copytree(home, tmp_path / "copy")
        assert_complete(home)


@needs_root
def test_a_home_that_cannot_be_written(config: Path, tmp_path: Path) -> None:
    """On a read-only mount a study can be looked at, and is not run: one clear line says why."""
    home = tmp_path / "home"
    small = ("--set", "representations.vae.trials=0", "--set", "representations.pixels.trials=2")
    assert sweep("run", config, "--home", home, *small).returncode == 0
    mount = tmp_path / "mount"
    with mounted(mount, "--bind", "-o", "ro", str(home)):
        refused = sweep("run", config, "--home", mount)
        assert refused.returncode == 2
        assert f"the home {mount} cannot be written" in refused.stderr
        assert "Read-only file system" in refused.stderr
        assert "Traceback" not in refused.stderr
        for command in (("status",), ("report", STUDY), ("doctor",)):
            looked = sweep(*command, "--home", mount)
            assert "Traceback" not in looked.stderr
            assert looked.returncode == (1 if command == ("doctor",) else 0), looked.stderr
    assert len(trials(home, STUDY)) == 2


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed")
def test_a_clock_that_jumps(config: Path, tmp_path: Path) -> None:
    """Hours forth and back while the study runs: no trial times out, none ends before it began."""
    home, clock, library = tmp_path / "home", tmp_path / "clock", tmp_path / "clock.so"
    source = Path(__file__).with_name("jumping_clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    clock.write_text("0")
    environment = {"LD_PRELOAD": str(library), "CLOCK_JUMP": str(clock)}
    hours = {2: 5, 6: -9, 10: 72}
    process = start(
        *("run", config, "--home", home, "--workers", 2, "--set", "execution.trial_timeout=600"),
        env=environment,
    )

    def reached(least: int) -> bool:
        return completed(home) >= least

    for trials_before, jump in hours.items():
        wait_until(partial(reached, trials_before), seconds=120)
        clock.write_text(str(3600 * jump))
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert_complete(home)
    began = [trial.user_attrs["started_at"] / 3_600_000 for trial in trials(home, STUDY)]
    assert max(began) - min(began) > 70  # hours: the clock did jump
    for trial in trials(home, STUDY):
        result = trial.user_attrs["result"]
        assert 0 <= result["finished_at"] - result["started_at"] < 600_000
        assert 0 < result["train_seconds"] < 600
    undisturbed = sweep("run", config, "--home", tmp_path / "undisturbed")
    assert undisturbed.returncode == 0
    assert accuracies(home, STUDY) == accuracies(tmp_path / "undisturbed", STUDY)
