"""From a spec to its result: what a worker does.

Knows TensorFlow (through what it calls) and numpy, and neither Optuna, MLflow nor study configs.
"""

from __future__ import annotations

import errno
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from threadpoolctl import threadpool_limits

from sweep import classifier, seeds
from sweep.data.datasets import DatasetSource
from sweep.data.images import CLASSES, Dataset
from sweep.data.partition import BUDGET_PART, Indices, label_subset, partition
from sweep.errors import DataError, OutageError
from sweep.home import Home, publish_bytes
from sweep.representations import REPRESENTATIONS
from sweep.representations.checkpoint import Checkpoint
from sweep.representations.pictures import draw_pictures
from sweep.representations.store import EncoderStore
from sweep.trial import (
    Assessment,
    AssessmentSpec,
    Curves,
    DrawResult,
    EncoderHistory,
    EncoderSpec,
    Replicate,
    Report,
    TrialResult,
    TrialSpec,
)

if TYPE_CHECKING:  # it imports TensorFlow
    from sweep.classifier.population import Weights

SPEC: TypeAdapter[TrialSpec | EncoderSpec | AssessmentSpec] = TypeAdapter(
    TrialSpec | EncoderSpec | AssessmentSpec
)
"""Reads what a worker is given; the kinds of spec have different fields."""


@dataclass(frozen=True)
class Workbench:
    """What a worker keeps at hand between tasks: the home and the dataset."""

    home: Home
    source: DatasetSource

    @property
    def encoders(self) -> EncoderStore:
        return EncoderStore(self.home)

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset, loaded once a process."""
        return self.source.load()

    def checked_dataset(self, sha256: str) -> Dataset:
        """The dataset, if it is the one that a spec was made for."""
        if self.dataset.sha256 != sha256:
            raise DataError(
                f"the dataset '{self.source.name}' changed while the study was running",
                hint="put the old file back, or start a study of another name",
            )
        return self.dataset


def prepare_worker(home: Home, source: DatasetSource, threads: int) -> Callable[[str, Report], str]:
    """Set a new worker process up, and give the function that does its tasks.

    A task is the JSON of a :class:`TrialSpec`, of an :class:`EncoderSpec` or of an
    :class:`AssessmentSpec`; the result is that of a :class:`TrialResult`, of an
    :class:`EncoderRecord` or of an :class:`Assessment`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read by TensorFlow when it is imported
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    threadpool_limits(threads)  # numpy's and scikit-learn's
    bench = Workbench(home, source)

    def work(payload: str, report: Report) -> str:
        spec = SPEC.validate_json(payload)
        if spec.threads != threads:
            raise ValueError(f"a worker of {threads} threads was given a spec of {spec.threads}")
        with _outages(home):
            if isinstance(spec, EncoderSpec):
                train_encoder(spec, bench, report)
                return bench.encoders.record(spec.key).model_dump_json()
            if isinstance(spec, AssessmentSpec):
                return assess(spec, bench, report).model_dump_json()
            return evaluate(spec, bench, report).model_dump_json()

    return work


@contextmanager
def _outages(home: Home) -> Iterator[None]:
    """Tell a home that takes no more writes from what may be wrong with a task."""
    try:
        yield
    except OSError as error:
        # Without a number, as NumPy says of an array that did not fit on the disk.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, None):
            raise
        raise OutageError(
            f"the home {home.root} does not take what is written: {error.strerror or error}",
            hint="free some space, or make it writable; sweep store --prune may help",
        ) from error


