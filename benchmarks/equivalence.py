"""Whether populations score as plain Keras does: two one-sided tests.

    SWEEP_DATA_DIR=... uv run python -m benchmarks.equivalence [--seeds 8]

For pixels and for latent means (principal components stand in: the question is the classifier's),
each seed trains one member of a population and one plain Keras model from initial weights and batch
orders of their own, on all of MNIST in the notebook's sizes. They count as equivalent when the 90 %
interval of the mean paired difference lies within 0.2 points (Schuirmann 1987).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from scipy import stats

from benchmarks import peers
from benchmarks.classifier import BATCH, PROBLEMS, Problem, split, train_population
from benchmarks.measuring import options, publish

MARGIN = 0.2


def accuracies(problem: Problem, seeds: int) -> dict[str, list[float]]:
    """Percent right on the held-out rows after the last epoch."""
    train_on, score_on, _ = split(problem)
    ours, theirs = [], []
    for seed in range(seeds):
        member = train_population(problem, seed)[0]
        ours.append(100 * member.val_accuracy[-1])

        keras.utils.set_random_seed(seed)
        model = peers.classifier(problem.inputs, problem.hidden)
        model.fit(*train_on, batch_size=BATCH, epochs=problem.epochs, verbose=0)
        theirs.append(100 * model.evaluate(*score_on, batch_size=1000, verbose=0)[1])
    return {"ours": ours, "Keras": theirs}


def equivalence(scores: Mapping[Any, Sequence[float]], margin: float) -> dict[str, Any]:
    """The 90 % interval of the mean paired difference, which is two one-sided tests at 5 %.

    ``scores`` has two names, with a value for each pair.
    """
    one, other = scores.values()
    differences = np.subtract(one, other)
    half = stats.t.ppf(0.95, len(differences) - 1) * stats.sem(differences)
    mean = differences.mean()
    return {
        **{f"mean of {name}": round(float(np.mean(each)), 3) for name, each in scores.items()},
        "mean difference": round(float(mean), 3),
        "its 90 % interval": [round(float(mean - half), 3), round(float(mean + half), 3)],
        "margin": margin,
        "equivalent": bool(abs(mean) + half < margin),
    }


def main() -> None:
    seeds = options(__doc__, seeds=8).seeds
    figures = {
        name: equivalence(accuracies(problem, seeds), MARGIN) for name, problem in PROBLEMS.items()
    }
    publish("equivalence-of-populations", {"seeds": seeds, **figures})


if __name__ == "__main__":
    main()
