"""What is done with what a study has selected: scores on the test partition, models to keep."""

from __future__ import annotations

import hashlib
from functools import partial

import numpy as np
from pydantic import ValidationError

from sweep.data.images import CLASSES
from sweep.evaluation.kept import keep_assessment
from sweep.evaluation.training import train_draw
from sweep.evaluation.workbench import Workbench
from sweep.home import MODEL_FILE, RECORD_FILE, Home, published_directory, set_aside
from sweep.representations import REPRESENTATIONS
from sweep.results import Assessment, ModelRecord
from sweep.specs import AssessmentSpec, DrawSpec, ModelSpec
from sweep.values import Report

_TIMED_IMAGES = 1000


def assess(spec: AssessmentSpec, bench: Workbench, report: Report) -> Assessment:
    """Train a trial's classifiers again and score them on the test partition; kept in the home.

    Training is a function of the spec: they are the classifiers that were selected.

    Raises:
        DivergedError: a training left the finite numbers.
    """
    from sweep.classifier import image_model, population  # they import TensorFlow

    trial = spec.trial
    representation = REPRESENTATIONS[trial.representation.name]
    dataset = bench.checked_dataset(trial.data)
    accuracies = []
    confusion = np.zeros((CLASSES, CLASSES), np.int64)
    for draw in trial.outer_draws:
        trained = train_draw(draw, bench, partial(_report_within, report, draw.draw, trial.draws))
        test = trained.parts["test"]
        labels = dataset.labels[test]
        features = representation.features(dataset.images, test, trained.encoder)
        predicted = population.predict(trained.weights, features)
        accuracies.append(tuple((predicted == labels).mean(axis=1).tolist()))
        for member in predicted:
            np.add.at(confusion, (labels, member), 1)
    network = representation.network(trial.representation, trained.encoder)
    assessment = Assessment(
        key=spec.key,
        accuracies=tuple(accuracies),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        milliseconds=image_model.milliseconds(
            image_model.image_model(network, trained.weights, member=0),
            dataset.images[np.resize(test, _TIMED_IMAGES)],
        ),
    )
    keep_assessment(spec, assessment, bench.home)
    return assessment


def _report_within(report: Report, draw: int, draws: int, fraction: float) -> None:
    """Report a draw's fraction as one of its trial."""
    report((draw + fraction) / draws)


def keep_model(spec: ModelSpec, bench: Workbench, report: Report) -> ModelRecord:
    """Train one classifier again, and keep it in the home with all that comes before it.

    A model that is there already is not trained; one that is damaged is replaced.

    Raises:
        DivergedError: the training left the finite numbers.
    """
    kept = kept_model(spec, bench.home)
    if kept is not None:
        return kept
    from sweep.classifier.image_model import image_model  # imports TensorFlow

    trial = spec.trial
    dataset = bench.checked_dataset(trial.data)
    trained = train_draw(DrawSpec(trial=trial, draw=spec.draw), bench, report)
    representation = REPRESENTATIONS[trial.representation.name]
    network = representation.network(trial.representation, trained.encoder)
    model = image_model(network, trained.weights, spec.member)
    held_out = trained.parts[trial.scored_on]
    predicted = model.predict(dataset.images[held_out], verbose=0).argmax(axis=1)
    accuracy = float((predicted == dataset.labels[held_out]).mean())
    directory = bench.home.model(spec.key)
    if directory.exists():
        set_aside(directory)
    with published_directory(directory) as made:
        model.save(made / MODEL_FILE)
        digest = hashlib.sha256((made / MODEL_FILE).read_bytes()).hexdigest()
        record = ModelRecord(spec=spec, accuracy=accuracy, sha256=digest)
        (made / RECORD_FILE).write_text(record.model_dump_json())
    return record


def kept_model(spec: ModelSpec, home: Home) -> ModelRecord | None:
    """What is known of a model that is kept in the home; None if it is not, or is damaged."""
    directory = home.model(spec.key)
    try:
        record = ModelRecord.model_validate_json((directory / RECORD_FILE).read_bytes())
        content = (directory / MODEL_FILE).read_bytes()
    except (OSError, ValidationError):
        return None
    agrees = record.spec == spec and hashlib.sha256(content).hexdigest() == record.sha256
    return record if agrees else None
