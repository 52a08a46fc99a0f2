"""How workers share a machine.

    SWEEP_DATA_DIR=... uv run python -m benchmarks.workers [--rounds 3]

Times trials of VAE-latent and of pixel classifiers on one worker of one thread, on two of one
thread, and on one of two threads, all warm. All of MNIST; the VAE is trained for one epoch.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.measuring import mnist, options, publish, ratio, seconds
from sweep.configuration import ClassifierTraining, NotebookPartition, RepresentationSpec
from sweep.data.datasets import DatasetSource
from sweep.evaluation import prepare_worker
from sweep.execution import LocalExecutor, Task
from sweep.home import Home
from sweep.representations.vae import VaeSettings
from sweep.specs import DrawSpec, TrialSpec

TRIALS = 12
LAYOUTS = {"1 worker x 1 thread": (1, 1), "2 workers x 1 thread": (2, 1), "1 worker x 2": (1, 2)}
EPOCHS = {"vae": 20, "pixels": 2}


def specs(kind: str, threads: int, data: str) -> Iterator[DrawSpec]:
    """Endless draws of three members, each with a learning rate of its own."""
    vae = VaeSettings(epochs=1).model_dump()
    representation = {
        "vae": RepresentationSpec(name="vae", latent_dim=10, settings=vae),
        "pixels": RepresentationSpec(name="pixels"),
    }[kind]
    for number in count():
        rate = 0.001 + number * 1e-7  # so that none is known already
        trial = TrialSpec(
            data=data,
            partition=NotebookPartition(scheme="notebook"),
            seed=0,
            draws=1,
            members=3,
            representation=representation,
            hidden_neurons=200,
            classifier=ClassifierTraining(epochs=EPOCHS[kind], batch_size=256, learning_rate=rate),
            labels_from="classifier" if kind == "vae" else "encoder",
            scored_on="test",
            threads=threads,
        )
        yield DrawSpec(trial=trial, draw=0)


def run(executor: LocalExecutor, trials: list[DrawSpec]) -> None:
    """Run trials to their end."""
    done = 0
    while done < len(trials):
        for spec in trials[done + executor.workers - executor.free :][: executor.free]:
            executor.submit(Task(spec.key, spec.model_dump_json()))
        for outcome in executor.wait(1.0):
            assert isinstance(outcome.result, str), outcome.result
            done += 1


def throughput(home: Home, source: DatasetSource, kind: str, rounds: int) -> dict[str, Any]:
    """Seconds of a batch of trials on each layout, in alternating rounds after a first one."""
    data = source.load().sha256
    endless = {threads: specs(kind, threads, data) for threads in (1, 2)}
    executors = {
        name: LocalExecutor(
            workers, partial(prepare_worker, home, source, threads), 3600, home.logs / name
        )
        for name, (workers, threads) in LAYOUTS.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in LAYOUTS}
    try:
        for number in range(rounds + 1):
            for name, (_, threads) in LAYOUTS.items():
                trials = [next(endless[threads]) for _ in range(TRIALS)]
                elapsed = seconds(partial(run, executors[name], trials))
                if number:
                    taken[name].append(elapsed)
    finally:
        for executor in executors.values():
            executor.close()
    one, two, wide = taken.values()
    return {
        "seconds a trial": {
            name: round(statistics.median(each) / TRIALS, 2) for name, each in taken.items()
        },
        "two workers / one": round(ratio(one, two), 2),
        "two workers / one of two threads": round(ratio(wide, two), 2),
    }


def main() -> None:
    rounds = options(__doc__, rounds=3).rounds
    source = mnist()
    with tempfile.TemporaryDirectory() as directory:
        home = Home.at(Path(directory))
        home.create()
        figures = {kind: throughput(home, source, kind, rounds) for kind in EPOCHS}
    publish("workers", {"rounds": rounds, **figures})


if __name__ == "__main__":
    main()
