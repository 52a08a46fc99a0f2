from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock

from tests.cli.process import STARTED, TINY, copied, sweep

# The machine may be busy, and a first call may import a library: time is no property of the code.
hypothesis.settings.register_profile(
    "project",
    deadline=None,
    derandomize="CI" in os.environ,  # a new example is found where it can be mended
)
hypothesis.settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=15, help="SIGKILLs of each chaos test")
    parser.addoption("--chaos-seed", type=int, default=None, help="repeats a chaos test's moments")
    parser.addoption("--damage", choices=["some", "all"], default="some", help="damages to a home")
    parser.addoption("--faults", choices=["some", "all"], default="some", help="faults a phase")


_LONG = 1200
"""Seconds for what runs whole studies: many times what it takes where nothing else runs."""
_TRACKING = "MLFLOW_TRACKING_URI"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Time limits end what hangs. They count what a test sets up, too, as the shared study."""
    for item in items:
        is_long = "slow" in item.keywords or "finished" in getattr(item, "fixturenames", ())
        if is_long and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_LONG))


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test has started ends with it, and so does the tracking server that it named."""
    monkeypatch.setenv(_TRACKING, "")  # so that it is put back, whatever MLflow does with it
    monkeypatch.delenv(_TRACKING)
    before = len(STARTED)
    yield
    for process in STARTED[before:]:
        if process.poll() is None:
            process.kill()
            process.wait()
    del STARTED[before:]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes run the tests, but those of a single file: they are done before two start."""
    files = {Path(argument.partition("::")[0]) for argument in config.args}
    return 0 if len(files) == 1 and files.pop().is_file() else 2


@pytest.fixture(scope="session")
def tiny_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of a study that takes seconds."""
    path = tmp_path_factory.mktemp("config") / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def finished(tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one worker ran the tiny study without interruption; to be read only.

    The processes that run the tests share it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    home = shared / "finished"
    with FileLock(shared / "finished.lock"):
        if not (home / "stdout").exists():
            done = sweep("run", tiny_config, "--home", home, "--workers", 1, timeout=_LONG)
            assert done.returncode == 0, done.stderr
            (home / "stdout").write_text(done.stdout)
    return home


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database without a run, to be copied: making one takes seconds."""
    from sweep.home import Home
    from sweep.tracking.connection import create_database

    home = Home.at(tmp_path_factory.mktemp("empty"))
    home.create()
    create_database(home.mlflow_db, home)
    return home.mlflow_db


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study's home, to be changed."""
    return copied(finished, tmp_path / "home")
