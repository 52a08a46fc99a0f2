"""From the study to MLflow: what each run holds."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sweep.config import StudyConfig
from sweep.configuration import DEFAULT_OPTIMIZER, RepresentationSpec
from sweep.coordinator.labels import Labels
from sweep.reports.rows import clipped, layout
from sweep.reports.style import colour, number
from sweep.representations.collapse import collapsed
from sweep.results import EncoderHistory, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt, Failure, State
from sweep.specs import Device, EncoderSpec
from sweep.tracking import Run, RunStatus
from sweep.tracking.runs import COLOUR

_STATUS: dict[State, RunStatus] = {
    State.RUNNING: "RUNNING",
    State.COMPLETE: "FINISHED",
    State.FAILED: "FAILED",
    State.INTERRUPTED: "KILLED",
}


def attempt_run(attempt: Attempt, began: int | None = None) -> Run:
    """The MLflow run of an attempt.

    Args:
        attempt: finished or running.
        began: when its first draw began, milliseconds since the epoch; a result knows it itself.
    """
    spec, result, failure = attempt.spec, attempt.result, attempt.failure
    params = {
        "representation": spec.representation.name,
        "hidden_neurons": spec.hidden_neurons,
        "labels_from": spec.labels_from,
        "scored_on": spec.scored_on,
        "epochs": spec.classifier.epochs,
        "batch_size": spec.classifier.batch_size,
        "learning_rate": spec.classifier.learning_rate,
        "optimizer": spec.classifier.optimizer or DEFAULT_OPTIMIZER,
        "draws": spec.draws,
        "classifiers": spec.members,
        "seed": spec.seed,
        "threads": spec.threads,
        **_device_params(spec.device),
        # A value that is in no key, because it is what is trained without saying so, was searched.
        **{f"{spec.representation.name}.{k}": v for k, v in attempt.cell.of_representation.items()},
        **_representation_params(spec.representation),
    }
    tags = {
        "sweep.key": spec.key,
        "sweep.trial": str(attempt.number),
        "sweep.attempt": str(attempt.attempt),
        COLOUR: colour(number(spec.representation.name)),
    }
    texts = {}
    if failure is not None:
        tags["sweep.failure"] = _told(failure)
        texts["failure.txt"] = _whole(failure)
    if result is not None:
        params["labels"] = result.labels
    ended = result or failure
    return Run(
        kind="trial",
        name=f"{attempt.label} · trial {attempt.number}",
        status=_STATUS[attempt.state],
        started_at=result.started_at if result else began or attempt.started_at,
        finished_at=ended.finished_at if ended else int(time.time() * 1000),
        tags=tags,
        params={key: str(value) for key, value in params.items()},
        metrics=_metrics(result) if result else {},
        curves=result.curves.model_dump() if result else {},
        texts=texts,
        stands_on=[
            (f"encoder of draw {encoder.draw + 1}", ("encoder", encoder.key))
            for encoder in spec.encoders
        ],
    )


def encoder_run(record: EncoderRecord, pictures: Sequence[Path], labels: Labels) -> Run:
    """The MLflow run of a trained encoder."""
    return replace(
        _encoder(record.spec, record.history, record.started_at, labels, is_whole=True),
        status="FINISHED",
        finished_at=record.finished_at,
        metrics={
            "representation_parameters": record.parameters,
            "train_seconds": record.train_seconds,
        },
        files=pictures,
    )


def training_run(
    spec: EncoderSpec, history: EncoderHistory, started_at: int, labels: Labels
) -> Run:
    """The MLflow run of an encoder that is being trained, as it stands at this moment.

    Args:
        spec: the encoder's.
        history: of the epochs that are done.
        started_at: when its training began here, milliseconds since the epoch.
        labels: what the study calls it.
    """
    return _encoder(spec, history, started_at, labels, is_whole=False)


def failed_encoder_run(
    spec: EncoderSpec, history: EncoderHistory, started_at: int, labels: Labels, failure: Failure
) -> Run:
    """The MLflow run of an encoder that was given up; see :func:`training_run`."""
    run = training_run(spec, history, started_at, labels)
    return replace(
        run,
        status="FAILED",
        finished_at=failure.finished_at,
        tags={**run.tags, "sweep.failure": _told(failure)},
        texts={"failure.txt": _whole(failure)},
    )


def _encoder(
    spec: EncoderSpec, history: EncoderHistory, started_at: int, labels: Labels, *, is_whole: bool
) -> Run:
    """What an encoder's run has, however far it is."""
    varied = {
        f"{spec.representation.name}.{name}": value
        for name, value in labels.settings(spec.representation).items()
    }
    params = {
        "representation": spec.representation.name,
        "draw": spec.draw + 1,
        "seed": spec.seed,
        "threads": spec.threads,
        **_device_params(spec.device),
        **varied,
        **_representation_params(spec.representation),
    }
    tags = {
        "sweep.key": spec.key,
        "sweep.python": labels.python(spec),
        COLOUR: colour(number(spec.representation.name)),
    }
    gone = collapsed(spec, history, is_whole=is_whole)
    if gone is not None:
        tags["sweep.collapsed"] = f"{gone} of {spec.representation.latent_dim}"
    return Run(
        kind="encoder",
        name=" · ".join(labels(spec).rsplit(", ", 1)),
        status="RUNNING",
        started_at=started_at,
        finished_at=int(time.time() * 1000),
        tags=tags,
        params={key: str(value) for key, value in params.items()},
        curves=history,
    )


