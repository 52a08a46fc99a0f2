"""Whether bfloat16 gives as good encoders as float32, and why that cannot be decided here.

    SWEEP_DATA_DIR=... uv run python -m benchmarks.precision [--seeds 8] [--epochs 10]

Each seed trains the notebook's VAE at 10 dimensions twice, from the same initial weights, batch
order and noise, and then classifiers of 200 neurons on the latent means of each. The two would
count as equivalent if the 90 % intervals of the mean paired differences lay within 0.2 points of
accuracy and 0.5 nats of loss (two one-sided tests, Schuirmann 1987). But which dimensions collapse
is chaotic: a pair with the same seed is no more alike than any two encoders, so pairing removes no
scatter, and it would take hundreds of pairs. The figures say how many. The result is written after
every seed, and a second call with the same epochs goes on from there.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.classifier import BATCH
from benchmarks.equivalence import equivalence
from benchmarks.measuring import RESULTS, mnist, options, publish, set_threads
from sweep.artifacts import Checkpoint
from sweep.classifier import population
from sweep.classifier.population import Labelled
from sweep.configuration import ClassifierTraining, NotebookPartition, RepresentationSpec
from sweep.data.images import Dataset
from sweep.data.partition import partition
from sweep.representations.vae import Vae, VaeSettings
from sweep.representations.vae_network import Precision
from sweep.specs import EncoderSpec

NAME = "equivalence-of-precisions"
LATENT_DIM, HIDDEN, MEMBERS = 10, 200, 8
MARGINS = {"accuracy, %": 0.2, "loss, nats": 0.5}
TRAINING = ClassifierTraining(epochs=50, batch_size=BATCH, learning_rate=0.001)
PRECISIONS: tuple[Precision, ...] = ("bfloat16", "float32")

Table = dict[str, dict[Precision, list[float]]]
"""Scores by their name and by precision, a value for each seed."""


def scores(dataset: Dataset, seed: int, epochs: int, precision: Precision) -> dict[str, float]:
    """Loss of an encoder's last epoch, and the mean accuracy of classifiers on its means."""
    spec = EncoderSpec(
        data=dataset.sha256,
        partition=NotebookPartition(scheme="notebook"),
        seed=seed,
        draw=0,
        representation=RepresentationSpec(
            name="vae",
            latent_dim=LATENT_DIM,
            settings=VaeSettings(epochs=epochs, precision=precision).model_dump(),
        ),
        threads=1,
    )
    parts = partition(dataset.labels, spec.partition, seed, 0)
    part = parts["encoder"]
    with tempfile.TemporaryDirectory() as directory:
        state = Checkpoint(Path(directory, "state"))
        encoder = Path(directory, "encoder")
        encoder.mkdir()
        vae = Vae(spec.representation)
        history = vae.train(spec, dataset.images, part, encoder, state, _ignore)
        means = vae.encoder(encoder)
        train_on, score_on = (
            Labelled(means.features(dataset.images, parts[name]), dataset.labels[parts[name]])
            for name in ("classifier", "test")
        )
    generators = [np.random.default_rng([seed, member]) for member in range(MEMBERS)]
    orders = [
        np.random.default_rng([seed, MEMBERS + epoch]).permutation(len(train_on.labels))
        for epoch in range(TRAINING.epochs)
    ]
    weights = population.initial_weights(LATENT_DIM, HIDDEN, generators)
    curves, _ = population.train(weights, TRAINING, train_on, score_on, orders, lambda _: None)
    return {
        "accuracy, %": 100 * float(np.mean([each.val_accuracy[-1] for each in curves])),
        "loss, nats": history["loss"][-1],
    }


def _ignore(_fraction: float) -> None:
    """Nobody asks how much is done."""


def known(epochs: int) -> Table:
    """The scores that an earlier call has left."""
    path = RESULTS / f"{NAME}.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    if result.get("epochs") == epochs:
        return dict(result["scores"])
    return {score: {precision: [] for precision in PRECISIONS} for score in MARGINS}


def main() -> None:
    chosen = options(__doc__, seeds=8, epochs=10)
    set_threads(1)
    table = known(chosen.epochs)
    done = len(table["loss, nats"]["float32"])
    for seed in range(done, chosen.seeds):
        for precision in PRECISIONS:
            for score, value in scores(mnist().load(), seed, chosen.epochs, precision).items():
                table[score][precision].append(round(value, 3))
        publish(NAME, figures(table, chosen.epochs))
    publish(NAME, figures(table, chosen.epochs))


def figures(table: Table, epochs: int) -> dict[str, Any]:
    """What the pairs say so far."""
    seeds = len(table["loss, nats"]["float32"])
    found = {score: decision(table[score], margin) for score, margin in MARGINS.items()}
    return {"seeds": seeds, "epochs": epochs, "scores": table, **found}


def decision(pairs: Mapping[Precision, Sequence[float]], margin: float) -> dict[str, Any]:
    """How the pairs differ, how alike they are, and how many would decide.

    The number of pairs is that of two one-sided tests at 5 % which have a power of 80 % if there is
    no difference at all: ((z(0.95) + z(0.9)) sd / margin)² (Julious 2004, "Sample sizes for
    clinical trials with normal data", section 5).
    """
    one, other = (np.array(scores) for scores in pairs.values())
    if len(one) < 3:
        return {}
    tested = equivalence(pairs, margin)
    sd = float((one - other).std(ddof=1))
    needed = math.ceil(((stats.norm.ppf(0.95) + stats.norm.ppf(0.9)) * sd / margin) ** 2)
    equivalent = tested.pop("equivalent")
    return {
        **tested,
        "standard deviation of the differences": round(sd, 3),
        "correlation within pairs": round(float(np.corrcoef(one, other)[0, 1]), 2),
        "pairs needed to decide": needed,
        "decision": "equivalent"
        if equivalent
        else f"none: {len(one)} pairs cannot show it, and about {needed:,} could",
    }


if __name__ == "__main__":
    main()