def train_encoder(spec: EncoderSpec, bench: Workbench, report: Report) -> Path:
    """The trained encoder of ``spec``, from the store if it is there.

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


def evaluate(spec: TrialSpec, bench: Workbench, report: Report) -> TrialResult:
    """Train and score every replicate of a trial; draws that are stored already are not trained.

    Raises:
        DivergedError: a training left the finite numbers.
    """
    started_at, began = time.time(), time.perf_counter()
    draws = []
    for draw in range(spec.draws):
        path = bench.home.draws / f"{spec.draw_key(draw)}.json"
        result = _stored_draw(path)
        if result is None:
            within = partial(_report_within, report, draw, spec.draws)
            result = _train_draw(spec, draw, bench, within).result
            publish_bytes(path, result.model_dump_json().encode())
        draws.append(result)
    # By the clock at the beginning and a clock that cannot jump since: it ends after its beginning.
    finished_at = started_at + time.perf_counter() - began
    return _trial_result(spec, draws, int(1000 * started_at), int(1000 * finished_at))


def assess(spec: AssessmentSpec, bench: Workbench, report: Report) -> Assessment:
    """Train a trial's classifiers again and score them on the test partition; kept in the home.

    Training is a function of the spec: they are the classifiers that were selected.

    Raises:
        DivergedError: a training left the finite numbers.
    """
    from sweep.classifier import population  # imports TensorFlow

    trial = spec.trial
    representation = REPRESENTATIONS[trial.representation.name]
    dataset = bench.checked_dataset(trial.data)
    accuracies = []
    confusion = np.zeros((CLASSES, CLASSES), np.int64)
    for draw in range(trial.draws):
        trained = _train_draw(
            trial, draw, bench, partial(_report_within, report, draw, trial.draws)
        )
        test = trained.parts["test"]
        labels = dataset.labels[test]
        features = representation.features(dataset.images, test, trained.encoder)
        predicted = population.predict(trained.weights, features)
        accuracies.append(tuple((predicted == labels).mean(axis=1).tolist()))
        for member in predicted:
            np.add.at(confusion, (labels, member), 1)
    assessment = Assessment(
        key=spec.key,
        accuracies=tuple(accuracies),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        milliseconds=0.0,
    )
    publish_bytes(bench.home.assessment(spec.key), assessment.model_dump_json().encode())
    return assessment


def _stored_draw(path: Path) -> DrawResult | None:
    """A draw's result; None if it is not stored, or not whole."""
    try:
        return DrawResult.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _report_within(report: Report, draw: int, draws: int, fraction: float) -> None:
    """Report a draw's fraction as one of its trial."""
    report((draw + fraction) / draws)


@dataclass(frozen=True)
class _TrainedDraw:
    """The members of one draw, and what they stand on."""

    result: DrawResult
    weights: Weights
    encoder: Path | None
    parts: Mapping[str, Indices]


def _train_draw(spec: TrialSpec, draw: int, bench: Workbench, report: Report) -> _TrainedDraw:
    """Train the members of one draw as a population."""
    from sweep.classifier import population  # imports TensorFlow

    representation = REPRESENTATIONS[spec.representation.name]
    dataset = bench.checked_dataset(spec.data)
    encoder = None
    if representation.is_trained:
        encoder = train_encoder(spec.encoder(draw), bench, report)
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
        key=spec.draw_key(draw),
        draw=draw,
        labels=len(train_on.labels),
        members=curves,
        seconds=time.perf_counter() - began,
    )
    return _TrainedDraw(result, weights, encoder, parts)


def _order(labels: int, length: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """The rows of one epoch: all labelled images, shuffled, and again until it is long enough.

    So every label budget gets as many updates as all labels would, of batches as large: few labels
    are scarce, and not undertrained.
    """
    times = math.ceil(length / labels)
    return np.concatenate([generator.permutation(labels) for _ in range(times)])[:length]


def _trial_result(
    spec: TrialSpec, draws: list[DrawResult], started_at: int, finished_at: int
) -> TrialResult:
    representation = REPRESENTATIONS[spec.representation.name]
    members = [curves for draw in draws for curves in draw.members]

    def mean(values: list[tuple[float, ...]]) -> tuple[float, ...]:
        return tuple(np.mean(values, axis=0).tolist())

    return TrialResult(
        key=spec.key,
        labels=draws[0].labels,
        classifier_parameters=classifier.parameters(
            representation.dimensions(spec.representation), spec.hidden_neurons
        ),
        representation_parameters=representation.parameters(spec.representation),
        replicates=tuple(
            Replicate(
                draw=draw.draw,
                member=number,
                accuracy=curves.val_accuracy[-1],
                accuracy_best_epoch=max(curves.val_accuracy),
            )
            for draw in draws
            for number, curves in enumerate(draw.members)
        ),
        curves=Curves(
            train_loss=mean([curves.train_loss for curves in members]),
            train_accuracy=mean([curves.train_accuracy for curves in members]),
            val_loss=mean([curves.val_loss for curves in members]),
            val_accuracy=mean([curves.val_accuracy for curves in members]),
        ),
        encoders=tuple(spec.encoder(draw.draw).key for draw in draws if representation.is_trained),
        train_seconds=math.fsum(draw.seconds for draw in draws),
        started_at=started_at,
        finished_at=finished_at,
    )
