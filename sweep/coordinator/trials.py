"""Running a study's trials: attempts become draws to be made, and draws become results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sweep.artifacts import ArtifactStore
from sweep.coordinator.assembly import Assembly
from sweep.coordinator.encoders import Encoders
from sweep.coordinator.estimate import Pace, task_kind
from sweep.coordinator.events import (
    Activity,
    Begun,
    Done,
    Event,
    GivenUp,
    Hungry,
    Progressed,
    Retried,
    begins_again,
)
from sweep.coordinator.labels import Labels
from sweep.coordinator.projector import Projector
from sweep.coordinator.runs import StudyRun, attempt_run
from sweep.coordinator.scheduler import Scheduler
from sweep.coordinator.timelimit import TimeLimit
from sweep.execution import Executor
from sweep.results import DrawResult, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt, Failure, interruption
from sweep.search.history import Progress
from sweep.search.study import Study
from sweep.specs import Spec


@dataclass(frozen=True)
class Snapshot:
    """A running study at one moment, for whoever watches it."""

    progress: Progress
    running: Mapping[str, Activity]
    """What each busy worker does, by its name."""
    best: Attempt | None
    seconds_left: float | None
    news: Sequence[str]
    """What happened since the last snapshot, a line each."""


class TrialRun:
    """Runs a study's trials until none is left, or until it is told to stop."""

    def __init__(
        self,
        study: Study,
        executor: Executor,
        store: ArtifactStore,
        projector: Projector,
        watch: Callable[[Snapshot], None],
        limit: TimeLimit | None = None,
    ) -> None:
        self._study = study
        self._executor = executor
        self._store = store
        self._projector = projector
        self._run = StudyRun(study.config, study.attempts, study.progress.target)
        self._watch = watch
        self._limit = limit or TimeLimit()
        self._labels = Labels(study.config)
        self._scheduler = Scheduler(executor, store, self._limit, self._labels)
        self._open: dict[int, Assembly] = {}
        self._by_draw: dict[str, list[Assembly]] = {}
        self._encoders = Encoders(store, projector, self._say, self._labels)
        self._pace = Pace()
        self._news: list[str] = []
        self._ended: list[Attempt] = []
        """What has ended, and is not recorded yet."""

    def run(self, stopping: Callable[[], bool]) -> None:
        """Run; when ``stopping`` says so, leave at once and record what was interrupted."""
        try:
            for event in self._scheduler.events(stopping):
                self._take(event)
        finally:
            if self._open:
                self._executor.close()
            for each in list(self._open.values()):
                self._close(each, interruption())
            self._record_ended()
            self._show({})
            self._projector.give_way(busy=False)

    def _take(self, event: Event) -> None:
        self._encoders.take(event)
        self._projector.give_way(busy=True)
        match event:
            case Hungry():
                self._record_ended()  # a sampler learns from it
                self._begin_next()
            case Begun(spec):
                for each in self._by_draw.get(spec.key, ()):
                    if each.begin():
                        self._projector.project([attempt_run(each.attempt, each.span[0])])
            case Progressed(running):
                self._record_ended()
                self._show(running)
                self._projector.project(())
                self._projector.give_way(busy=False)
            case Done(spec, result, seconds):
                if seconds is not None:
                    self._pace.note(task_kind(spec), seconds)
                if isinstance(result, EncoderRecord):
                    self._study.note_encoder(result)
                elif isinstance(result, DrawResult):
                    self._note_draw(spec, result)
            case Retried(spec, failure):
                self._say(begins_again(self._labels(spec), failure))
            case GivenUp(spec, failure):
                for each in list(self._by_draw.get(spec.key, ())):
                    self._close(each, failure)

    def _say(self, line: str) -> None:
        """Something has happened."""
        self._news.append(line)

    def _begin_next(self) -> None:
        """Begin what free workers want; no more, because a sampler learns from those that end."""
        if not self._limit.allows(*self._study.config.blocks):
            return
        room = 2 * max(1, self._executor.workers) - len(self._open)
        wanted = -(-self._executor.free // self._study.config.replicates.draws)
        for attempt in self._study.begin(min(room, wanted)):
            opened = self._open[attempt.number] = Assembly(attempt, attempt.spec)
            for draw in attempt.spec.outer_draws:
                self._by_draw.setdefault(draw.key, []).append(opened)
                self._scheduler.want(draw)

    def _note_draw(self, spec: Spec, result: DrawResult) -> None:
        for each in list(self._by_draw.get(spec.key, ())):
            whole = each.take(result)
            if whole is not None:
                self._note_encoders(whole.encoders)
                self._end(each, result=whole)

    def _note_encoders(self, keys: Sequence[str]) -> None:
        """Encoders that were trained for another study are part of this one, too."""
        for key in keys:
            if not self._encoders.has(key) and (record := self._store.encoders.record(key)):
                self._study.note_encoder(record)
                self._encoders.end(record)

    def _close(self, each: Assembly, failure: Failure) -> None:
        """End an attempt by a failure; nothing more is begun for it."""
        self._end(each, failure=failure)
        for draw in each.attempt.spec.outer_draws:
            if draw.key not in self._by_draw:
                self._scheduler.unwant(draw)

    def _end(self, each: Assembly, **outcome: TrialResult | Failure) -> None:
        self._forget(each)
        self._ended.append(each.attempt.model_copy(update=outcome))

    def _forget(self, each: Assembly) -> None:
        del self._open[each.attempt.number]
        for draw in each.attempt.spec.outer_draws:
            waiting = self._by_draw[draw.key]
            waiting.remove(each)
            if not waiting:
                del self._by_draw[draw.key]

    def _record_ended(self) -> None:
        """Record what has ended since the last time, all at once."""
        ended, self._ended = self._ended, []
        if not ended:
            return
        self._study.end(ended)
        for attempt in ended:
            self._tell_of(attempt)

    def _tell_of(self, attempt: Attempt) -> None:
        self._run.note(attempt)
        self._projector.project([attempt_run(attempt), self._run.at("RUNNING")])
        label = f"trial {attempt.number}: {attempt.label}"
        if attempt.result is not None:
            result = attempt.result
            self._news.append(
                f"{label}: accuracy {100 * result.accuracy:.2f} %, "
                f"{result.classifier_parameters:,} parameters, {result.train_seconds:.1f} s"
            )
        elif attempt.failure is not None:
            self._news.append(f"{label}: {attempt.failure.cause}: {attempt.failure.message}")

    def _show(self, running: Mapping[str, Activity]) -> None:
        news, self._news = self._news, []
        self._watch(
            Snapshot(
                progress=self._study.progress,
                running=running,
                best=self._study.best,
                seconds_left=self._seconds_left(running),
                news=news,
            )
        )

    def _seconds_left(self, running: Mapping[str, Activity]) -> float | None:
        """Work that is left, by the pace so far, over all workers; None while that is unknown."""
        work = 0.0
        for each in running.values():
            mean = self._pace.mean(task_kind(each.spec))
            left = each.seconds_left if mean is None else max(mean - each.seconds, 0)
            if left is None:
                return None
            work += left
        for kind, count in self._ahead().items():
            mean = self._pace.mean(kind)
            if count and mean is None:
                return None
            work += count * (mean or 0)
        return work / max(1, self._executor.workers)

    def _ahead(self) -> Counter[str]:
        """How many tasks of each kind are to come."""
        ahead = Counter(task_kind(spec) for spec in self._scheduler.waiting)
        draws = self._study.config.replicates.draws
        for name, (trials, latent_dims) in self._study.upcoming().items():
            ahead[name] += trials * draws
            ahead[f"{name} encoder"] += latent_dims * draws
        return ahead
