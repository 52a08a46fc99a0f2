"""One row of the report: what a trial gave, beside what was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sweep import classifier
from sweep.reports.intervals import Interval, Layout
from sweep.reports.published import PublishedRow, published_row
from sweep.representations import REPRESENTATIONS
from sweep.trial import (
    Assessment,
    EncoderRecord,
    RepresentationSpec,
    TrialResult,
    TrialSpec,
    Value,
    configuration_label,
)

Verdict = Literal["consistent", "published higher", "published lower", "too few runs"]

# Below these, prediction intervals cover less than they promise (docs: Statistics).
FEWEST_DRAWS = 5
FEWEST_MEMBERS = 3


@dataclass(frozen=True)
class Measured:
    """A completed trial, and what else is known of it."""

    spec: TrialSpec
    result: TrialResult
    mlflow_run_id: str | None = None
    encoders: Sequence[EncoderRecord] = ()
    """Those of its encoders that the store still has."""
    assessment: Assessment | None = None


class Row(Value):
    """One row of the report; accuracies are fractions, intervals are 95 %."""

    representation: str
    latent_dim: int | None
    hidden_neurons: int
    labels: int
    label_budget: int | None
    """What the config asked for; null for all labels."""
    classifier_parameters: int
    representation_parameters: int
    inference_parameters: int
    multiply_adds: int
    """Of classifying one image, from its pixels on."""
    accuracy: float
    accuracy_ci_low: float | None
    accuracy_ci_high: float | None
    accuracy_best_epoch: float
    prediction_low: float | None
    prediction_high: float | None
    n_draws: int
    n_replicates: int
    published_accuracy: float | None
    published_parameters: int | None
    verdict: Verdict | None
    reading: str | None
    """The verdict as a sentence."""
    pareto: bool
    """On the front of accuracy against the classifier's parameters, among equal label budgets."""
    pareto_share: float | None
    """How often it is on that front when the draws are drawn anew; null for one draw."""
    pareto_inference: bool
    """The same against all parameters that inference needs."""
    pareto_inference_share: float | None
    test_accuracy: float | None
    """On the test partition, where a search selected the row; null for all else."""
    test_ci_low: float | None
    test_ci_high: float | None
    latency_ms: float | None
    """Measured milliseconds for 1,000 images, of what was selected."""
    active_dimensions: float | None
    """Mean over the encoders; null where none is known."""
    train_seconds: float
    encoder_seconds: float | None
    """Sum over the encoders, which other rows may share."""
    mlflow_run_ids: tuple[str, ...]

    @property
    def name(self) -> str:
        """Such as ``vae 10 → 200``, and the label budget if there is one."""
        return self._label(self.label_budget)

    @property
    def configuration(self) -> str:
        """The same without the label budget."""
        return self._label(None)

    def _label(self, label_budget: int | None) -> str:
        representation = RepresentationSpec(name=self.representation, latent_dim=self.latent_dim)
        return configuration_label(representation, self.hidden_neurons, label_budget)


class EncodedDraw(Value):
    """One draw of a configuration that stands on an encoder."""

    configuration: str
    representation: str
    latent_dim: int | None
    label_budget: int | None
    draw: int
    active_dimensions: float
    """Of the draw's encoder."""
    accuracy: float
    """Mean over the draw's classifiers, a fraction."""


@dataclass
class FrontPlace:
    """A row's places on the two fronts, by the parameters that count, and how sure they are."""

    classifier: bool = False
    inference: bool = False
    classifier_share: float | None = None
    inference_share: float | None = None


