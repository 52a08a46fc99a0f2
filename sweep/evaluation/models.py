"""Models to keep: one classifier with all that comes before it."""

from __future__ import annotations

from pathlib import Path

from sweep.artifacts.store import MODEL_FILE
from sweep.evaluation.training import train_again
from sweep.evaluation.trial_result import replicate
from sweep.evaluation.workbench import Workbench
from sweep.results import ModelRecord
from sweep.specs import DrawSpec, ModelSpec
from sweep.values import OnProgress


def make_model(spec: ModelSpec, bench: Workbench, on_progress: OnProgress) -> ModelRecord:
    """Train one classifier again, and keep it in the store with all that comes before it.

    Raises:
        DivergedError: the training left the finite numbers.
        DataError: the result that is kept of the draw is not of this classifier.
    """

    def make(out: Path) -> ModelRecord:
        from sweep.classifier.image_model import image_model  # imports TensorFlow

        trial = spec.trial
        dataset = bench.checked_dataset(trial.data)
        trained = train_again(DrawSpec(trial=trial, draw=spec.draw), bench, on_progress)
        model = image_model(trained.extractor.network(), trained.weights, spec.member)
        held_out = trained.parts[trial.scored_on]
        predicted = model.predict(dataset.images[held_out], verbose=0).argmax(axis=1)
        model.save(out / MODEL_FILE)
        accuracy = float((predicted == dataset.labels[held_out]).mean())
        again = replicate(spec.draw, spec.member, trained.result.members[spec.member])
        return ModelRecord(spec=spec, accuracy=accuracy, again=again)

    return bench.store.models.get_or_make(spec, make)
