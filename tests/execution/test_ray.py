"""Workers on a Ray cluster of this machine, with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.artifacts import ArtifactStore
from sweep.execution import Demands, Executor, Failed, FailureKind, Outcome, RayExecutor, Task
from sweep.execution.ray import Joined, session
from sweep.execution.ray.cache import NodeCache
from sweep.home import Home
from sweep.machine import environment
from sweep.results import EncoderRecord
from sweep.specs import Artifact, EncoderSpec
from tests.builders import trial_spec
from tests.cli.process import living, processes, wait_until
from tests.execution.test_local import is_alive
from tests.execution.work import a_worker, on_ray, outcomes, refuse_in

pytestmark = pytest.mark.cluster

ENCODER = trial_spec().encoder(0)
CHECKPOINT, TRAINED = Artifact("checkpoint", ENCODER.key), Artifact("encoder", ENCODER.key)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Joined]:
    with session(None, 2) as started:
        yield started


@pytest.fixture
def executor(cluster: Joined, tmp_path: Path) -> Iterator[RayExecutor]:
    executor = on_ray(cluster, tmp_path)
    a_worker(executor)
    yield executor
    executor.close()


def prepare_trainer(home: Home) -> Callable[[str, Callable[[float], None]], str]:
    """Work that leaves a checkpoint each half second, and at the end an encoder."""
    store = ArtifactStore(home)

    def work(payload: str, report: Callable[[float], None]) -> str:
        spec = EncoderSpec.model_validate_json(payload)
        checkpoint = store.checkpoint(spec.key)
        state = checkpoint.load() or {"epochs": np.array(0)}
        began, epochs = int(state["epochs"]), int(spec.representation.settings["epochs"])
        for epoch in range(began, epochs):
            report(epoch / epochs)
            time.sleep(0.5)
            checkpoint.save({"epochs": np.array(epoch + 1)}, {"loss": (1.0,) * (epoch + 1)})

        def make(out: Path) -> EncoderRecord:
            (out / "weights").write_bytes(os.urandom(8))
            return EncoderRecord(
                spec=spec,
                history={"began": (float(began),)},
                parameters=1,
                train_seconds=1.0,
                started_at=os.getpid(),
                finished_at=2,
            )

        record = store.encoders.get_or_make(spec, make)
        checkpoint.remove()
        return record.model_dump_json()

    return work


def training(epochs: int = 6) -> Task:
    """The training of one encoder, half a second an epoch."""
    spec = trial_spec(
        representation=ENCODER.representation.model_copy(update={"settings": {"epochs": epochs}})
    ).encoder(0)
    return Task(spec.key, spec.model_dump_json(), "encoder", spec.reads[1:], spec.writes)


def couriers(cluster: Joined) -> list[int]:
    """The processes of this cluster's slots, and of no other on this machine."""
    place = cluster.ray.get_runtime_context().get_temp_dir()
    raylets = {pid for pid, line in living("raylet/raylet").items() if place in line}
    children = processes(lambda parent, _: parent in raylets)
    return [pid for pid, line in children.items() if "ray::Courier" in line]


def ended(executor: Executor, number: int = 1) -> list[Outcome]:
    found: list[Outcome] = []
    deadline = time.monotonic() + 60
    while len(found) < number:
        assert time.monotonic() < deadline
        found += executor.wait(0.1)
    return found


def test_the_worker_s_process_has_no_ray(executor: RayExecutor) -> None:
    """Ray is where tasks are carried, and not where they are done."""
    modules = outcomes(executor, "modules")["modules"]
    assert isinstance(modules, str)
    assert "pebble" in modules.split()
    assert "ray" not in modules.split()


def test_a_log_that_is_not_taken_costs_no_result(executor: RayExecutor, tmp_path: Path) -> None:
    """The disk is full when what a worker printed arrives, and the result is there."""
    logs = tmp_path / "logs"
    executor._logs = Path("/dev/full")  # its files are no directory's: none can be opened
    assert outcomes(executor, "print hello")["print hello"] == ""
    assert not list(logs.iterdir())


def test_a_death_costs_one_task(executor: RayExecutor, tmp_path: Path) -> None:
    """The slot goes on; the message names a log that lies with the coordinator."""
    found = outcomes(executor, "print hello", "kill SIGKILL", "echo after")
    failed = found["kill SIGKILL"]
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.DIED
    log = Path(failed.message.rpartition("its log: ")[2])
    assert log.is_relative_to(tmp_path)
    assert any("hello" in each.read_text() for each in log.parent.iterdir())
    assert found["echo after"] == "after"


