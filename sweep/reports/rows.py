"""One row of the report: what a trial gave, beside what was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pydantic import Field

from sweep import classifier
from sweep.configuration import RepresentationSpec
from sweep.reports.encoders import EncodedDraw
from sweep.reports.intervals import Interval, Layout
from sweep.reports.published import published_match
from sweep.reports.verdicts import Verdict, is_told, reading, verdict
from sweep.representations import bind
from sweep.results import Assessment, EncoderRecord, TrialResult
from sweep.specs import TrialSpec, configuration_label, variation
from sweep.values import Value


@dataclass(frozen=True)
class Measured:
    """A completed trial, and what else is known of it."""

    spec: TrialSpec
    result: TrialResult
    mlflow_run_id: str | None = None
    encoders: Sequence[EncoderRecord] = ()
    """Those of its encoders that the store still has."""
    assessment: Assessment | None = None
    varied: Mapping[str, float | str] = field(default_factory=dict)
    """What its study varied of it beside its dimensions, by name."""
    searched: TrialResult | None = None
    """What the search saw of it, where this is its confirmation on fresh draws."""

    @property
    def name(self) -> str:
        """Such as ``vae 10 → 200, beta 0.5``; the number of labels stands beside it."""
        return row_name(self.spec.representation, self.spec.hidden_neurons, self.varied)

    @cached_property
    def accuracies(self) -> Layout:
        """Its accuracies after the last epoch."""
        return layout(self.result)


def row_name(
    representation: RepresentationSpec, hidden_neurons: int, varied: Mapping[str, float | str]
) -> str:
    """A configuration's label, with what its study varied of it."""
    label = configuration_label(representation, hidden_neurons, None)
    return label + variation(varied.items())


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
    draw_sd: float | None
    """Standard deviation of the draws' mean accuracies; null for one draw."""
    published_accuracy: float | None
    """Null unless dataset, partition, labels and epochs are the notebook's."""
    published_parameters: int | None
    gap: float | None
    """The published accuracy minus ours."""
    detectable: float | None
    """The smallest gap that is noticed in 80 % of cases; null without a verdict."""
    verdict: Verdict | None
    """Null also where anything else of the training is not the notebook's."""
    reading: str | None
    """The verdict as a sentence, or why there is none."""
    pareto: bool
    """On the front of accuracy against the classifier's parameters, among equal numbers of labels.
    """
    pareto_share: float | None
    """How often it is on that front when the draws are drawn anew; null below five draws."""
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
    replicates: tuple[tuple[int, int, float], ...]
    """Draw, classifier and accuracy of each; all intervals follow from them. Empty in reports of
    versions that did not write them down."""
    varied: dict[str, float | str] = Field(default_factory=dict)
    """What the study varied beside the dimensions: settings by their names in its space."""
    searched_accuracy: float | None = None
    """What the search saw of a configuration that was then confirmed on fresh draws: its accuracy
    on the validation partition, by which it was selected."""

    @property
    def name(self) -> str:
        """Such as ``vae 10 → 200``; the number of labels stands beside it."""
        representation = RepresentationSpec(name=self.representation, latent_dim=self.latent_dim)
        return row_name(representation, self.hidden_neurons, self.varied)


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
    representation = bind(spec.representation)
    accuracies = trial.accuracies
    match = published_match(spec, is_mnist)
    published = match.row if match else None
    mean = clipped(accuracies.mean_interval())
    prediction = clipped(accuracies.prediction_interval(published.half_unit if published else 0.0))
    best = [replicate.accuracy_best_epoch for replicate in result.replicates]
    best_epoch = sum(best) / len(best)
    found = verdict(match, accuracies) if match else None
    told = published is not None and is_told(found)
    tested = Layout(np.array(assessment.accuracies)) if assessment else None
    # Where the study itself is scored on the test partition there is no second score.
    tested = tested if spec.scored_on == "validation" else None
    tested_mean = clipped(tested.mean_interval()) if tested else None
    active = [d.active_dimensions for d in encoded_draws(trial) if d.active_dimensions is not None]
    return Row(
        representation=spec.representation.name,
        latent_dim=spec.representation.latent_dim,
        hidden_neurons=spec.hidden_neurons,
        labels=result.labels,
        label_budget=spec.label_budget,
        classifier_parameters=result.classifier_parameters,
        representation_parameters=result.representation_parameters,
        inference_parameters=result.inference_parameters,
        multiply_adds=representation.multiply_adds
        + classifier.multiply_adds(representation.dimensions, spec.hidden_neurons),
        accuracy=result.accuracy,
        accuracy_ci_low=mean.low if mean else None,
        accuracy_ci_high=mean.high if mean else None,
        accuracy_best_epoch=best_epoch,
        prediction_low=prediction.low if prediction else None,
        prediction_high=prediction.high if prediction else None,
        n_draws=accuracies.draws,
        n_replicates=len(result.replicates),
        draw_sd=accuracies.draw_sd,
        published_accuracy=published.accuracy if published else None,
        published_parameters=published.printed_parameters if published else None,
        gap=published.accuracy - accuracies.mean if published else None,
        detectable=accuracies.detectable(published.half_unit) if published and told else None,
        verdict=found,
        reading=reading(match, accuracies, best_epoch) if match else None,
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
        replicates=tuple((r.draw, r.member, r.accuracy) for r in result.replicates),
        varied=dict(trial.varied),
        searched_accuracy=trial.searched.accuracy if trial.searched else None,
    )


def encoded_draws(trial: Measured) -> list[EncodedDraw]:
    """The draws of a trial whose encoders are known to have a loss or active dimensions."""
    spec = trial.spec
    draws = sorted({replicate.draw for replicate in trial.result.replicates})
    by_draw = dict(zip(draws, trial.accuracies.values.mean(axis=1), strict=True))
    last = [{name: curve[-1] for name, curve in e.history.items()} for e in trial.encoders]
    return [
        EncodedDraw(
            configuration=trial.name,
            representation=spec.representation.name,
            latent_dim=spec.representation.latent_dim,
            labels=trial.result.labels,
            draw=encoder.spec.draw,
            loss=values.get("loss"),
            active_dimensions=values.get("active_dimensions"),
            accuracy=float(by_draw[encoder.spec.draw]),
        )
        for encoder, values in zip(trial.encoders, last, strict=True)
        if {"loss", "active_dimensions"} & values.keys()
    ]


def layout(result: TrialResult) -> Layout:
    """A result's accuracies after the last epoch, by draw and member."""
    return Layout.of([(r.draw, r.accuracy) for r in result.replicates])


def clipped(interval: Interval | None) -> Interval | None:
    """An interval of accuracies, which lie between 0 and 1."""
    return interval and Interval(max(0.0, interval.low), min(1.0, interval.high))
