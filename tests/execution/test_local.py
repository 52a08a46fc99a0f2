"""Local workers, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.errors import OutageError
from sweep.execution import Failed, LocalExecutor, Task
from sweep.execution import local as local_module
from sweep.execution.base import FailureKind
from tests.execution.work import outcomes, prepare, refuse


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[LocalExecutor]:
    executor = LocalExecutor(2, prepare, timeout=30, logs=tmp_path)
    yield executor
    executor.close()


@pytest.mark.parametrize("death", ["kill SIGKILL", "kill SIGTERM", "kill SIGSEGV", "exit 3"])
def test_a_death_costs_one_task(executor: LocalExecutor, death: str) -> None:
    """A worker that dies loses its own task, says where its log is, and is replaced."""
    found = outcomes(executor, "sleep 1", death, "echo after", "echo again")
    failed = found[death]
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.DIED
    assert "worker-" in failed.message
    assert (found["sleep 1"], found["echo after"], found["echo again"]) == ("", "after", "again")


def test_an_idle_worker_may_die(executor: LocalExecutor) -> None:
    """A worker that is killed between two tasks costs nothing."""
    for attempt in range(3):
        pid = outcomes(executor, "pid")["pid"]
        assert isinstance(pid, str)
        os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.3 * attempt)
        assert outcomes(executor, "echo alive") == {"echo alive": "alive"}


def test_a_time_limit_ends_a_task(tmp_path: Path) -> None:
    """A task that takes too long is stopped, and its worker takes the next."""
    executor = LocalExecutor(1, prepare, timeout=1, logs=tmp_path)
    found = outcomes(executor, "sleep 60", "echo after")
    executor.close()
    failed = found["sleep 60"]
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.TIMED_OUT
    assert failed.message == "took longer than 1 seconds"
    assert found["echo after"] == "after"


def test_time_in_which_a_task_is_stopped_does_not_count(tmp_path: Path) -> None:
    """A worker that was stopped for longer than its limit ends its task when it goes on."""
    executor = LocalExecutor(1, prepare, timeout=4, logs=tmp_path)
    pid = outcomes(executor, "pid")["pid"]
    assert isinstance(pid, str)
    executor.submit(Task("long", "count 2"))
    executor.wait(0.3)
    os.kill(int(pid), signal.SIGSTOP)
    stopped_until = time.monotonic() + 5
    while time.monotonic() < stopped_until:
        assert not executor.wait(0.1)
    os.kill(int(pid), signal.SIGCONT)
    while not (ended := executor.wait(0.1)):
        pass
    executor.close()
    assert ended[0].result == "counted"


STOPPED = """
import sys, time
from pathlib import Path
from sweep.execution import LocalExecutor, Task
from sweep.execution import local
from tests.execution.work import prepare
if __name__ == "__main__":
    local.LONGEST_LOOK = 0.5
    executor = LocalExecutor(1, prepare, 3, Path(sys.argv[1]))
    executor.submit(Task("long", "count 2"))
    while not executor.running()["worker 1"][1]:
        executor.wait(0.1)
    print("running", flush=True)
    while not (done := executor.wait(0.1)):
        pass
    print(done[0].result, flush=True)
    executor.close()
"""


def test_time_in_which_all_is_stopped_does_not_count(tmp_path: Path) -> None:
    """As by Ctrl-Z, or on a laptop that was closed: the coordinator with its workers."""
    script = tmp_path / "coordinator.py"
    script.write_text(STOPPED)
    with subprocess.Popen(
        [sys.executable, script, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    ) as coordinator:
        assert coordinator.stdout is not None
        assert coordinator.stdout.readline() == "running\n"
        os.killpg(coordinator.pid, signal.SIGSTOP)
        time.sleep(4)
        os.killpg(coordinator.pid, signal.SIGCONT)
        assert coordinator.stdout.readline() == "counted\n"


def test_a_worker_that_cannot_be_set_up_is_an_outage(tmp_path: Path) -> None:
    """Nobody waits for ever for a process that never gets ready, and no task is to blame."""
    executor = LocalExecutor(1, refuse, timeout=30, logs=tmp_path)
    failed = outcomes(executor, "echo never")["echo never"]
    executor.close()
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.DIED
    assert isinstance(failed.error, OutageError)
    assert "no worker gets ready" in failed.message
    assert "this worker cannot be set up" in (tmp_path / "worker-1.log").read_text()


def test_processes_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process does a bounded number of tasks, so that its memory stays bounded."""
    monkeypatch.setattr(local_module, "TASKS_PER_PROCESS", 2)
    executor = LocalExecutor(1, prepare, timeout=30, logs=tmp_path)
    pids = [outcomes(executor, "pid")["pid"] for _ in range(4)]
    executor.close()
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_what_workers_print_goes_to_their_logs(executor: LocalExecutor, tmp_path: Path) -> None:
    """Workers do not write over the coordinator's display."""
    outcomes(executor, "print hello")
    assert "hello" in (tmp_path / "worker-1.log").read_text()


def test_running_says_what_is_done(executor: LocalExecutor) -> None:
    """A busy worker's task and fraction can be seen; an idle worker is not listed."""
    executor.submit(Task("a", "sleep 2"))
    deadline = time.monotonic() + 30
    while executor.running()["worker 1"][1] != 0.5:
        assert time.monotonic() < deadline
        executor.wait(0.05)
    running = {worker: task.id for worker, (task, _) in executor.running().items()}
    assert running == {"worker 1": "a"}
    assert executor.free == 1


def test_close_stops_at_once(executor: LocalExecutor) -> None:
    """Closing does not wait for tasks, and leaves no process behind."""
    pid = outcomes(executor, "pid")["pid"]
    assert isinstance(pid, str)
    executor.submit(Task("long", "sleep 60"))
    executor.wait(0.5)
    began = time.monotonic()
    executor.close()
    assert time.monotonic() - began < 5
    assert not is_alive(int(pid))


COORDINATOR = """
import sys, time
from pathlib import Path
from sweep.execution import LocalExecutor, Task
from tests.execution.work import prepare
if __name__ == "__main__":
    executor = LocalExecutor(1, prepare, 60, Path(sys.argv[1]))
    executor.submit(Task("pid", "pid"))
    while not (done := executor.wait(0.1)):
        pass
    print(done[0].result, flush=True)
    executor.submit(Task("long", "sleep 60"))
    time.sleep(60)
"""


def test_workers_end_with_their_coordinator(tmp_path: Path) -> None:
    """A coordinator that is killed leaves no worker behind, even in the middle of a task."""
    script = tmp_path / "coordinator.py"
    script.write_text(COORDINATOR)
    with subprocess.Popen(
        [sys.executable, script, tmp_path],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    ) as coordinator:
        assert coordinator.stdout is not None
        worker = int(coordinator.stdout.readline())
        time.sleep(0.5)
        assert is_alive(worker)
        coordinator.kill()
    deadline = time.monotonic() + 10
    while is_alive(worker):
        assert time.monotonic() < deadline, "the worker outlived its coordinator"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process runs, and is not merely waiting to be buried."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    """One that does not ask for its ``__name__`` runs once, and not again in each worker."""
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from sweep.execution import LocalExecutor\n"
        "from tests.execution.work import outcomes, prepare\n"
        "print('begun')\n"
        "executor = LocalExecutor(2, prepare, timeout=30, logs=Path('logs'))\n"
        "print(sorted(outcomes(executor, 'echo one', 'echo two').values()), __file__)\n"
        "executor.close()\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"begun\n['one', 'two'] {script}\n"