def test_a_time_limit_ends_a_task(cluster: Joined, tmp_path: Path) -> None:
    """And its slot takes the next."""
    executor = on_ray(cluster, tmp_path, timeout=1)
    a_worker(executor)
    found = outcomes(executor, "sleep 60", "echo after")
    executor.close()
    failed = found["sleep 60"]
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.TIMED_OUT
    assert found["echo after"] == "after"


def test_a_worker_that_cannot_be_set_up_is_a_failure(cluster: Joined, tmp_path: Path) -> None:
    """Nobody waits for ever for a process that never gets ready."""
    executor = on_ray(cluster, tmp_path, refuse_in)
    a_worker(executor)
    failed = outcomes(executor, "echo never")["echo never"]
    executor.close()
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.DIED
    assert "cannot be set up" in Path(failed.message.rpartition("its log: ")[2]).read_text()


def test_a_slot_that_is_gone_has_lost_its_task(cluster: Joined, executor: RayExecutor) -> None:
    """Nothing is known against the task; another slot takes the place of the one that is gone."""
    a_worker(executor, 2)
    executor.submit(Task("long", "sleep 60"))
    executor.wait(0.5)
    before = list(couriers(cluster))
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    (lost,) = ended(executor)
    assert isinstance(lost.result, Failed)
    assert lost.result.kind is FailureKind.LOST
    a_worker(executor)
    # An idle slot may be gone, and this not be known before it is given a task.
    again = [outcomes(executor, "echo after")["echo after"] for _ in range(2)]
    assert "after" in again
    assert not set(before) & set(couriers(cluster))


def test_a_checkpoint_comes_home_while_its_training_runs(cluster: Joined, tmp_path: Path) -> None:
    """And goes when the encoder is there; nothing of it stays on the node."""
    executor = on_ray(cluster, tmp_path, prepare_trainer)
    store = ArtifactStore(Home.at(tmp_path / "home"))
    a_worker(executor)
    task = training(epochs=10)
    executor.submit(task)
    histories = set()
    found: list[Outcome] = []
    while not found:
        found = executor.wait(0.1)
        histories.add(len((store.checkpoint(task.id).history() or {"loss": ()})["loss"]))
    executor.close()
    assert isinstance(found[0].result, str)
    assert len(histories) >= 3
    assert store.encoders.is_whole(task.id)
    assert store.half_trained() == []


def test_a_training_that_was_closed_goes_on(cluster: Joined, tmp_path: Path) -> None:
    """Ctrl-C costs half an epoch, and not what was not looked at since."""
    executor = on_ray(cluster, tmp_path, prepare_trainer)
    a_worker(executor)
    task = training(epochs=8)
    executor.submit(task)
    deadline = time.monotonic() + 60
    while not executor.running() or next(iter(executor.running().values()))[1] < 0.3:
        assert time.monotonic() < deadline
        executor.wait(0.1)
    executor.close()
    store = ArtifactStore(Home.at(tmp_path / "home"))
    kept = len((store.checkpoint(task.id).history() or {"loss": ()})["loss"])
    assert kept >= 2
    executor = on_ray(cluster, tmp_path, prepare_trainer)
    a_worker(executor)
    executor.submit(task)
    (outcome,) = ended(executor)
    executor.close()
    assert isinstance(outcome.result, str)
    assert json.loads(outcome.result)["history"]["began"] == [float(kept)]


def test_two_studies_train_an_encoder_once(cluster: Joined, tmp_path: Path) -> None:
    """Of one home: while it is out for one of them, the other waits, and then has it."""
    executors = [on_ray(cluster, tmp_path, prepare_trainer, most=1) for _ in range(2)]
    task = training(epochs=4)
    for executor in executors:
        a_worker(executor)
        executor.submit(task)
    found: list[Outcome] = []
    deadline = time.monotonic() + 60
    while len(found) < 2:
        assert time.monotonic() < deadline
        for executor in executors:
            found += executor.wait(0.1)
    for executor in executors:
        executor.close()
    assert found[0].result == found[1].result


