"""How many workers one coordinator keeps busy: a simulation on measured costs, and its checks.

    uv run --extra ray python -m benchmarks.scaling [--trials 10000]

First it measures what the coordinator pays: for asking and telling, by numbers of trials at once,
for a trial in MLflow, and for what a draw and an encoder of a Ray cluster take beside their work.
Then it simulates a study of so many trials, a draw of 3 seconds each, event by event, on 1 to 1,000
workers. It holds the simulation against real studies, with encoders and with MLflow, on 1, 2 and 4
slots of a Ray cluster of this machine, of which it takes how long their draws and encoders trained;
and against the real coordinator with workers that only wait.
"""

from __future__ import annotations

import heapq
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from benchmarks.cluster import run
from benchmarks.coordinator import CONFIG, DATA
from benchmarks.made_up import completed, draw_result
from benchmarks.measuring import options, publish, seconds
from sweep.config import StudyConfig, load_config
from sweep.coordinator.projector import Projector
from sweep.coordinator.run import open_for_writing
from sweep.coordinator.runs import attempt_run
from sweep.coordinator.trials import TrialRun
from sweep.data.datasets import DatasetSource
from sweep.evaluation import prepare_worker
from sweep.execution import Demands, Outcome, RayExecutor, Task
from sweep.execution.ray import session
from sweep.results import DrawResult, EncoderRecord
from sweep.search.study import Study
from sweep.specs import SPEC, DrawSpec, EncoderSpec, Spec
from sweep.workspace import Workspace

WORKERS = (1, 10, 100, 300, 1000)
REAL = Path(__file__).with_name("scaling.yaml")
SLOTS, TRIALS = (1, 2, 4), 20  # of a slot: a worker is replaced after 50 tasks
TRANSFERS, PROJECTED = 30, 200
DRAW_SECONDS, SCATTER = 3.0, 0.2
ROUNDS = 10
"""Draws that each worker of the real coordinator waits for."""
BATCHES = (1, 10, 100)
REPEATS = 5


@dataclass(frozen=True)
class Cost:
    """Seconds for so many at once: some for all of them, and some for each."""

    once: float
    each: float

    def of(self, number: int) -> float:
        """Seconds for a number of them."""
        return self.once + self.each * number if number else 0.0


@dataclass(frozen=True)
class Costs:
    """What the coordinator pays."""

    ask: Cost
    """For proposing trials, and writing them down."""
    tell: Cost
    """For writing down how trials have ended."""
    projection: float
    """Seconds for a trial in MLflow, which gives way to all else."""
    transfer: float
    """Seconds that a draw is longer on its way than at work; the coordinator does not wait."""
    encoder_transfer: float
    """The same of an encoder: with what is made of it beside its training, as its pictures."""


@dataclass(frozen=True)
class Work:
    """What the one draw of a trial takes, in seconds."""

    draw: float
    encoder: float = 0.0
    """Of the encoder that is trained for it; none if it needs none, or another trial did."""

    def taken(self, costs: Costs) -> float:
        """On its way."""
        encoder = self.encoder + costs.encoder_transfer if self.encoder else 0.0
        return encoder + self.draw + costs.transfer


@dataclass(frozen=True)
class Simulated:
    """A study as it would go."""

    wall: float
    worked: float
    """Seconds of work of all workers together."""
    coordinating: float
    """Seconds in which the coordinator was busy."""
    behind: float
    """Seconds that MLflow then still needs."""

    def used(self, workers: int) -> float:
        """The share of the workers' time in which they work."""
        return self.worked / (self.wall * workers)


def simulate(trials: Sequence[Work], workers: int, costs: Costs) -> Simulated:
    """A study of trials of one draw each, event by event.

    The coordinator takes what has ended, tells, asks for as many as are free, and hands them out;
    then it waits for the next. All of that is one thread.

    Args:
        trials: in the order in which they begin.
        workers: how many there are.
        costs: of the coordinator.
    """
    now = coordinating = 0.0
    running: list[float] = []
    left = list(trials)[::-1]
    while left or running:
        ended = 0
        while running and running[0] <= now:
            heapq.heappop(running)
            ended += 1
        begun = min(len(left), workers - len(running))
        paid = costs.tell.of(ended) + costs.ask.of(begun)
        now += paid
        coordinating += paid
        for _ in range(begun):
            heapq.heappush(running, now + left.pop().taken(costs))
        if not (ended or begun):
            now = max(now, running[0])
    worked = sum(each.draw + each.encoder for each in trials)
    behind = costs.projection * len(trials) - (now - coordinating)
    return Simulated(now, worked, coordinating, max(0.0, behind))


