"""The lease: one owner, and a dead owner holds nothing."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sweep import lease as lease_module
from sweep.errors import HomeError, StudyBusyError
from sweep.lease import LEASE_SECONDS, last_owner, lease
from sweep.workspace import Workspace

OWNER = """
import sys, time
from pathlib import Path
from sweep import lease as lease_module
from sweep.lease import lease
from sweep.workspace import Workspace
lease_module._RENEWAL_SECONDS = 1.0
with lease(Workspace.at(Path(sys.argv[1]), {"SWEEP_STORAGE": sys.argv[2]}), "study") as held:
    print("held", flush=True)
    while not held.lost:
        time.sleep(0.05)
print("lost", flush=True)
"""

other_host = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("unshare") is None, reason="only root may be another host"
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A storage that several homes share."""
    return f"sqlite:///{tmp_path}/optuna.db"


def workspace(path: Path, url: str) -> Workspace:
    made = Workspace.at(path, {"SWEEP_STORAGE": url})
    made.home.create()
    return made


@contextmanager
def owner(at: Workspace, host: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lease, perhaps on a host of another name; killed at the end."""
    command = [sys.executable, "-c", OWNER, str(at.home.root), at.storage]
    if host is not None:
        inside = 'hostname "$0" && exec "$@"'
        command = ["unshare", "--uts", "sh", "-c", inside, host, *command]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lease_has_one_owner_and_ends_with_it(tmp_path: Path, url: str) -> None:
    """A living owner is named; when it is killed, the lease is free at once."""
    at = workspace(tmp_path, url)
    with owner(at) as process:
        busy = pytest.raises(StudyBusyError, match=f"process {process.pid} on")
        with busy as raised, lease(at, "study"):
            pass
        assert raised.value.exit_status == 1
        found = last_owner(url, "study")
        assert found is not None
        assert found.is_alive
        with lease(at, "another"):
            pass
        process.kill()
        process.wait()
        found = last_owner(url, "study")
        assert found is not None
        assert not found.is_alive
        with lease(at, "study") as held:
            assert not held.lost


@pytest.mark.parametrize("version", ["this", "older"])
def test_a_storage_that_homes_share(tmp_path: Path, url: str, version: str) -> None:
    """The lease is the storage's: another home does not help, until the owner is dead.

    An older version did not say which machine it ran on: that of its name.
    """
    with owner(workspace(tmp_path / "one", url)) as process:
        if version == "older":
            until_space = "substr(process_started, 1, instr(process_started || ' ', ' ') - 1)"
            change_lease(tmp_path / "optuna.db", f"process_started = {until_space}")
        with pytest.raises(StudyBusyError), lease(workspace(tmp_path / "two", url), "study"):
            pass
        process.kill()
        process.wait()
        with lease(workspace(tmp_path / "two", url), "study"):
            pass


def assert_believed_until_old(process: subprocess.Popen[str], tmp_path: Path, who: str) -> None:
    """That a dead process is believed to be alive until it has not renewed for a while."""
    two = workspace(tmp_path / "two", f"sqlite:///{tmp_path}/optuna.db")
    process.kill()
    process.wait()
    with pytest.raises(StudyBusyError, match=who), lease(two, "study"):
        pass
    age_lease(tmp_path / "optuna.db", LEASE_SECONDS + 1)
    with lease(two, "study"):
        pass


@other_host
def test_an_owner_on_another_host(tmp_path: Path, url: str) -> None:
    """Believed to be alive until it has not renewed its lease for a while."""
    with owner(workspace(tmp_path / "one", url), host="elsewhere") as process:
        assert_believed_until_old(process, tmp_path, f"process {process.pid} on elsewhere")


def test_an_owner_on_another_machine_of_the_same_name(tmp_path: Path, url: str) -> None:
    """Containers and clouds give one name to many: its processes are not those of this machine."""
    with owner(workspace(tmp_path / "one", url)) as process:
        change_lease(tmp_path / "optuna.db", "pid = 1, process_started = '77 0ther000'")
        assert_believed_until_old(process, tmp_path, "process 1 on")


@other_host
def test_an_owner_that_only_seemed_dead_steps_back(tmp_path: Path, url: str) -> None:
    """It was stopped for long enough; when it goes on it finds its lease taken."""
    with owner(workspace(tmp_path / "one", url), host="elsewhere") as process:
        process.send_signal(signal.SIGSTOP)
        age_lease(tmp_path / "optuna.db", LEASE_SECONDS + 1)
        with lease(workspace(tmp_path / "two", url), "study") as held:
            process.send_signal(signal.SIGCONT)
            assert process.stdout is not None
            assert process.stdout.readline() == "lost\n"
            assert not held.lost


def test_a_lease_is_renewed(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the background, as long as it is held."""
    monkeypatch.setattr(lease_module, "_RENEWAL_SECONDS", 0.1)
    with lease(workspace(tmp_path, url), "study"):
        age_lease(tmp_path / "optuna.db", LEASE_SECONDS + 1)
        time.sleep(1)
        found = last_owner(url, "study")
        assert found is not None
        assert found.silent < 5


def change_lease(database: Path, changes: str, *values: object) -> None:
    """Have something else stand in the lease's row."""
    with sqlite3.connect(database) as connection:
        done = connection.execute(f"UPDATE sweep_lease SET {changes}", values)
        assert done.rowcount == 1
    connection.close()


def age_lease(database: Path, seconds: float) -> None:
    """Have the lease look as if it had been renewed so long ago."""
    change_lease(database, "renewed = datetime('now', ?)", f"-{seconds} seconds")


@pytest.mark.parametrize(
    "url",
    ["postgresql+nothing://here/studies", "nothing://here/studies", "no URL", "mysql://a:b/c"],
)
def test_who_owns_a_study_of_a_storage_that_cannot_be_opened(url: str) -> None:
    """The error of all commands: which storage, why, and what sets it."""
    with pytest.raises(HomeError, match=r"the studies' storage .* cannot be opened") as raised:
        last_owner(url, "study")
    assert raised.value.hint == "check SWEEP_STORAGE and --home"
