"""Training and scoring the classifiers of a draw."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep import seeds
from sweep.data.partition import BUDGET_PART, Indices, label_subset, partition
from sweep.errors import DataError
from sweep.evaluation.encoders import extractor
from sweep.evaluation.workbench import Workbench
from sweep.representations import Extractor, bind
from sweep.results import DrawResult
from sweep.specs import Artifact, DrawSpec
from sweep.values import OnProgress

if TYPE_CHECKING:  # it imports TensorFlow
    from sweep.classifier.population import Weights

log = logging.getLogger("sweep")

_MAY_DIFFER, _IMAGES_MAY_DIFFER = 0.02, 3
"""How far the accuracy of the same classifier may be off on another kind of machine. On the same
kind it is not off at all: whether it is the same, the coordinator knows, and compares."""


def make_draw(spec: DrawSpec, bench: Workbench, on_progress: OnProgress) -> DrawResult:
    """Train and score the classifiers of one draw; the result is kept in the store.

    Raises:
        DivergedError: a training left the finite numbers.
    """

    def train() -> DrawResult:
        log.info("training %s (draw %s)", spec.label, spec.key)
        return train_draw(spec, bench, on_progress).result

    return bench.store.draws.get_or_make(spec, train)


@dataclass(frozen=True)
class TrainedDraw:
    """The members of one draw, and what they stand on."""

    result: DrawResult
    weights: Weights
    extractor: Extractor
    parts: Mapping[str, Indices]


def train_again(of: DrawSpec, bench: Workbench, on_progress: OnProgress) -> TrainedDraw:
    """Train the members of a draw again, and hold them against the result that is kept of it.

    Raises:
        DivergedError: a training left the finite numbers.
        DataError: the result that is kept is not of these members.
    """
    trained = train_draw(of, bench, on_progress)
    kept = bench.store.draws.get(of)
    if kept is not None:
        images = len(trained.parts[of.trial.scored_on])
        for before, now in zip(kept.members, trained.result.members, strict=True):
            differs = abs(before.val_accuracy[-1] - now.val_accuracy[-1])
            if differs > max(_MAY_DIFFER, _IMAGES_MAY_DIFFER / images):
                path = bench.store.path(Artifact("draw", of.key))
                raise DataError(
                    f"{path} is not what {of.label} comes to: it has an accuracy of "
                    f"{before.val_accuracy[-1]:.4f}, and training again gives "
                    f"{now.val_accuracy[-1]:.4f}",
                    hint="move that file away, remove the study, and run it again: only this draw "
                    "is trained anew",
                )
    return trained


def train_draw(of: DrawSpec, bench: Workbench, on_progress: OnProgress) -> TrainedDraw:
    """Train the members of one draw as a population."""
    from sweep.classifier import population  # imports TensorFlow

    spec, draw = of.trial, of.draw
    dataset = bench.checked_dataset(spec.data)
    inputs = extractor(spec, draw, bench, on_progress)
    began = time.perf_counter()
    parts = partition(dataset.labels, spec.partition, spec.seed, draw)

    def labelled(indices: Indices) -> population.Labelled:
        return population.Labelled(
            inputs.features(dataset.images, indices), dataset.labels[indices]
        )

    train_on = labelled(
        parts[spec.labels_from]
        if spec.label_budget is None
        else label_subset(dataset.labels, parts[BUDGET_PART], spec.label_budget, spec.seed, draw)
    )
    curves, weights = population.train(
        population.initial_weights(
            bind(spec.representation).dimensions,
            spec.hidden_neurons,
            [
                seeds.generator(spec.seed, "initialisation", spec.configuration_key, draw, member)
                for member in range(spec.members)
            ],
        ),
        spec.classifier,
        train_on,
        labelled(parts[spec.scored_on]),
        [
            _order(
                len(train_on.labels),
                len(parts[spec.labels_from]),
                seeds.generator(spec.seed, "order", draw, epoch),
            )
            for epoch in range(spec.classifier.epochs)
        ],
        on_progress,
    )
    result = DrawResult(
        key=of.key,
        draw=draw,
        labels=len(train_on.labels),
        members=curves,
        seconds=time.perf_counter() - began,
    )
    return TrainedDraw(result, weights, inputs, parts)


def _order(labels: int, length: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """The rows of one epoch: all labelled images, shuffled, and again until it is long enough.

    So every label budget gets as many updates as all labels would, of batches as large: few labels
    are scarce, and not undertrained.
    """
    times = math.ceil(length / labels)
    return np.concatenate([generator.permutation(labels) for _ in range(times)])[:length]
