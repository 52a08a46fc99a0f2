"""What a cluster costs, beside worker processes of one machine.

    uv run --extra ray python -m benchmarks.cluster [--rounds 3]

Times 200 short draws, of pixels and of principal components whose encoder is there already, on two
local workers and on two slots of a Ray cluster of this machine, all warm, in alternating rounds.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.measuring import options, publish, ratio, seconds
from sweep.artifacts import ArtifactStore
from sweep.configuration import ClassifierTraining, FractionsPartition, RepresentationSpec
from sweep.coordinator.events import Done
from sweep.coordinator.scheduler import Scheduler
from sweep.data.datasets import DatasetSource
from sweep.evaluation import prepare_worker
from sweep.execution import Demands, Executor, LocalExecutor, RayExecutor
from sweep.execution.ray import session
from sweep.home import Home
from sweep.specs import DrawSpec, TrialSpec

DRAWS, WORKERS = 200, 2
KINDS = (
    RepresentationSpec(name="pixels"),
    RepresentationSpec(name="pca", latent_dim=10),
)


def specs(data: str) -> Iterator[DrawSpec]:
    """Endless draws, each with a learning rate of its own, so that none is known already."""
    for number in count():
        trial = TrialSpec(
            data=data,
            partition=FractionsPartition(
                scheme="fractions", encoder=0.6, classifier=0.2, validation=0.1, test=0.1
            ),
            seed=0,
            draws=1,
            members=1,
            representation=KINDS[number % len(KINDS)],
            hidden_neurons=20,
            classifier=ClassifierTraining(
                epochs=20, batch_size=256, learning_rate=0.001 + number * 1e-7
            ),
            labels_from="classifier",
            scored_on="test",
            threads=1,
        )
        yield DrawSpec(trial=trial, draw=0)


def run(executor: Executor, store: ArtifactStore, draws: Sequence[DrawSpec]) -> list[Done]:
    """Run draws to their end."""
    scheduler = Scheduler(executor, store)
    for draw in draws:
        scheduler.want(draw)
    done = [event for event in scheduler.events(lambda: False) if isinstance(event, Done)]
    assert {event.spec.key for event in done} >= {draw.key for draw in draws}
    return done


def main() -> None:
    rounds = options(__doc__, rounds=3).rounds
    source = DatasetSource.of("mnist-5k", None)
    endless = specs(source.load().sha256)
    with tempfile.TemporaryDirectory() as directory, session(None, WORKERS) as cluster:
        homes = [Home.at(Path(directory) / name) for name in ("local", "ray")]
        for home in homes:
            home.create()
        stores = [ArtifactStore(home) for home in homes]
        stores[1].datasets.keep(source.load())
        local = LocalExecutor(
            WORKERS, partial(prepare_worker, homes[0], source, 1), 3600, homes[0].logs
        )
        ray = RayExecutor(
            cluster.ray,
            stores[1],
            partial(prepare_worker, source=None, threads=1),
            3600,
            homes[1].logs,
            Demands(),
            WORKERS,
        )
        executors: dict[str, Executor] = {"local": local, "ray": ray}
        taken: dict[str, list[float]] = {"local": [], "ray": []}
        for number in range(rounds + 1):  # the first one starts workers and compiles
            for (name, executor), store in zip(executors.items(), stores, strict=True):
                draws = [next(endless) for _ in range(DRAWS)]
                elapsed = seconds(partial(run, executor, store, draws))
                if number:
                    taken[name].append(elapsed)
        local.close()
        ray.close()
    publish(
        "cluster",
        {
            "rounds": rounds,
            "draws": DRAWS,
            "workers": WORKERS,
            "seconds": {name: round(statistics.median(each), 2) for name, each in taken.items()},
            "ray / local": round(ratio(taken["ray"], taken["local"]), 2),
        },
    )


if __name__ == "__main__":
    main()