def make_row(trial: Measured, is_mnist: bool, front: FrontPlace) -> Row:
    """The row of a completed trial.

    Args:
        trial: what was measured.
        is_mnist: whether its dataset is all of MNIST; only then is a published row set beside.
        front: its places on the fronts.
    """
    spec, result, assessment = trial.spec, trial.result, trial.assessment
    representation = REPRESENTATIONS[spec.representation.name]
    accuracies = layout(result)
    published = published_row(spec, is_mnist)
    mean = clipped(accuracies.mean_interval())
    prediction = clipped(accuracies.prediction_interval(published.half_unit if published else 0.0))
    best = [replicate.accuracy_best_epoch for replicate in result.replicates]
    best_epoch = sum(best) / len(best)
    verdict = _verdict(published, accuracies) if published else None
    tested = Layout(np.array(assessment.accuracies)) if assessment else None
    # Where the study itself is scored on the test partition there is no second score.
    tested = tested if spec.scored_on == "validation" else None
    tested_mean = clipped(tested.mean_interval()) if tested else None
    active = [draw.active_dimensions for draw in encoded_draws(trial)]
    return Row(
        representation=spec.representation.name,
        latent_dim=spec.representation.latent_dim,
        hidden_neurons=spec.hidden_neurons,
        labels=result.labels,
        label_budget=spec.label_budget,
        classifier_parameters=result.classifier_parameters,
        representation_parameters=result.representation_parameters,
        inference_parameters=result.inference_parameters,
        multiply_adds=representation.multiply_adds(spec.representation)
        + classifier.multiply_adds(
            representation.dimensions(spec.representation), spec.hidden_neurons
        ),
        accuracy=result.accuracy,
        accuracy_ci_low=mean.low if mean else None,
        accuracy_ci_high=mean.high if mean else None,
        accuracy_best_epoch=best_epoch,
        prediction_low=prediction.low if prediction else None,
        prediction_high=prediction.high if prediction else None,
        n_draws=accuracies.draws,
        n_replicates=len(result.replicates),
        published_accuracy=published.accuracy if published else None,
        published_parameters=published.printed_parameters if published else None,
        verdict=verdict,
        reading=_reading(trial, published, verdict, prediction, best_epoch)
        if published and verdict
        else None,
        pareto=front.classifier,
        pareto_share=front.classifier_share,
        pareto_inference=front.inference,
        pareto_inference_share=front.inference_share,
        test_accuracy=tested.mean if tested else None,
        test_ci_low=tested_mean.low if tested_mean else None,
        test_ci_high=tested_mean.high if tested_mean else None,
        latency_ms=assessment.milliseconds if assessment else None,
        active_dimensions=float(np.mean(active)) if active else None,
        train_seconds=result.train_seconds,
        encoder_seconds=sum(e.train_seconds for e in trial.encoders) if trial.encoders else None,
        mlflow_run_ids=(trial.mlflow_run_id,) if trial.mlflow_run_id else (),
    )


def encoded_draws(trial: Measured) -> list[EncodedDraw]:
    """The draws of a trial whose encoders are known to have active dimensions."""
    by_draw = layout(trial.result).values.mean(axis=1)
    return [
        EncodedDraw(
            configuration=trial.spec.label,
            representation=trial.spec.representation.name,
            latent_dim=trial.spec.representation.latent_dim,
            label_budget=trial.spec.label_budget,
            draw=encoder.spec.draw,
            active_dimensions=encoder.history["active_dimensions"][-1],
            accuracy=float(by_draw[encoder.spec.draw]),
        )
        for encoder in trial.encoders
        if "active_dimensions" in encoder.history
    ]


def layout(result: TrialResult) -> Layout:
    """A result's accuracies after the last epoch, by draw and member."""
    return Layout.of([(r.draw, r.accuracy) for r in result.replicates])


def clipped(interval: Interval | None) -> Interval | None:
    """An interval of accuracies, which lie between 0 and 1."""
    return interval and Interval(max(0.0, interval.low), min(1.0, interval.high))


def _verdict(published: PublishedRow, accuracies: Layout) -> Verdict:
    """Whether one published run is what one new run of ours could have given."""
    prediction = accuracies.prediction_interval(published.half_unit)
    few = accuracies.draws < FEWEST_DRAWS or accuracies.members < FEWEST_MEMBERS
    if few or prediction is None:
        return "too few runs"
    if published.accuracy > prediction.high:
        return "published higher"
    if published.accuracy < prediction.low:
        return "published lower"
    return "consistent"


def _reading(
    trial: Measured,
    published: PublishedRow,
    verdict: Verdict,
    prediction: Interval | None,
    best_epoch: float,
) -> str:
    """A verdict for a reader who knows the notebook, and not what a prediction interval is."""
    draws = trial.spec.draws
    runs = f"{len(trial.result.replicates)} runs over {draws} draw{'s' if draws > 1 else ''}"
    text = f"{trial.spec.label}: published {100 * published.accuracy:.4g} %, one run; "
    if prediction is None:
        text += f"here {100 * trial.result.accuracy:.2f} % in {runs}, too few to tell."
    else:
        low, high = 100 * prediction.low, 100 * prediction.high
        text += (
            f"one new run of ours would lie between {low:.2f} and {high:.2f} % "
            f"(95 %, width {high - low:.2f} points, from {runs}): {verdict}."
        )
    text += f" At their best epoch instead of the last, ours have {100 * best_epoch:.2f} %."
    if published.is_misprinted:
        text += (
            f" Its parameters were printed as {published.printed_parameters:,}; "
            f"they are {published.classifier_parameters:,}."
        )
    return text
