"""Training and scoring the replicates of a trial, and the encoders that they stand on."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep import seeds
from sweep.data.partition import BUDGET_PART, Indices, label_subset, partition
from sweep.evaluation.kept import keep_draw, kept_draw
from sweep.evaluation.workbench import Workbench
from sweep.representations import REPRESENTATIONS
from sweep.representations.checkpoint import Checkpoint
from sweep.representations.pictures import draw_pictures
from sweep.results import DrawResult, EncoderHistory, EncoderRecord
from sweep.specs import DrawSpec, EncoderSpec
from sweep.values import Report

if TYPE_CHECKING:  # it imports TensorFlow
    from sweep.classifier.population import Weights


def train_encoder(spec: EncoderSpec, bench: Workbench, report: Report) -> EncoderRecord:
    """What is known of the trained encoder of ``spec``, which the store then has.

    Raises:
        DivergedError: the training left the finite numbers.
    """
    representation = REPRESENTATIONS[spec.representation.name]
    dataset = bench.checked_dataset(spec.data)
    part = partition(dataset.labels, spec.partition, spec.seed, spec.draw)["encoder"]

    def train(out: Path, checkpoint: Checkpoint) -> EncoderHistory:
        history = representation.train(spec, dataset.images, part, out, checkpoint, report)
        draw_pictures(representation, spec, dataset, part, out)
        return history

    parameters = representation.parameters(spec.representation)
    return bench.encoders.get_or_train(spec, parameters, train)


def evaluate_draw(spec: DrawSpec, bench: Workbench, report: Report) -> DrawResult:
    """Train and score the classifiers of one draw; one that is stored already is not trained.

    Raises:
        DivergedError: a training left the finite numbers.
    """
    result = kept_draw(spec, bench.home)
    if result is None:
        result = train_draw(spec, bench, report).result
        keep_draw(spec, result, bench.home)
    return result


@dataclass(frozen=True)
class TrainedDraw:
    """The members of one draw, and what they stand on."""

    result: DrawResult
    weights: Weights
    encoder: Path | None
    parts: Mapping[str, Indices]


def train_draw(of: DrawSpec, bench: Workbench, report: Report) -> TrainedDraw:
    """Train the members of one draw as a population."""
    from sweep.classifier import population  # imports TensorFlow

    spec, draw = of.trial, of.draw
    representation = REPRESENTATIONS[spec.representation.name]
    dataset = bench.checked_dataset(spec.data)
    encoder = None
    if representation.is_trained:
        record = train_encoder(spec.encoder(draw), bench, report)
        encoder = bench.encoders.path(record.spec.key)
    began = time.perf_counter()
    parts = partition(dataset.labels, spec.partition, spec.seed, draw)

    def labelled(indices: Indices) -> population.Labelled:
        return population.Labelled(
            representation.features(dataset.images, indices, encoder), dataset.labels[indices]
        )

    train_on = labelled(
        parts[spec.labels_from]
        if spec.label_budget is None
        else label_subset(dataset.labels, parts[BUDGET_PART], spec.label_budget, spec.seed, draw)
    )
    curves, weights = population.train(
        population.initial_weights(
            representation.dimensions(spec.representation),
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
        report,
    )
    result = DrawResult(
        key=of.key,
        draw=draw,
        labels=len(train_on.labels),
        members=curves,
        seconds=time.perf_counter() - began,
    )
    return TrainedDraw(result, weights, encoder, parts)


def _order(labels: int, length: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """The rows of one epoch: all labelled images, shuffled, and again until it is long enough.

    So every label budget gets as many updates as all labels would, of batches as large: few labels
    are scarce, and not undertrained.
    """
    times = math.ceil(length / labels)
    return np.concatenate([generator.permutation(labels) for _ in range(times)])[:length]
