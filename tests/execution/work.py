"""Work for worker processes, without TensorFlow: what a task's payload says is done."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweep.artifacts import ArtifactStore
from sweep.errors import DivergedError
from sweep.execution import Demands, Executor, Failed, Outcome, RayExecutor, Task
from sweep.execution.ray import Joined
from sweep.home import Home


def prepare() -> Callable[[str, Callable[[float], None]], str]:
    return work


def prepare_in(_home: Home) -> Callable[[str, Callable[[float], None]], str]:
    return work


def refuse_in(_home: Home) -> Callable[[str, Callable[[float], None]], str]:
    return refuse()


def refuse() -> Callable[[str, Callable[[float], None]], str]:
    raise RuntimeError("this worker cannot be set up")


def work(payload: str, report: Callable[[float], None]) -> str:
    report(0.5)
    kind, _, argument = payload.partition(" ")
    match kind:
        case "echo":
            return argument
        case "large":
            return "x" * int(argument)
        case "pid":
            return str(os.getpid())
        case "sleep":
            time.sleep(float(argument))
        case "count":  # seconds in which this process runs
            for _ in range(int(10 * float(argument))):
                time.sleep(0.1)
            return "counted"
        case "kill":
            os.kill(os.getpid(), getattr(signal, argument))
            time.sleep(60)
        case "exit":
            os._exit(int(argument))
        case "diverge":
            raise DivergedError("the loss is not finite", hint="none")
        case "raise":
            raise ValueError(argument)
        case "modules":
            return " ".join(sorted(name for name in sys.modules if "." not in name))
        case "variable":
            return os.environ.get(argument, "(not set)")
        case "print":
            os.write(1, argument.encode())
    return ""


def on_ray(
    cluster: Joined,
    place: Path,
    prepare: Callable[[Home], Callable[[str, Callable[[float], None]], str]] = prepare_in,
    **options: Any,
) -> RayExecutor:
    """An executor on a cluster, with a home in a place."""
    home = Home.at(place / "home")
    home.create()
    settings: dict[str, Any] = {"timeout": 30, "demands": Demands()} | options
    return RayExecutor(cluster.ray, ArtifactStore(home), prepare, logs=place / "logs", **settings)


def a_worker(executor: Executor, number: int = 1) -> None:
    """Wait until so many workers are free."""
    deadline = time.monotonic() + 60
    while executor.free < number:
        assert time.monotonic() < deadline, "no worker came"
        executor.wait(0.1)


def outcomes(executor: Executor, *payloads: str) -> dict[str, str | Failed]:
    """Run tasks, as many at once as there are workers, and give what came of each payload."""
    waiting = list(payloads)
    done: list[Outcome] = []
    deadline = time.monotonic() + 60
    while len(done) < len(payloads):
        assert time.monotonic() < deadline, "the tasks did not end"
        while executor.free and waiting:
            payload = waiting.pop(0)
            executor.submit(Task(payload, payload))
        done += executor.wait(0.1)
    return {outcome.task.payload: outcome.result for outcome in done}
