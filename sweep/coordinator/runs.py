"""From the study to MLflow: what each run holds."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from sweep.config import StudyConfig
from sweep.configuration import DEFAULT_OPTIMIZER, RepresentationSpec
from sweep.reports.rows import clipped, layout
from sweep.results import EncoderRecord, TrialResult
from sweep.search.attempt import Attempt, State
from sweep.tracking import Run, RunStatus

_STATUS: dict[State, RunStatus] = {
    State.RUNNING: "RUNNING",
    State.COMPLETE: "FINISHED",
    State.FAILED: "FAILED",
    State.INTERRUPTED: "KILLED",
}


def attempt_run(attempt: Attempt) -> Run:
    """The MLflow run of a finished attempt."""
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
        **_representation_params(spec.representation),
    }
    tags = {
        "sweep.key": spec.key,
        "sweep.trial": str(attempt.number),
        "sweep.attempt": str(attempt.attempt),
    }
    texts = {}
    if failure is not None:
        tags["sweep.failure"] = f"{failure.cause}: {failure.message}"[:4000]
        texts["failure.txt"] = f"{failure.cause}: {failure.message}\n\n{failure.traceback or ''}"
    if result is not None:
        params["labels"] = result.labels
    finished = result.finished_at if result else failure.finished_at if failure else 0
    return Run(
        kind="trial",
        name=f"{attempt.label} · trial {attempt.number}",
        status=_STATUS[attempt.state],
        started_at=result.started_at if result else attempt.started_at,
        finished_at=finished,
        tags=tags,
        params={key: str(value) for key, value in params.items()},
        metrics=_metrics(result) if result else {},
        curves=result.curves.model_dump() if result else {},
        texts=texts,
    )


def encoder_run(record: EncoderRecord, pictures: Sequence[Path]) -> Run:
    """The MLflow run of a trained encoder."""
    spec = record.spec
    return Run(
        kind="encoder",
        name=f"encoder {spec.representation.label} · draw {spec.draw + 1}",
        status="FINISHED",
        started_at=record.started_at,
        finished_at=record.finished_at,
        tags={"sweep.key": spec.key},
        params={
            key: str(value)
            for key, value in {
                "representation": spec.representation.name,
                "draw": spec.draw + 1,
                "seed": spec.seed,
                "threads": spec.threads,
                **_representation_params(spec.representation),
            }.items()
        },
        metrics={
            "representation_parameters": record.parameters,
            "train_seconds": record.train_seconds,
        },
        curves=record.history,
        files=pictures,
    )


def study_run(config: StudyConfig, key: str, started_at: int, status: RunStatus) -> Run:
    """The MLflow run of the study itself."""
    return Run(
        kind="study",
        name=f"study {config.name}",
        status=status,
        started_at=started_at,
        finished_at=int(time.time() * 1000),
        tags={"sweep.key": key},
        texts={"config.yaml": config.to_yaml()},
    )


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
    return metrics