@contextmanager
def study_of(trials: int, sampler: str) -> Iterator[tuple[Workspace, StudyConfig, Study]]:
    """A new study in a home of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        workspace = Workspace.at(Path(directory), {})
        workspace.home.create()
        config = load_config(CONFIG, [f"search.sampler={sampler}"], trials)
        yield workspace, config, open_for_writing(workspace, config, DATA)


def asking_and_telling(sampler: str, known: int) -> tuple[Cost, Cost]:
    """The costs of a study's records, once so many trials are known, by least squares."""
    asked: list[tuple[int, float]] = []
    told: list[tuple[int, float]] = []
    total = known + REPEATS * sum(BATCHES)
    with study_of(total, sampler) as (_, _, study):
        for batch in [known] * (known > 0) + [each for each in BATCHES for _ in range(REPEATS)]:
            began = time.perf_counter()
            begun = study.begin(batch)
            asked.append((batch, time.perf_counter() - began))
            ended = [completed(each) for each in begun]
            began = time.perf_counter()
            study.end(ended)
            told.append((batch, time.perf_counter() - began))
    return _fitted(asked[known > 0 :]), _fitted(told[known > 0 :])


def _fitted(measured: Sequence[tuple[int, float]]) -> Cost:
    medians = {
        batch: statistics.median(taken for number, taken in measured if number == batch)
        for batch in BATCHES
    }
    # Relative errors count alike: a batch of 100 takes fifty times as long as one of 1.
    each, once = np.polyfit(
        list(medians), list(medians.values()), 1, w=[1 / taken for taken in medians.values()]
    )
    return Cost(max(float(once), 0.0), float(each))


class Waiting:
    """Workers that only wait, as long as a draw would take; see ``Executor``."""

    def __init__(self, workers: int, draws: Sequence[float]) -> None:
        self.workers = workers
        self._left = list(draws)[::-1]
        self._tasks: dict[str, Task] = {}
        self._ends: list[tuple[float, str]] = []

    @property
    def free(self) -> int:
        return self.workers - len(self._tasks)

    def takes(self, kind: str) -> bool:
        return self.free > 0

    def submit(self, task: Task) -> None:
        self._tasks[task.id] = task
        heapq.heappush(self._ends, (time.monotonic() + self._left.pop(), task.id))

    def wait(self, timeout: float) -> list[Outcome]:
        soonest = self._ends[0][0] - time.monotonic() if self._ends else timeout
        time.sleep(max(0.0, min(timeout, soonest)))
        ended = []
        while self._ends and self._ends[0][0] <= time.monotonic():
            task = self._tasks.pop(heapq.heappop(self._ends)[1])
            spec = SPEC.validate_json(task.payload)
            assert isinstance(spec, DrawSpec)
            ended.append(Outcome(task, draw_result(spec).model_dump_json()))
        return ended

    def running(self) -> Mapping[str, tuple[Task, float]]:
        return {f"worker {number}": (task, 0.5) for number, task in enumerate(self._tasks.values())}

    def close(self) -> None:
        self._tasks.clear()


def coordinated(draws: Sequence[float], workers: int, sampler: str) -> float:
    """The share of workers that only wait which the real coordinator uses.

    MLflow is written meanwhile, and lags behind: what it lacks at the end is not waited for.
    """
    with study_of(len(draws), sampler) as (workspace, config, study):
        projector = Projector(workspace, config.name, DATA)
        executor = Waiting(workers, draws)
        trials = TrialRun(study, executor, workspace.store, projector, lambda _: None)
        wall = seconds(partial(trials.run, lambda: False))
        projector.finish(lambda _: None, timeout=0)
    return sum(draws) / (wall * workers)


def projecting(trials: int) -> float:
    """Seconds for a trial in MLflow, of one that ends."""
    with study_of(trials, "random") as (workspace, _, study):
        projector = Projector(workspace, study.config.name, DATA)
        ended = [completed(each) for each in study.begin(trials)]
        study.end(ended)
        projector.project(map(attempt_run, ended))
        taken = seconds(partial(projector.finish, lambda _: None, timeout=600))
    return taken / trials


@dataclass(frozen=True)
class Cluster:
    """Slots of a Ray cluster of this machine, warm."""

    executor: RayExecutor
    workspace: Workspace
    source: DatasetSource


@contextmanager
def on_slots(slots: int) -> Iterator[Cluster]:
    """So many slots, each of which has trained something of every kind before."""
    source = DatasetSource.of("mnist-5k", None)
    with tempfile.TemporaryDirectory() as directory, session(None, slots) as joined:
        workspace = Workspace.at(Path(directory), {})
        workspace.home.create()
        workspace.store.datasets.keep(source.load())
        prepare = partial(prepare_worker, source=None, threads=1)
        logs = workspace.home.logs
        executor = RayExecutor(joined.ray, workspace.store, prepare, 3600, logs, Demands(), slots)
        cluster = Cluster(executor, workspace, source)
        real_study(cluster, "warm", 4 * slots)
        yield cluster
        executor.close()


