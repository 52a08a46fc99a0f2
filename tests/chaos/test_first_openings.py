"""Hosts that share a PostgreSQL open it for the first time at once, as processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy

from sweep.database import sqlite_file
from sweep.home import Home
from sweep.tracking import find_trial_run_ids
from sweep.workspace import Workspace
from tests.chaos.servers import postgres

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

OPEN = """
import sys
from pathlib import Path
from sweep.home import Home
from sweep.lease import lease
from sweep.results import DataFacts
from sweep.search.storage import open_storage
from sweep.tracking import Tracker
from sweep.workspace import Workspace
home = Home.at(Path(sys.argv[1]))
home.create()
for module in sys.argv[2:]:
    __import__(module)
print("ready", flush=True)
for line in sys.stdin:
    what, url = line.split()
    if what == "storage":
        workspace = Workspace(home, url, "", None)
        with lease(workspace, home.root.name), workspace.making_tables():
            open_storage(workspace.storage)
    else:
        data = DataFacts(name="mnist-5k", sha256="5" * 64, is_mnist=False)
        Tracker(Workspace(home, "", url, None), home.root.name, data)
    print("opened", flush=True)
"""
PAIRS = 10


def test_two_hosts_make_the_tables_once(tmp_path: Path) -> None:
    """Ten databases, each opened by two at the same moment: all of it succeeds."""
    with postgres() as server, two_hosts(tmp_path) as hosts:
        for number in range(PAIRS):
            server.create(f"fresh{number}")
            open_at_once(hosts, "storage", server.url(f"fresh{number}"))


def test_two_hosts_make_mlflow_s_tables_once(tmp_path: Path) -> None:
    """The same for the runs, in PostgreSQL and in a file that both reach: each has its study.

    Who looked before has made nothing.
    """
    from mlflow import MlflowClient

    imported = ("mlflow", "mlflow.store.tracking.sqlalchemy_store")
    with postgres() as server, two_hosts(tmp_path, *imported) as hosts:
        urls = []
        for number in range(PAIRS // 2):
            server.create(f"fresh{number}")
            urls += [server.url(f"fresh{number}"), f"sqlite:///{tmp_path}/fresh{number}.db"]
        for url in urls:
            looking = Workspace(Home.at(tmp_path), "", url, None)
            assert find_trial_run_ids(looking, ["one"]) == {"one": {}}
            assert is_untouched(url)
            open_at_once(hosts, "runs", url)
            assert find_trial_run_ids(looking, ["one"]) == {"one": {}}
            found = {each.name for each in MlflowClient(url).search_experiments()}
            assert found == {"Default", "one", "other"}


def is_untouched(url: str) -> bool:
    """Whether a database has no table, and a file of SQLite is not there."""
    file = sqlite_file(url)
    if file is not None:
        return not file.exists()
    engine = sqlalchemy.create_engine(url)
    try:
        return not sqlalchemy.inspect(engine).get_table_names()
    finally:
        engine.dispose()


@contextmanager
def two_hosts(directory: Path, *imported: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes with a home each, which open what they are told to."""
    hosts = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(directory / name), *imported],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "other")
    ]
    try:
        expect(hosts, "ready")
        yield hosts
        for host in hosts:
            host.communicate()
            assert host.returncode == 0
    finally:
        for host in hosts:
            host.kill()
            host.wait()


def open_at_once(hosts: list[subprocess.Popen[str]], what: str, url: str) -> None:
    """Have both open something at the same moment."""
    for host in hosts:
        assert host.stdin is not None
        host.stdin.write(f"{what} {url}\n")
        host.stdin.flush()
    expect(hosts, "opened")


def expect(hosts: list[subprocess.Popen[str]], word: str) -> None:
    """Each says it."""
    for host in hosts:
        assert host.stdout is not None
        assert host.stdout.readline() == f"{word}\n", host.communicate()
