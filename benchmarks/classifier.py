"""Time to train a trial's classifiers, beside Keras's ``fit`` and the machine's arithmetic.

    SWEEP_DATA_DIR=... uv run python -m benchmarks.classifier [--threads 1] [--rounds 3]

All of MNIST in the notebook's partition. Ours trains three replicates as a population, with curves
of every epoch; ``fit`` trains one, with the same curves; tuned ``fit`` (``jit_compile``, a whole
epoch an execution) trains one and scores it once at the end, which no setting makes slower. Times
are per replicate; ours include the compilation of a trial whose shape was not seen before.

Both sides have as many threads, and use them in their own way: TensorFlow spreads ``fit`` over
them, ours are that many workers of one thread, as ``workers: auto`` starts them, each with a trial
of its own.
"""

from __future__ import annotations

import multiprocessing
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import peers
from benchmarks.measuring import (
    alternate,
    mnist,
    options,
    publish,
    ratio,
    seconds,
    set_threads,
)
from sweep.classifier import population
from sweep.classifier.population import Labelled
from sweep.configuration import ClassifierTraining
from sweep.results import Curves

MEMBERS = 3
BATCH = 256


class Problem(NamedTuple):
    """What to train: sizes, and how long."""

    inputs: int
    hidden: int
    rows: int
    epochs: int


PROBLEMS = {
    "vae 10 → 200": Problem(inputs=10, hidden=200, rows=13_859, epochs=50),
    "pixels → 200": Problem(inputs=784, hidden=200, rows=48_996, epochs=30),
}
HELD_OUT = 7_145


def data(inputs: int) -> tuple[Any, Any]:
    """Features float32 ``(70000, inputs)`` and labels: pixels, or their principal components."""
    from sklearn.decomposition import PCA

    dataset = mnist().load()
    features = (dataset.images.reshape(-1, 784) / 255).astype(np.float32)
    if inputs < 784:  # stand-ins for latent means: the time does not depend on the values
        features = PCA(inputs, random_state=0).fit_transform(features).astype(np.float32)
    return features, dataset.labels


@cache
def split(problem: Problem) -> tuple[Labelled, Labelled, ClassifierTraining]:
    """What to train on, what to score on, and how."""
    features, labels = data(problem.inputs)
    return (
        Labelled(features[: problem.rows], labels[: problem.rows]),
        Labelled(features[-HELD_OUT:], labels[-HELD_OUT:]),
        ClassifierTraining(epochs=problem.epochs, batch_size=BATCH, learning_rate=0.001),
    )


def load(problem: Problem) -> None:
    """Have a problem's data at hand."""
    split(problem)


def train_population(problem: Problem, seed: int) -> tuple[Curves, ...]:
    """Train three replicates, of initial weights and a batch order of the seed's; their curves."""
    train_on, score_on, training = split(problem)
    members = [np.random.default_rng([seed, member]) for member in range(MEMBERS)]
    orders = [
        np.random.default_rng([seed, MEMBERS + epoch]).permutation(problem.rows)
        for epoch in range(problem.epochs)
    ]
    weights = population.initial_weights(problem.inputs, problem.hidden, members)
    curves, _ = population.train(weights, training, train_on, score_on, orders, lambda _: None)
    return curves


def contenders(
    problem: Problem, workers: list[ProcessPoolExecutor]
) -> dict[str, Callable[[], object]]:
    """One call of each trains what its name says; ours trains a population in every worker."""

    def in_every_worker(work: Callable[..., object], *arguments: object) -> None:
        for done in [worker.submit(work, *arguments) for worker in workers]:
            done.result()

    in_every_worker(load, problem)
    train_on, score_on, training = split(problem)

    def fit() -> None:
        peers.classifier(problem.inputs, problem.hidden).fit(
            *train_on,
            batch_size=BATCH,
            epochs=training.epochs,
            validation_data=tuple(score_on),
            verbose=0,
        )

    def tuned_fit() -> None:
        steps = problem.rows // BATCH
        model = peers.classifier(
            problem.inputs, problem.hidden, jit_compile=True, steps_per_execution=steps
        )
        model.fit(*train_on, batch_size=BATCH, epochs=training.epochs, verbose=0)
        model.evaluate(*score_on, batch_size=HELD_OUT, verbose=0)

    return {
        "ours": partial(in_every_worker, train_population, problem, 0),
        "fit": fit,
        "tuned fit": tuned_fit,
    }


def matmul_rate() -> float:
    """Best float32 FLOP/s of a large matrix product."""
    import tensorflow as tf

    a = tf.random.normal((2048, 2048))
    product = tf.function(lambda: tf.matmul(a, a))
    product()
    return 2 * 2048**3 / min(seconds(lambda: product().numpy()) for _ in range(10))


def flops(problem: Problem) -> float:
    """Arithmetic of the matrix products of one replicate: forward, backward, and scoring."""
    hidden = 2 * problem.inputs * problem.hidden
    output = 2 * problem.hidden * 10
    step = 2 * hidden + 3 * output  # the inputs need no gradient
    return problem.epochs * (problem.rows * step + HELD_OUT * (hidden + output))


def main() -> None:
    chosen = options(__doc__, threads=1, rounds=3)
    set_threads(chosen.threads)

    workers = [
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), set_threads, (1,))
        for _ in range(chosen.threads)
    ]

    figures: dict[str, Any] = {"threads": chosen.threads, "rounds": chosen.rounds}
    for name, problem in PROBLEMS.items():
        taken = alternate(contenders(problem, workers), chosen.rounds)
        rate = matmul_rate()
        ours = [t / (MEMBERS * len(workers)) for t in taken["ours"]]
        figures[name] = {
            "seconds a replicate": {
                "ours": round(statistics.median(ours), 2),
                "fit": round(statistics.median(taken["fit"]), 2),
                "tuned fit": round(statistics.median(taken["tuned fit"]), 2),
            },
            "fit / ours": round(ratio(taken["fit"], ours), 1),
            "tuned fit / ours": round(ratio(taken["tuned fit"], ours), 1),
            "matmul GFLOP/s": round(rate / 1e9),
            "ours, share of it": round(flops(problem) / statistics.median(ours) / rate, 2),
        }
    publish(f"classifier-{chosen.threads}-threads", figures)


if __name__ == "__main__":
    main()
