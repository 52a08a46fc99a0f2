"""Processes that lack what others have: processes of their own, places to write, a user's home."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.process import processes

_CGROUPS = Path("/sys/fs/cgroup")


class FewProcesses:
    """A limit to the processes and threads of whoever joins it; root has no other."""

    def __init__(self, group: Path) -> None:
        self._group = group

    def limit(self, number: int | str) -> None:
        """Set how many there may be; ``max`` for as many as they like."""
        (self._group / "pids.max").write_text(str(number))

    def join(self) -> None:
        """Live under it from now on, with all children."""
        (self._group / "cgroup.procs").write_text(str(os.getpid()))


@contextmanager
def few_processes() -> Iterator[FewProcesses]:
    """A group of processes that can be limited, for the length of a block."""
    pids = _CGROUPS / "pids"  # version 1 has a tree for each thing that is limited
    group = (pids if pids.exists() else _CGROUPS) / f"sweep-{os.getpid()}"
    try:
        group.mkdir()
        (group / "pids.max").read_text()
    except OSError as error:
        pytest.skip(f"processes cannot be limited here: {error}")
    try:
        yield FewProcesses(group)
    finally:
        deadline = time.monotonic() + 30
        while (group / "cgroup.procs").read_text() and time.monotonic() < deadline:
            time.sleep(0.1)
        group.rmdir()


def without_shared_memory(*command: object) -> list[str]:
    """A command in whose view ``/dev/shm`` takes no writes; only root can."""
    mount = 'mount -t tmpfs -o ro tmpfs /dev/shm && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh", *map(str, command)]


def as_nobody(*command: object) -> list[str]:
    """A command of a user whom the machine does not know, and who has no home directory."""
    unset = ["env", "-u", "HOME", "-u", "USER", "-u", "LOGNAME"]
    number = ["--user", "--map-user=12345", "--map-group=12345"]
    return [*unset, "unshare", *number, *map(str, command)]


def sweep_command(*arguments: object) -> list[str]:
    """The command line, to be given to one of the above."""
    return [sys.executable, "-m", "sweep", *map(str, arguments)]


def command_lines() -> dict[int, str]:
    """Those of all processes, as every user of the machine may read them."""
    return processes(lambda *_: True)