def real_study(cluster: Cluster, name: str, trials: int) -> tuple[list[Work], float]:
    """A real study of as many trials on latents as on pixels: what was trained, and its seconds."""
    halves = [f"representations.{kind}.trials={trials // 2}" for kind in ("vae", "pixels")]
    config = load_config(REAL, [f"name={name}", f"seed={len(name)}", *halves])
    workspace = cluster.workspace
    study = open_for_writing(workspace, config, cluster.source.load().facts)
    projector = Projector(workspace, name, study.data)
    runs = TrialRun(study, cluster.executor, workspace.store, projector, lambda _: None)
    wall = seconds(partial(runs.run, lambda: False))
    projector.finish(lambda _: None, timeout=600)
    trained: set[str] = set()
    found = []
    for attempt in study.attempts:
        (draw,) = attempt.spec.outer_draws
        result = workspace.store.draws.get(draw)
        assert result is not None
        encoder = 0.0
        for spec in attempt.spec.encoders:
            record = workspace.store.encoders.record(spec.key)
            if record is not None and spec.key not in trained:
                trained.add(spec.key)
                encoder = record.train_seconds
        found.append(Work(result.seconds, encoder))
    return found, wall


def transfers() -> tuple[float, float]:
    """What a draw and an encoder take beside their work, on one slot; medians."""
    beside: dict[type[Spec], list[float]] = {DrawSpec: [], EncoderSpec: []}
    with on_slots(1) as cluster:
        config = load_config(REAL, ["name=transfers", "seed=0"])
        study = open_for_writing(cluster.workspace, config, cluster.source.load().facts)
        draws = [draw for each in study.begin(TRANSFERS) for draw in each.spec.outer_draws]
        for event in run(cluster.executor, cluster.workspace.store, draws):
            match event.result:
                case DrawResult(seconds=worked) | EncoderRecord(train_seconds=worked):
                    assert event.seconds is not None
                    beside[type(event.spec)].append(event.seconds - worked)
    return statistics.median(beside[DrawSpec]), statistics.median(beside[EncoderSpec])


def percent(share: float) -> int:
    return round(100 * share)


def main() -> None:
    trials = options(__doc__, trials=10_000).trials
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    scattered = random.Random(0)
    draws = [DRAW_SECONDS * scattered.uniform(1 - SCATTER, 1 + SCATTER) for _ in range(trials)]
    trials_of = [Work(draw) for draw in draws]
    transfer, encoder_transfer = transfers()
    projection = projecting(PROJECTED)
    costs = Costs(*asking_and_telling("random", known=0), projection, transfer, encoder_transfer)
    real: dict[str, Any] = {}
    for slots in SLOTS:
        with on_slots(slots) as cluster:
            work, wall = real_study(cluster, "measured", TRIALS * slots)
        predicted = simulate(work, slots, costs).wall
        real[f"{slots} slots"] = {
            "trials": len(work),
            "encoders": sum(each.encoder > 0 for each in work),
            "real seconds": round(wall, 2),
            "simulated": round(predicted, 2),
            "ratio": round(predicted / wall, 2),
        }
    figures: dict[str, Any] = {
        "ms of transfer": {
            "draw": round(1000 * transfer),
            "encoder": round(1000 * encoder_transfer),
        },
        "ms of a trial in MLflow": round(1000 * projection, 1),
        "real studies on Ray, with encoders and MLflow": real,
    }
    for sampler in ("random", "tpe"):
        ask, tell = asking_and_telling(sampler, known=min(1000, trials // 10))
        costs = replace(costs, ask=ask, tell=tell)
        alone = replace(
            costs, ask=Cost(0.0, ask.of(1)), tell=Cost(0.0, tell.of(1))
        )  # a transaction for each trial
        simulated = {workers: simulate(trials_of, workers, costs) for workers in WORKERS}
        figures[sampler] = {
            "ms to ask for 1, 10, 100": [round(1000 * ask.of(number), 1) for number in BATCHES],
            "ms to tell of 1, 10, 100": [round(1000 * tell.of(number), 1) for number in BATCHES],
            "simulated, % of workers used": {
                str(workers): percent(found.used(workers)) for workers, found in simulated.items()
            },
            "simulated, % of its time that the coordinator is busy": {
                str(workers): percent(found.coordinating / found.wall)
                for workers, found in simulated.items()
            },
            "simulated, seconds that MLflow then still needs": {
                str(workers): round(found.behind) for workers, found in simulated.items()
            },
            "simulated, a transaction a trial, % used": {
                str(workers): percent(simulate(trials_of, workers, alone).used(workers))
                for workers in WORKERS
            },
            "real coordinator, % of waiting workers used": {},
        }
        for workers in WORKERS[2:]:
            few = draws[: ROUNDS * workers]
            figures[sampler]["real coordinator, % of waiting workers used"][str(workers)] = {
                "draws": len(few),
                "real": percent(coordinated(few, workers, sampler)),
                "simulated": percent(simulate(trials_of[: len(few)], workers, costs).used(workers)),
            }
    publish("scaling", {"trials": trials, "seconds a draw": DRAW_SECONDS, **figures})


if __name__ == "__main__":
    main()
