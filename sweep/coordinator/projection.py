"""From the study to MLflow: what each run holds, and the thread that brings it there.

MLflow is written from one background thread, so that it never holds up training; what it refuses is
kept and tried again, and what is still missing at the end is projected by the next start.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from pathlib import Path

from sweep.config import StudyConfig
from sweep.database import reason
from sweep.home import Home
from sweep.reports.rows import clipped, layout
from sweep.results import DataFacts, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt, State
from sweep.specs import DEFAULT_OPTIMIZER, RepresentationSpec
from sweep.tracking import Run, Status, Tracker

log = logging.getLogger("sweep")

_RETRY_SECONDS = 15.0
_STATUS: dict[State, Status] = {
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
        name=f"{attempt.spec.label} · trial {attempt.number}",
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


def study_run(config: StudyConfig, key: str, started_at: int, status: Status) -> Run:
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


class Projector:
    """Projects runs in the background, in the order in which they were given."""

    def __init__(self, home: Home, study: str, data: DataFacts) -> None:
        self._home = home
        self._study = study
        self._data = data
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mlflow")
        self._waiting: deque[Run] = deque()
        self._work: Future[bool] | None = None
        self._tracker: Tracker | None = None
        self._retry_at = 0.0
        self._warned = False

    def project(self, runs: Iterable[Run]) -> None:
        """Have runs projected; those that stand there complete are left as they are."""
        self._waiting.extend(runs)
        idle = self._work is None or self._work.done()
        if idle and self._waiting and time.monotonic() >= self._retry_at:
            self._work = self._thread.submit(self._project_waiting)

    def finish(self, last: Callable[[Tracker], None], timeout: float) -> bool:
        """Project what is left, then do one last thing; whether all of that was done in time."""
        done = self._thread.submit(self._finish, last)
        wait_for([done], timeout)
        self._thread.shutdown(wait=False, cancel_futures=True)
        if done.done() and not done.cancelled() and done.result():
            return True
        log.warning(
            "MLflow does not hold everything yet: the same command brings it there later. "
            "Nothing is lost."
        )
        return False

    def _finish(self, last: Callable[[Tracker], None]) -> bool:
        if not self._project_waiting():
            return False
        try:
            last(self._open())
        except Exception as error:  # whatever MLflow raises
            self._warn(error)
            return False
        return True

    def _project_waiting(self) -> bool:
        """Project what waits, up to the first failure; whether nothing waits any more."""
        while self._waiting:
            run = self._waiting[0]
            try:
                tracker = self._open()
                if run.kind == "study" or not tracker.has(run):
                    tracker.project(run)
            except Exception as error:  # whatever MLflow raises must not stop the training
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                self._tracker = None  # MLflow may have done what it did not answer: look again
                self._warn(error)
                return False
            self._waiting.popleft()
        return True

    def _open(self) -> Tracker:
        if self._tracker is None:
            self._tracker = Tracker(self._home, self._study, self._data)
        return self._tracker

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            log.warning("MLflow cannot be written, and training goes on: %.200s", reason(error))
            self._warned = True
