"""What a study has selected: confirmed on fresh draws, and scored on the test partition.

Both come when all trials have ended, once each, as runs of the scheduler. What cannot be made costs
the report its line, and the next run of the study tries it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sweep.artifacts import ArtifactStore
from sweep.coordinator.encoders import Encoders
from sweep.coordinator.events import Activity, Done, Event, GivenUp, Progressed
from sweep.coordinator.projector import Projector
from sweep.coordinator.scheduler import Scheduler
from sweep.coordinator.timelimit import TimeLimit
from sweep.coordinator.trials import Snapshot
from sweep.evaluation import trial_result
from sweep.execution import Executor
from sweep.reports.comparison import selected
from sweep.reports.rows import Measured
from sweep.results import Assessment, DrawResult, EncoderRecord
from sweep.search.attempt import Attempt
from sweep.search.study import Study
from sweep.specs import AssessmentSpec, Spec, TrialSpec

log = logging.getLogger("sweep")


@dataclass
class _Confirming:
    """One selected configuration whose fresh draws are being made."""

    attempt: Attempt
    spec: TrialSpec
    began: int
    """Milliseconds since the epoch."""
    draws: dict[int, DrawResult] = field(default_factory=dict)


class _News:
    """Tells who watches how a phase goes."""

    def __init__(self, study: Study, watch: Callable[[Snapshot], None], tasks: int) -> None:
        self._study = study
        self._watch = watch
        self._left = tasks
        self._done = 0
        self._began = time.monotonic()
        self._lines: list[str] = []

    def done(self, line: str | None = None) -> None:
        """One of the tasks is done."""
        self._left -= 1
        self._done += 1
        if line:
            self.say(line)

    def say(self, line: str) -> None:
        """Something has happened."""
        self._lines.append(line)

    def show(self, running: Mapping[int, Activity]) -> None:
        pace = (time.monotonic() - self._began) / self._done if self._done else None
        lines, self._lines = self._lines, []
        self._watch(
            Snapshot(
                progress=self._study.progress,
                running=running,
                best=self._study.best,
                seconds_left=None if pace is None else pace * self._left,
                news=lines,
            )
        )


class Selection:
    """Takes what a study has selected to its end."""

    def __init__(
        self,
        study: Study,
        executor: Executor,
        store: ArtifactStore,
        projector: Projector,
        watch: Callable[[Snapshot], None],
        limit: TimeLimit | None = None,
    ) -> None:
        self._projector = projector
        self._study = study
        self._executor = executor
        self._store = store
        self._watch = watch
        self._limit = limit
        self.not_confirmed = 0
        """How many configurations could not be trained on fresh draws."""
        self.not_assessed = 0
        """How many could not be scored on the test partition."""

    @property
    def is_left(self) -> bool:
        """Whether anything is left that could still be made."""
        return (
            len(_not_confirmed(self._study)) > self.not_confirmed
            or len(_not_assessed(self._study)) > self.not_assessed
        )

    def confirm(self, stopping: Callable[[], bool]) -> None:
        """Train what was selected on draws that the search has not seen.

        Raises:
            InputError: the data or the home cannot be used any more.
        """
        waiting = _not_confirmed(self._study)
        by_draw = {spec.key: each for each in waiting.values() for spec in each.spec.outer_draws}
        news, given_up = _News(self._study, self._watch, len(by_draw)), set[str]()
        encoders = Encoders(self._store, self._projector, news.say)
        wanted = [draw for each in waiting.values() for draw in each.spec.outer_draws]
        for event in self._events(wanted, stopping):
            encoders.take(event)
            match event:
                case Done(_, EncoderRecord() as record):
                    self._study.note_encoder(record)
                case Done(spec, DrawResult() as draw):
                    each = by_draw[spec.key]
                    each.draws[draw.draw] = draw
                    is_whole = len(each.draws) == each.spec.draws
                    news.done(_close(self._study, each) if is_whole else None)
                case GivenUp(spec, failure):
                    each = by_draw[spec.key]
                    if each.spec.key not in given_up:
                        log.warning("%s: not confirmed: %s", _label(each.attempt), failure.message)
                    given_up.add(each.spec.key)
                    news.done()
                case Progressed(running):
                    news.show(running)
                    self._projector.project(())
        self.not_confirmed = len(given_up)

    def assess(self, stopping: Callable[[], bool]) -> None:
        """Score on the test partition what was selected; where it was confirmed, that.

        Raises:
            InputError: the data or the home cannot be used any more.
        """
        waiting = _not_assessed(self._study)
        news = _News(self._study, self._watch, len(waiting))
        for event in self._events([spec for spec, _ in waiting.values()], stopping):
            match event:
                case Done(spec, Assessment(accuracy=accuracy) as assessment):
                    self._study.note_assessment(assessment)
                    label = _label(waiting[spec.key][1])
                    news.done(f"{label}: assessed: {100 * accuracy:.2f} % on the test partition")
                case GivenUp(spec, failure):
                    self.not_assessed += 1
                    label = _label(waiting[spec.key][1])
                    log.warning("%s: not assessed: %s", label, failure.message)
                    news.done()
                case Progressed(running):
                    news.show(running)

    def _events(self, wanted: Sequence[Spec], stopping: Callable[[], bool]) -> Iterator[Event]:
        scheduler = Scheduler(self._executor, self._store, self._limit)
        for spec in wanted:
            scheduler.want(spec)
        return scheduler.events(stopping)


def _close(study: Study, each: _Confirming) -> str:
    """Write a configuration's confirmation down; the line that tells of it."""
    draws = [each.draws[number] for number in each.spec.draw_numbers]
    result = trial_result(each.spec, draws, each.began, int(1000 * time.time()))
    study.note_confirmation(result)
    return (
        f"{_label(each.attempt)}: confirmed: {100 * result.accuracy:.2f} % on the test partition, "
        f"in {len(draws)} fresh draws"
    )


def _label(attempt: Attempt) -> str:
    return f"trial {attempt.number}: {attempt.label}"


def _selected(study: Study) -> list[Attempt]:
    complete = [(attempt, attempt.result) for attempt in study.attempts if attempt.result]
    chosen = selected([Measured(attempt.spec, result) for attempt, result in complete])
    return [attempt for (attempt, _), is_on in zip(complete, chosen, strict=True) if is_on]


def _not_confirmed(study: Study) -> dict[str, _Confirming]:
    """What is selected and not confirmed, by the key of the trial that confirms it."""
    if study.config.confirm is None:
        return {}
    now = int(1000 * time.time())
    found = [
        _Confirming(attempt, study.config.confirming_spec(attempt.spec), now)
        for attempt in _selected(study)
    ]
    return {each.spec.key: each for each in found if each.spec.key not in study.confirmations}


def _not_assessed(study: Study) -> dict[str, tuple[AssessmentSpec, Attempt]]:
    """What is selected and not assessed, by its assessment's key."""
    waiting = {}
    for attempt in _selected(study):
        trial = attempt.spec
        if study.config.confirm is not None:
            trial = study.config.confirming_spec(trial)
            if trial.key not in study.confirmations:
                continue
        spec = AssessmentSpec(trial=trial)
        if spec.key not in study.assessments:
            waiting[spec.key] = spec, attempt
    return waiting
