"""The comparison's rows: what was measured, with its uncertainty, beside what was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweep.reports.intervals import Interval, Layout
from sweep.reports.published import PublishedRow, published_row
from sweep.trial import TrialResult, TrialSpec, Value

# Below these, prediction intervals cover less than they promise (docs: Statistics).
FEWEST_DRAWS = 5
FEWEST_MEMBERS = 3


@dataclass(frozen=True)
class Measured:
    """A completed trial."""

    spec: TrialSpec
    result: TrialResult
    mlflow_run_id: str | None


class Row(Value):
    """One row of the report; accuracies are fractions, intervals are 95 %."""

    representation: str
    latent_dim: int | None
    hidden_neurons: int
    labels: int
    classifier_parameters: int
    representation_parameters: int
    inference_parameters: int
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
    verdict: str | None
    pareto: bool
    mlflow_run_ids: tuple[str, ...]


class Report(Value):
    """A study's rows, and which partition their accuracies were taken on."""

    study: str
    scored_on: str
    is_mnist: bool
    rows: tuple[Row, ...]


def compare(study: str, measured: Sequence[Measured], scored_on: str, is_mnist: bool) -> Report:
    """The report of a study, rows in the order of ``measured``.

    Args:
        study: its name.
        measured: its completed trials.
        scored_on: the partition that their accuracies were taken on.
        is_mnist: whether its dataset is all of MNIST; only then are published rows set beside.
    """
    rows = [_row(trial, is_mnist) for trial in measured]
    return Report(
        study=study,
        scored_on=scored_on,
        is_mnist=is_mnist,
        rows=tuple(
            row.model_copy(update={"pareto": not any(_dominates(other, row) for other in rows)})
            for row in rows
        ),
    )


def layout(result: TrialResult) -> Layout:
    """A result's accuracies after the last epoch, by draw and member."""
    return Layout.of([(r.draw, r.accuracy) for r in result.replicates])


def _row(trial: Measured, is_mnist: bool) -> Row:
    spec, result = trial.spec, trial.result
    accuracies = layout(result)
    published = published_row(spec, is_mnist)
    mean = clipped(accuracies.mean_interval())
    prediction = clipped(accuracies.prediction_interval(published.half_unit if published else 0.0))
    best = [replicate.accuracy_best_epoch for replicate in result.replicates]
    return Row(
        representation=spec.representation.name,
        latent_dim=spec.representation.latent_dim,
        hidden_neurons=spec.hidden_neurons,
        labels=result.labels,
        classifier_parameters=result.classifier_parameters,
        representation_parameters=result.representation_parameters,
        inference_parameters=result.inference_parameters,
        accuracy=result.accuracy,
        accuracy_ci_low=mean.low if mean else None,
        accuracy_ci_high=mean.high if mean else None,
        accuracy_best_epoch=sum(best) / len(best),
        prediction_low=prediction.low if prediction else None,
        prediction_high=prediction.high if prediction else None,
        n_draws=accuracies.draws,
        n_replicates=len(result.replicates),
        published_accuracy=published.accuracy if published else None,
        published_parameters=published.printed_parameters if published else None,
        verdict=_verdict(published, accuracies) if published else None,
        pareto=False,
        mlflow_run_ids=(trial.mlflow_run_id,) if trial.mlflow_run_id else (),
    )


def clipped(interval: Interval | None) -> Interval | None:
    """An interval of accuracies, which lie between 0 and 1."""
    return interval and Interval(max(0.0, interval.low), min(1.0, interval.high))


def _verdict(published: PublishedRow, accuracies: Layout) -> str:
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


def _dominates(one: Row, other: Row) -> bool:
    """Whether a row is at least as accurate with at most as many parameters, and better in one."""
    return (
        one.accuracy >= other.accuracy
        and one.classifier_parameters <= other.classifier_parameters
        and (
            one.accuracy > other.accuracy or one.classifier_parameters < other.classifier_parameters
        )
    )
