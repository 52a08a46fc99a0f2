"""Whether samplers search: a real study's cells, replayed in the order in which each proposes them.

    uv run python -m benchmarks.samplers [--seeds 40]

The cells are those of ``cells.yaml``, every one trained once: ``cells.json`` beside it, made by

    uv run sweep run benchmarks/cells.yaml --home HOME
    uv run sweep trials cells --home HOME --format json > benchmarks/cells.json

Measured is the hypervolume of accuracy and the logarithm of the classifier's parameters, each from
0 to 1 over the table, after some numbers of trials; and by how much each sampler's exceeds that of
``random``, with the 95 % interval of the mean over the seeds. A grid has no seed: its interval is
over the seeds of ``random`` alone. Its order, the corners of two dimensions first, was chosen among
five with these cells in sight, which its figures here flatter.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.stats import t

from benchmarks.measuring import options, publish
from sweep.config import Cell, StudyConfig, load_config
from sweep.reports.searches import hypervolume, unit_square
from sweep.results import Curves, Replicate, TrialResult
from sweep.search.attempt import Attempt
from sweep.search.sampling import Proposer

CONFIG, CELLS = (Path(__file__).with_name(name) for name in ("cells.yaml", "cells.json"))
SAMPLERS = ("tpe", "nsga2", "gp", "qmc", "grid", "random")
AFTER = (5, 10, 20, 40)
Place = tuple[float, float]
"""Accuracy, and the logarithm of the parameters."""


def table() -> dict[Cell, tuple[float, int]]:
    """Accuracy and parameters of each cell."""
    trials = json.loads(CELLS.read_text())["trials"]
    return {
        Cell.of(
            trial["representation"],
            {
                "latent_dim": trial["latent_dim"],
                **trial["varied"],
                "hidden_neurons": trial["hidden_neurons"],
            },
            None,
        ): (trial["accuracy"], trial["classifier_parameters"])
        for trial in trials
    }


def replay(
    config: StudyConfig, cells: Mapping[Cell, tuple[float, int]], places: Mapping[Cell, Place]
) -> list[float]:
    """Hypervolumes after ``AFTER`` trials of one search."""
    proposer = Proposer(config, [])
    seen: list[Place] = []
    found = []
    for number in range(max(AFTER)):
        cell = proposer.propose("vae")
        spec = config.trial_spec(cell, "0" * 64)
        attempt = Attempt(number=number, spec=spec, cell=cell, attempt=1, started_at=0)
        proposer.learn(attempt)
        proposer.learn(attempt.model_copy(update={"result": result(attempt, *cells[cell])}))
        seen.append(places[cell])
        if number + 1 in AFTER:
            found.append(hypervolume(np.array(seen)))
    return found


def result(attempt: Attempt, accuracy: float, parameters: int) -> TrialResult:
    """What the table says of an attempt."""
    curves = Curves(train_loss=(), train_accuracy=(), val_loss=(), val_accuracy=())
    replicate = Replicate(draw=0, member=0, accuracy=accuracy, accuracy_best_epoch=accuracy)
    return TrialResult(
        key=attempt.spec.key,
        labels=1,
        classifier_parameters=parameters,
        representation_parameters=0,
        replicates=(replicate,),
        curves=curves,
        encoders=(),
        train_seconds=0.0,
        started_at=0,
        finished_at=0,
    )


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean, and the 95 % interval of it."""
    mean = statistics.fmean(values)
    half = t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def main() -> None:
    seeds = options(__doc__ or "", seeds=40).seeds
    cells = table()
    accuracies, sizes = zip(*cells.values(), strict=True)
    places = dict(zip(cells, map(tuple, unit_square(accuracies, sizes)), strict=True))
    volumes: dict[str, list[list[float]]] = {}
    for sampler in SAMPLERS:
        if sampler == "gp" and find_spec("torch") is None:
            continue
        volumes[sampler] = [
            replay(
                load_config(CONFIG, [f"search.sampler={sampler}", f"seed={seed}"], max(AFTER)),
                cells,
                places,
            )
            for seed in range(1 if sampler == "grid" else seeds)
        ]
    figures: dict[str, object] = {
        "cells": len(cells),
        "seeds": seeds,
        "hypervolume of all cells": round(hypervolume(np.array(list(places.values()))), 4),
    }
    for place, trials in enumerate(AFTER):
        chance = [volume[place] for volume in volumes["random"]]
        of_samplers: dict[str, object] = {}
        for sampler, runs in volumes.items():
            of_samplers[sampler] = round(statistics.fmean(run[place] for run in runs), 4)
            if sampler != "random":
                found = [run[place] for run in runs] * (1 if len(runs) == seeds else seeds)
                mean, low, high = interval([a - by for a, by in zip(found, chance, strict=True)])
                of_samplers[f"{sampler} above random"] = round(mean, 4)
                of_samplers[f"{sampler} above random, 95 % interval"] = [
                    round(low, 4),
                    round(high, 4),
                ]
        figures[f"after {trials} trials"] = of_samplers
    publish("samplers", figures)


if __name__ == "__main__":
    main()