def test_an_encoder_that_is_damaged_is_not_sent(cluster: Joined, tmp_path: Path) -> None:
    """It is set aside, and what needs it is lost: so it is made again before."""
    executor = on_ray(cluster, tmp_path, prepare_trainer)
    store = ArtifactStore(Home.at(tmp_path / "home"))
    a_worker(executor)
    task = training(epochs=1)
    executor.submit(task)
    ended(executor)
    (store.encoders.path(task.id) / "weights").write_bytes(b"other")
    executor.submit(Task("draw", task.payload, "draw", (Artifact("encoder", task.id),)))
    (outcome,) = ended(executor)
    assert isinstance(outcome.result, Failed)
    assert outcome.result.kind is FailureKind.LOST
    assert not store.encoders.has(task.id)
    executor.close()


def test_close_stops_at_once_and_leaves_nothing(
    cluster: Joined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a process nor a file on the node; closing again is no matter."""
    executor = on_ray(cluster, tmp_path)
    a_worker(executor, 2)
    pid = outcomes(executor, "pid")["pid"]
    assert isinstance(pid, str)
    executor.submit(Task("long", "sleep 60"))
    executor.wait(0.5)
    began = time.monotonic()
    executor.close()
    executor.close()
    assert time.monotonic() - began < 10
    assert not is_alive(int(pid))
    wait_until(lambda: not couriers(cluster), 10)
    cache = NodeCache("after", "node")
    assert [each for each in cache.home.root.parent.iterdir() if each.is_dir()] == [cache.home.root]
    cache.leave()


def test_no_gpu_is_seen_by_what_asks_for_none(executor: RayExecutor) -> None:
    """Whatever its node has: numbers of a GPU are others."""
    variable = "variable CUDA_VISIBLE_DEVICES"
    assert outcomes(executor, variable) == {variable: ""}


def test_what_needs_a_gpu_waits_for_one(
    cluster: Joined,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It goes to no slot without one, and that it waits is told; other tasks go on."""
    monkeypatch.setattr("sweep.execution.ray.fleet._PATIENCE_SECONDS", 2)
    executor = on_ray(cluster, tmp_path, demands=Demands(gpus_per_encoder=1))
    a_worker(executor, 2)
    for _ in range(30):
        executor.wait(0.1)
    assert "has room for a task" not in caplog.text  # none was asked for
    assert executor.takes("draw")
    assert not executor.takes("encoder")
    deadline = time.monotonic() + 20
    while "has room for a task" not in caplog.text:
        assert time.monotonic() < deadline
        executor.wait(0.1)
    assert outcomes(executor, "echo 1") == {"echo 1": "1"}
    executor.close()


def test_a_node_with_other_versions_is_not_used(
    cluster: Joined,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is named once, with what differs, and nothing is placed there again."""
    other = environment()
    other["packages"]["tensorflow"] = "1.15"
    other["git_revision"] = "0" * 40
    monkeypatch.setattr("sweep.execution.ray.fleet.environment", lambda: other)
    noted: list[object] = []
    executor = on_ray(cluster, tmp_path, note=noted.append)
    deadline = time.monotonic() + 60
    while "is not used" not in caplog.text:
        assert time.monotonic() < deadline
        executor.wait(0.1)
    for _ in range(30):
        executor.wait(0.1)
        assert executor.workers == 0
    executor.close()
    assert f"tensorflow {environment()['packages']['tensorflow']} and not 1.15" in caplog.text
    assert "latent-sweep at commit" in caplog.text
    assert caplog.text.count("is not used") == 1
    assert noted == []
    wait_until(lambda: not couriers(cluster), 10)


def test_nodes_are_noted_and_other_cpus_told_of(
    cluster: Joined, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The environment of each, once, before anything is done there."""
    noted: list[Mapping[str, Any]] = []
    executor = on_ray(cluster, tmp_path, note=noted.append)
    a_worker(executor, 2)
    assert noted == [environment()]
    slot = executor._fleet.slots[0]
    assert slot.facts is not None
    elsewhere = replace(slot.facts, node="other", environment={**environment(), "cpu": "Other"})
    for _ in range(2):
        executor._fleet.welcome(slot, elsewhere)
    assert [each["cpu"] for each in noted] == [environment()["cpu"], "Other"]
    assert caplog.text.count("differs from another's in its last bits") == 1
    executor.close()


SIGNALS = """
import signal
from sweep.execution.ray import session
def mine(*_):
    print("mine", flush=True)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, mine)
with session(None, 1):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.raise_signal(number)
print(signal.getsignal(signal.SIGTERM) is mine)
"""


def test_signals_stay_ours() -> None:
    """Ray takes SIGTERM for itself, which would end a study without a word."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNALS], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "mine\nmine\nTrue\n", done.stderr
