"""What is done with what was selected: it is the very classifier that was measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sweep.artifacts.store import MODEL_FILE
from sweep.classifier.image_model import load_image_model
from sweep.configuration import ClassifierTraining, FractionsPartition, RepresentationSpec
from sweep.data.datasets import DatasetSource
from sweep.data.partition import partition
from sweep.errors import DataError
from sweep.evaluation import trial_result
from sweep.evaluation.assessments import make_assessment
from sweep.evaluation.models import make_model
from sweep.evaluation.training import make_draw
from sweep.evaluation.workbench import Workbench
from sweep.home import Home
from sweep.specs import AssessmentSpec, ModelSpec, TrialSpec

DIGITS = DatasetSource.of("mnist-5k", None)
PARTITION = FractionsPartition(
    scheme="fractions", encoder=0.1, classifier=0.2, validation=0.5, test=0.2
)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    home = Home.at(tmp_path / "home")
    home.create()
    return Workbench(home, DIGITS)


def spec(bench: Workbench, name: str) -> TrialSpec:
    return TrialSpec(
        data=DIGITS.load().sha256,
        partition=PARTITION,
        seed=1,
        draws=2,
        members=2,
        representation=RepresentationSpec(name=name, latent_dim=6 if name == "pca" else None),
        hidden_neurons=16,
        classifier=ClassifierTraining(epochs=40, batch_size=50, learning_rate=0.001),
        labels_from="classifier",
        scored_on="validation",
        threads=1,
    )


@pytest.mark.parametrize("name", ["pixels", "pca"])
def test_a_kept_model_is_the_one_that_was_measured(bench: Workbench, name: str) -> None:
    """From the images it classifies as its replicate did; asked for again, it is not trained."""
    trial = spec(bench, name)
    draws = [make_draw(draw, bench, lambda _: None) for draw in trial.outer_draws]
    measured = trial_result(trial, draws, 0, 1).replicates[3]
    chosen = ModelSpec(trial=trial, draw=measured.draw, member=measured.member)
    assert bench.store.models.record(chosen.key) is None
    record = make_model(chosen, bench, lambda _: None)
    assert record.again == measured
    # Its sums are in another order, so an image that is undecided may go the other way.
    assert record.accuracy == pytest.approx(measured.accuracy, abs=0.002)

    model = load_image_model(bench.store.models.path(chosen.key) / MODEL_FILE)
    held_out = partition(DIGITS.load().labels, PARTITION, trial.seed, measured.draw)["validation"]
    probabilities = model.predict(DIGITS.load().images[held_out], verbose=0)
    assert probabilities.shape == (len(held_out), 10)
    right = probabilities.argmax(axis=1) == DIGITS.load().labels[held_out]
    assert right.mean() == pytest.approx(record.accuracy)

    def untrained(_fraction: float) -> None:
        raise AssertionError("it was trained again")

    assert make_model(chosen, bench, untrained) == record


@pytest.mark.parametrize("off", [0.05, 0.001])
def test_a_draw_that_is_trained_again_is_held_against_what_is_kept(
    bench: Workbench, off: float
) -> None:
    """A file that somebody made up, checksum and all, is named; another machine's digits pass."""
    trial = spec(bench, "pixels")
    draw = trial.outer_draws[0]
    kept = make_draw(draw, bench, lambda _: None)
    curves = kept.members[1]
    wrong = curves.model_copy(
        update={"val_accuracy": (*curves.val_accuracy[:-1], curves.val_accuracy[-1] - off)}
    )
    bench.store.draws.path(draw.key).unlink(missing_ok=True)
    bench.store.draws.keep(draw, kept.model_copy(update={"members": (kept.members[0], wrong)}))
    work: list[Callable[[], object]] = [
        lambda: make_assessment(AssessmentSpec(trial=trial), bench, lambda _: None),
        lambda: make_model(ModelSpec(trial=trial, draw=0, member=0), bench, lambda _: None),
    ]
    for make in work:
        if off < 0.01:
            make()
            continue
        with pytest.raises(DataError, match=rf"{draw.key}\.json is not what pixels") as raised:
            make()
        assert "move that file away" in str(raised.value.hint)


def test_an_assessment_scores_each_classifier_on_the_test_partition(bench: Workbench) -> None:
    """All images of it by all of them; measures how long an image takes, and says what training
    came to again.
    """
    trial = spec(bench, "pca")
    assessment = make_assessment(AssessmentSpec(trial=trial), bench, lambda _: None)
    counts = np.array(assessment.confusion)
    test = [partition(DIGITS.load().labels, PARTITION, 1, draw)["test"] for draw in range(2)]
    assert counts.sum() == 2 * sum(len(part) for part in test)
    assert counts.trace() / counts.sum() == pytest.approx(assessment.accuracy)
    assert [len(draw) for draw in assessment.accuracies] == [2, 2]
    assert 0.2 < assessment.accuracy < 1
    assert assessment.milliseconds > 0
    measured = trial_result(
        trial, [make_draw(draw, bench, lambda _: None) for draw in trial.outer_draws], 0, 1
    )
    assert assessment.again is not None
    assert assessment.again.replicates == measured.replicates
    assert assessment.again.curves == measured.curves
