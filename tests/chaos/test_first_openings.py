"""Hosts that share a PostgreSQL open it for the first time at once, as processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.servers import postgres

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

OPEN = """
import sys
from pathlib import Path
from sweep.home import Home
from sweep.lease import lease
from sweep.search.storage import open_storage
from sweep.workspace import Workspace
home = Home.at(Path(sys.argv[1]))
home.create()
print("ready", flush=True)
for url in sys.stdin:
    workspace = Workspace(home, url.strip(), "", None)
    with lease(workspace, home.root.name), workspace.making_tables():
        open_storage(workspace.storage)
    print("opened", flush=True)
"""
PAIRS = 10


def test_two_hosts_make_the_tables_once(tmp_path: Path) -> None:
    """Ten databases, each opened by two at the same moment: all of it succeeds."""
    with postgres() as server:
        for number in range(PAIRS):
            server.create(f"fresh{number}")
        hosts = [
            subprocess.Popen(
                [sys.executable, "-c", OPEN, str(tmp_path / name)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in ("one", "other")
        ]
        for host in hosts:
            assert host.stdout is not None
            assert host.stdout.readline() == "ready\n", host.communicate()
        for number in range(PAIRS):
            for host in hosts:
                assert host.stdin is not None
                host.stdin.write(server.url(f"fresh{number}") + "\n")
                host.stdin.flush()
            for host in hosts:
                assert host.stdout is not None
                assert host.stdout.readline() == "opened\n", host.communicate()
        for host in hosts:
            host.communicate()
            assert host.returncode == 0
