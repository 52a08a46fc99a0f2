"""The loop of a running study.

Trials and the encoders that they stand on are tasks of their own: a trial is handed to a worker
when its encoders are there, an encoder is trained once however many trials wait for it, and what
waits for nothing is never held up. Everything is recorded here, in one process.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sweep.coordinator.estimate import Pace
from sweep.coordinator.projection import (
    Projector,
    attempt_run,
    encoder_run,
)
from sweep.errors import DivergedError, InputError, OutageError
from sweep.execution import Executor, Failed, Outcome, Task
from sweep.execution.base import FailureKind
from sweep.representations import REPRESENTATIONS
from sweep.representations.store import EncoderStore
from sweep.search.attempt import Attempt, Cause, Failure
from sweep.search.history import Progress
from sweep.search.ledger import interruption
from sweep.search.patience import PATIENCE_SECONDS
from sweep.search.study import Study
from sweep.trial import EncoderRecord, EncoderSpec, TrialResult, TrialSpec

log = logging.getLogger("sweep")

_TICK_SECONDS = 0.2
_OUTAGE_PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class WorkerView:
    """What one worker is doing."""

    number: int
    label: str
    fraction: float


@dataclass(frozen=True)
class Snapshot:
    """A running study at one moment, for whoever watches it."""

    progress: Progress
    workers: Sequence[WorkerView]
    best: Attempt | None
    seconds_left: float | None
    news: Sequence[str]
    """What happened since the last snapshot, a line each."""


@dataclass
class _Job:
    """A task in flight: an attempt, or an encoder that an attempt waits for."""

    attempt: Attempt
    encoder: EncoderSpec | None
    began: float

    @property
    def kind(self) -> str:
        name = self.attempt.cell.representation
        return f"{name} encoder" if self.encoder else name

    @property
    def label(self) -> str:
        if self.encoder is None:
            return self.attempt.spec.label
        label = self.encoder.representation.label
        return f"encoder {label}, draw {self.encoder.draw + 1} of {self.attempt.spec.draws}"


class Loop:
    """Runs a study until nothing is left to do, or until it is told to stop."""

    def __init__(
        self,
        study: Study,
        executor: Executor,
        encoders: EncoderStore,
        projector: Projector,
        watch: Callable[[Snapshot], None],
    ) -> None:
        self._study = study
        self._executor = executor
        self._encoders = encoders
        self._projector = projector
        self._watch = watch
        self._pending: dict[int, Attempt] = {}
        self._jobs: dict[str, _Job] = {}
        self._broken: dict[str, Failure] = {}
        """Encoders that cannot be trained, by key, and why."""
        self._outage_began: float | None = None
        self._resume_at = 0.0
        self._pace = Pace()
        self._news: list[str] = []

    def run(self, stopping: Callable[[], bool]) -> None:
        """Run; when ``stopping`` says so, leave at once and record what was interrupted."""
        try:
            while not stopping():
                self._fill()
                self._watch(self._snapshot())
                if not self._jobs and not self._waits:
                    return
                for outcome in self._executor.wait(_TICK_SECONDS):
                    self._settle(outcome)
                self._projector.project(())
        finally:
            if self._jobs:
                self._executor.close()
            running = [job.attempt for job in self._jobs.values() if job.encoder is None]
            for attempt in [*self._pending.values(), *running]:
                self._record(self._study.fail(attempt, interruption()))
            self._watch(self._snapshot())

    @property
    def _waits(self) -> bool:
        """Whether nothing is begun, because what the workers write would not be taken."""
        return time.monotonic() < self._resume_at

    def _fill(self) -> None:
        """Give every free worker something to do, as long as there is anything."""
        while self._executor.free and not self._waits:
            job = self._next_job()
            if job is None:
                return
            spec: TrialSpec | EncoderSpec = job.encoder or job.attempt.spec
            self._jobs[spec.key] = job
            self._executor.submit(Task(spec.key, spec.model_dump_json()))

    def _next_job(self) -> _Job | None:
        while True:
            for number, attempt in list(self._pending.items()):
                missing = self._missing_encoders(attempt.spec)
                broken = next((e for e in missing if e.key in self._broken), None)
                if broken:
                    del self._pending[number]
                    self._record(self._study.fail(attempt, self._broken[broken.key]))
                elif not missing:
                    del self._pending[number]
                    return _Job(attempt, None, time.monotonic())
            for attempt in self._pending.values():
                for encoder in self._missing_encoders(attempt.spec):
                    if encoder.key not in self._jobs:
                        return _Job(attempt, encoder, time.monotonic())
            # Asking far ahead would keep the sampler from learning, so some may have to wait.
            trials = sum(job.encoder is None for job in self._jobs.values())
            if len(self._pending) + trials >= 2 * self._executor.workers:
                return None
            begun = self._study.begin_next()
            if begun is None:
                return None
            self._pending[begun.number] = begun

    def _missing_encoders(self, spec: TrialSpec) -> list[EncoderSpec]:
        if not REPRESENTATIONS[spec.representation.name].is_trained:
            return []
        encoders = [spec.encoder(draw) for draw in range(spec.draws)]
        return [encoder for encoder in encoders if not self._encoders.has(encoder.key)]

    def _settle(self, outcome: Outcome) -> None:
        """Record what came of a task."""
        job = self._jobs.pop(outcome.task.id)
        if isinstance(outcome.result, Failed):
            self._settle_failure(job, outcome.result)
            return
        if self._outage_began is not None:
            self._outage_began = None
            log.warning("What is written is taken again, and the study goes on.")
        self._pace.note(job.kind, time.monotonic() - job.began)
        if job.encoder:
            record = EncoderRecord.model_validate_json(outcome.result)
            pictures = self._encoders.pictures(job.encoder.key)
            self._projector.project([encoder_run(record, pictures)])
            ends = [f"{name.replace('_', ' ')} {v[-1]:.5g}" for name, v in record.history.items()]
            self._news.append(f"{job.label}: {', '.join(ends)}, {record.train_seconds:.0f} s")
            return
        result = TrialResult.model_validate_json(outcome.result)
        # An encoder that was trained for another study is part of this one, too.
        self._projector.project(
            encoder_run(self._encoders.record(key), self._encoders.pictures(key))
            for key in result.encoders
        )
        self._record(self._study.complete(job.attempt, result))

    def _settle_failure(self, job: _Job, failed: Failed) -> None:
        if isinstance(failed.error, InputError | OutageError):
            if job.encoder is None:
                self._pending[job.attempt.number] = job.attempt
            if isinstance(failed.error, InputError):
                raise failed.error  # not the trial's fault, and every other would meet it
            self._wait_out(failed.error)
            return
        failure = Failure(
            cause=_cause(failed),
            message=f"{job.label}: {failed.message}" if job.encoder else failed.message,
            traceback=failed.traceback,
            finished_at=int(time.time() * 1000),
        )
        if job.encoder:
            if job.attempt.number not in self._pending:
                return
            del self._pending[job.attempt.number]
            if failure.cause is not Cause.WORKER_DIED:
                self._broken[job.encoder.key] = failure
        self._record(self._study.fail(job.attempt, failure))

    def _wait_out(self, outage: OutageError) -> None:
        """Begin nothing for a while; or give up, if waiting has not helped for long."""
        now = time.monotonic()
        if self._outage_began is None:
            self._outage_began = now
            log.warning("%s; waiting for it (%s).", outage.message, outage.hint)
        elif now - self._outage_began > PATIENCE_SECONDS:
            raise outage
        self._resume_at = now + _OUTAGE_PAUSE_SECONDS

    def _record(self, attempt: Attempt) -> None:
        self._projector.project([attempt_run(attempt)])
        label = f"trial {attempt.number}: {attempt.spec.label}"
        if attempt.result is not None:
            result = attempt.result
            self._news.append(
                f"{label}: accuracy {100 * result.accuracy:.2f} %, "
                f"{result.classifier_parameters:,} parameters, {result.train_seconds:.1f} s"
            )
        elif attempt.failure is not None:
            self._news.append(f"{label}: {attempt.failure.cause}: {attempt.failure.message}")

    def _snapshot(self) -> Snapshot:
        news, self._news = self._news, []
        return Snapshot(
            progress=self._study.progress,
            workers=[
                WorkerView(number, self._jobs[task.id].label, fraction)
                for number, (task, fraction) in self._executor.running().items()
            ],
            best=self._study.best,
            seconds_left=self._seconds_left(),
            news=news,
        )

    def _seconds_left(self) -> float | None:
        """Work that is left, by the pace so far, over all workers; None while that is unknown."""
        work = 0.0
        for task, fraction in self._executor.running().values():
            job = self._jobs[task.id]
            elapsed = time.monotonic() - job.began
            whole = self._pace.mean(job.kind) or (elapsed / fraction if fraction > 0.1 else None)
            if whole is None:
                return None
            work += max(whole - elapsed, 0)
        for kind, count in self._ahead().items():
            mean = self._pace.mean(kind)
            if count and mean is None:
                return None
            work += count * (mean or 0)
        return work / self._executor.workers

    def _ahead(self) -> Counter[str]:
        """How many tasks of each kind are to come."""
        ahead: Counter[str] = Counter()
        encoders = {}
        for attempt in self._pending.values():
            ahead[attempt.cell.representation] += 1
            for encoder in self._missing_encoders(attempt.spec):
                if encoder.key not in self._jobs:
                    encoders[encoder.key] = encoder.representation.name
        ahead.update(f"{name} encoder" for name in encoders.values())
        for name, (trials, latent_dims) in self._study.upcoming().items():
            ahead[name] += trials
            if REPRESENTATIONS[name].is_trained:
                ahead[f"{name} encoder"] += latent_dims * self._study.config.replicates.draws
        return ahead


def _cause(failed: Failed) -> Cause:
    if isinstance(failed.error, DivergedError):
        return Cause.DIVERGED
    return {
        FailureKind.DIED: Cause.WORKER_DIED,
        FailureKind.TIMED_OUT: Cause.TIMED_OUT,
        FailureKind.RAISED: Cause.ERROR,
    }[failed.kind]