def _told(failure: Failure) -> str:
    """A failure as a tag has it."""
    return f"{failure.cause}: {failure.message}"[:4000]


def _whole(failure: Failure) -> str:
    """A failure with all that is known of it."""
    return f"{failure.cause}: {failure.message}\n\n{failure.traceback or ''}"


class StudyRun:
    """The MLflow run of the study itself, which grows with every trial that is complete."""

    def __init__(self, config: StudyConfig, attempts: Iterable[Attempt], target: int) -> None:
        """Begin with what the study has done.

        Args:
            config: the study's.
            attempts: all that it has begun.
            target: how many trials it is to complete.
        """
        identity = json.dumps(config.identity, sort_keys=True)
        began = int(time.time() * 1000)
        self._tags = {
            "sweep.key": hashlib.sha256(identity.encode()).hexdigest()[:32],
            "sweep.target": str(target),
            "sweep.scored_on": config.scored_on,
        }
        self._name = f"study {config.name}"
        self._config = config.to_yaml()
        self._best: list[float] = []
        """The best accuracy so far, after each complete trial in the order in which they ended."""
        ended = []
        for attempt in attempts:
            began = min(began, attempt.started_at)
            ended += (
                [(attempt.result.finished_at, attempt.number, attempt)] if attempt.result else []
            )
        self._started_at = began
        for _, _, attempt in sorted(ended):
            self.note(attempt)

    def note(self, attempt: Attempt) -> None:
        """Take note of an attempt that has ended."""
        if attempt.result is None:
            return
        best = self._best[-1] if self._best else -math.inf
        if attempt.result.accuracy > best:
            best = attempt.result.accuracy
            self._tags["sweep.best"] = attempt.label
        self._best.append(best)

    def at(self, status: RunStatus) -> Run:
        """The run as it stands."""
        return Run(
            kind="study",
            name=self._name,
            status=status,
            started_at=self._started_at,
            finished_at=int(time.time() * 1000),
            tags=dict(self._tags),
            curves={"best_accuracy": tuple(self._best), "trials": range(1, len(self._best) + 1)},
            texts={"config.yaml": self._config},
        )


def _device_params(device: Device) -> dict[str, str]:
    """Where it was trained, if that was not the CPU."""
    return {} if device is None else {"device": device}


def _representation_params(spec: RepresentationSpec) -> dict[str, object]:
    """A representation's settings under its name, but for what all of them have."""
    settings: dict[str, object] = {
        f"{spec.name}.{name}": value for name, value in spec.settings.items() if name != "precision"
    }
    settings["precision"] = spec.settings.get("precision", "float32")
    if spec.latent_dim is not None:
        settings["latent_dim"] = spec.latent_dim
    return settings


def _metrics(result: TrialResult) -> dict[str, float]:
    accuracies = layout(result)
    interval = clipped(accuracies.mean_interval())
    metrics: dict[str, float] = {
        "accuracy": result.accuracy,
        "accuracy_percent": percent(result.accuracy),
        "replicates": len(result.replicates),
        "classifier_parameters": result.classifier_parameters,
        "representation_parameters": result.representation_parameters,
        "inference_parameters": result.inference_parameters,
        "log10_classifier_parameters": math.log10(result.classifier_parameters),
        "log10_inference_parameters": math.log10(result.inference_parameters),
        "train_seconds": result.train_seconds,
    }
    if accuracies.sd is not None:
        metrics["accuracy_sd"] = accuracies.sd
    if interval is not None:
        metrics["accuracy_ci_low"] = interval.low
        metrics["accuracy_ci_high"] = interval.high
        metrics["ci_low_percent"] = percent(interval.low)
        metrics["ci_high_percent"] = percent(interval.high)
    return metrics


def percent(accuracy: float) -> float:
    """An accuracy for MLflow's table, which shows as many digits as there are."""
    return round(100 * accuracy, 2)
