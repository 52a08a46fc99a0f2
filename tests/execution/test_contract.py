"""What every executor does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.errors import DivergedError
from sweep.execution import Executor, Failed, FailureKind, InlineExecutor, LocalExecutor, Task
from sweep.execution.ray import Joined, session
from tests.execution.work import a_worker, on_ray, outcomes, prepare


@pytest.fixture(scope="module")
def cluster() -> Iterator[Joined]:
    """A cluster of this machine alone."""
    with session(None, 2) as started:
        yield started


@pytest.fixture(params=["local", "inline", pytest.param("ray", marks=pytest.mark.cluster)])
def executor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Executor]:
    executor: Executor
    match request.param:
        case "local":
            executor = LocalExecutor(2, prepare, timeout=30, logs=tmp_path)
        case "inline":
            executor = InlineExecutor(prepare)
        case _:
            executor = on_ray(request.getfixturevalue("cluster"), tmp_path)
            a_worker(executor)
    yield executor
    executor.close()


def test_results_come_back_whole(executor: Executor) -> None:
    """A result is what the work function gave, far above a pipe's buffer, too."""
    found = outcomes(executor, "echo one", "large 300000", "echo two")
    assert found == {"echo one": "one", "large 300000": "x" * 300000, "echo two": "two"}


def test_what_a_task_raises_comes_back(executor: Executor) -> None:
    """An exception keeps its type, message and traceback, and the worker goes on."""
    found = outcomes(executor, "diverge", "raise broken", "echo after")
    diverged, broken = found["diverge"], found["raise broken"]
    assert isinstance(diverged, Failed)
    assert isinstance(broken, Failed)
    assert isinstance(diverged.error, DivergedError)
    assert diverged.error.message == "the loss is not finite"
    assert broken.kind is FailureKind.RAISED
    assert broken.message == "broken"
    assert "work.py" in (broken.traceback or "")
    assert found["echo after"] == "after"


def test_a_busy_worker_is_seen(executor: Executor) -> None:
    """With its task; an idle one is not listed, and takes the next."""
    executor.submit(Task("a", "echo one"))
    assert {task.id for task, _ in executor.running().values()} == {"a"}
    assert executor.free == executor.workers - 1
    while not (ended := executor.wait(0.1)):
        pass
    assert [(outcome.task.id, outcome.result) for outcome in ended] == [("a", "one")]
    assert not executor.running()
    assert executor.free == executor.workers
