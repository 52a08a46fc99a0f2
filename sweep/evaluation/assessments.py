"""Scoring on the test partition what a study has selected."""

from __future__ import annotations

from functools import partial

import numpy as np

from sweep.data.images import CLASSES
from sweep.evaluation.training import train_again
from sweep.evaluation.trial_result import trial_result
from sweep.evaluation.workbench import Workbench
from sweep.results import Assessment
from sweep.specs import AssessmentSpec
from sweep.values import OnProgress

_TIMED_IMAGES = 1000


def make_assessment(spec: AssessmentSpec, bench: Workbench, on_progress: OnProgress) -> Assessment:
    """Score a trial's classifiers on the test partition; the scores are kept in the store.

    They are trained again. Training is a function of the spec: they are those that were selected.

    Raises:
        DivergedError: a training left the finite numbers.
        DataError: the result that is kept of a draw is not of these classifiers.
    """
    return bench.store.assessments.get_or_make(spec, lambda: _assess(spec, bench, on_progress))


def _assess(spec: AssessmentSpec, bench: Workbench, on_progress: OnProgress) -> Assessment:
    from sweep.classifier import image_model, population  # they import TensorFlow

    trial = spec.trial
    dataset = bench.checked_dataset(trial.data)
    accuracies, again = [], []
    confusion = np.zeros((CLASSES, CLASSES), np.int64)
    for place, draw in enumerate(trial.outer_draws):
        within = partial(_report_within, on_progress, place, trial.draws)
        trained = train_again(draw, bench, within)
        again.append(trained.result)
        test = trained.parts["test"]
        labels = dataset.labels[test]
        features = trained.extractor.features(dataset.images, test)
        predicted = population.predict(trained.weights, features)
        accuracies.append(tuple((predicted == labels).mean(axis=1).tolist()))
        for member in predicted:
            np.add.at(confusion, (labels, member), 1)
    network = trained.extractor.network()
    return Assessment(
        key=spec.key,
        accuracies=tuple(accuracies),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        milliseconds=image_model.milliseconds(
            image_model.image_model(network, trained.weights, member=0),
            dataset.images[np.resize(test, _TIMED_IMAGES)],
        ),
        again=trial_result(trial, again, 0, 0),
    )


def _report_within(on_progress: OnProgress, place: int, draws: int, fraction: float) -> None:
    """Report a draw's fraction as one of its trial."""
    on_progress((place + fraction) / draws)
