"""What a study has selected: confirmed on fresh draws, and scored on the test partition.

Both come when all trials have ended, once each, as runs of the scheduler. What cannot be made costs
the report its line, and the next run of the study tries it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from sweep.artifacts import ArtifactStore
from sweep.coordinator.assembly import Assembly
from sweep.coordinator.encoders import Encoders
from sweep.coordinator.events import (
    Activity,
    Begun,
    Done,
    Event,
    GivenUp,
    Progressed,
    Retried,
    begins_again,
)
from sweep.coordinator.labels import Labels
from sweep.coordinator.projector import Projector
from sweep.coordinator.reproduction import check_kept, check_trial, is_exact
from sweep.coordinator.scheduler import Scheduler
from sweep.coordinator.selected import selected_attempts
from sweep.coordinator.timelimit import TimeLimit
from sweep.coordinator.trials import Snapshot
from sweep.execution import Executor
from sweep.results import Assessment, DrawResult, EncoderRecord
from sweep.search.attempt import Attempt
from sweep.search.study import Study
from sweep.specs import AssessmentSpec, DrawSpec, Spec

log = logging.getLogger("sweep")


class _News:
    """Tells who watches how a phase goes."""

    def __init__(self, study: Study, watch: Callable[[Snapshot], None], tasks: int) -> None:
        self._study = study
        self._watch = watch
        self._left = tasks
        self._done = 0
        self._began = time.monotonic()
        self._lines: list[str] = []

    def done(self) -> None:
        """One of the tasks is done."""
        self._left -= 1
        self._done += 1

    def say(self, line: str) -> None:
        """Something has happened."""
        self._lines.append(line)

    def show(self, running: Mapping[str, Activity]) -> None:
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
        self._labels = Labels(study.config)
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
            len(self._unconfirmed()) > self.not_confirmed
            or len(self._unassessed()) > self.not_assessed
        )

    def confirm(self, stopping: Callable[[], bool]) -> None:
        """Train what was selected on draws that the search has not seen.

        Raises:
            InputError: the data or the home cannot be used any more.
        """
        waiting = self._unconfirmed()
        by_draw = {spec.key: each for each in waiting for spec in each.spec.outer_draws}
        news, given_up = _News(self._study, self._watch, len(by_draw)), set[str]()
        encoders = Encoders(self._store, self._projector, news.say, self._labels)
        wanted = [draw for each in waiting for draw in each.spec.outer_draws]
        for event in self._events(wanted, stopping):
            encoders.take(event)
            match event:
                case Begun(DrawSpec() as spec):
                    by_draw[spec.key].begin()
                case Done(_, EncoderRecord() as record):
                    self._study.note_encoder(record)
                case Done(DrawSpec() as spec, DrawResult() as draw):
                    each = by_draw[spec.key]
                    whole = each.take(draw)
                    if whole is not None:
                        self._study.note_confirmation(whole)
                        news.say(
                            f"{_label(each.attempt)}: confirmed: {100 * whole.accuracy:.2f} % on "
                            f"the test partition, in {each.spec.draws} fresh draws"
                        )
                    news.done()
                case Retried(spec, failure):
                    news.say(begins_again(self._labels(spec), failure))
                case GivenUp(DrawSpec() as spec, failure):
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
            InputError: the data or the home cannot be used any more; or what was selected does not
                come out as it is recorded.
        """
        waiting = self._unassessed()
        news = _News(self._study, self._watch, len(waiting))
        encoders = Encoders(self._store, self._projector, news.say, self._labels)
        for event in self._events([spec for spec, _ in waiting.values()], stopping):
            encoders.take(event)
            match event:
                case Done(spec, Assessment(accuracy=accuracy) as assessment):
                    self._check(*waiting[spec.key], assessment)
                    self._study.note_assessment(assessment.model_copy(update={"again": None}))
                    label = _label(waiting[spec.key][1])
                    news.say(f"{label}: assessed: {100 * accuracy:.2f} % on the test partition")
                    news.done()
                case Retried(spec, failure):
                    news.say(begins_again(self._labels(spec), failure))
                case GivenUp(spec, failure):
                    self.not_assessed += 1
                    label = _label(waiting[spec.key][1])
                    log.warning("%s: not assessed: %s", label, failure.message)
                    news.done()
                case Progressed(running):
                    news.show(running)
                    self._projector.project(())

    def _check(self, spec: AssessmentSpec, attempt: Attempt, assessment: Assessment) -> None:
        """See that what was scored is what was selected."""
        recorded, trial = self._study.recorded, spec.trial
        if assessment.again is None or not is_exact(
            trial, recorded.environments, recorded.encoders
        ):
            return
        before = recorded.confirmations.get(trial.key, attempt.result)
        assert before is not None  # it was selected by that
        check_trial(trial, before, assessment.again)
        check_kept(trial, self._store, assessment.again)

    def _unconfirmed(self) -> list[Assembly]:
        """What is selected and not confirmed."""
        config, known = self._study.config, self._study.confirmations
        if config.confirm is None:
            return []
        found = [
            Assembly(each, config.confirming_spec(each.spec))
            for each in selected_attempts(self._study.attempts)
        ]
        return [each for each in found if each.spec.key not in known]

    def _unassessed(self) -> dict[str, tuple[AssessmentSpec, Attempt]]:
        """What is selected and not assessed, by its assessment's key; what is to be confirmed
        first, only when it is.
        """
        config, waiting = self._study.config, {}
        for attempt in selected_attempts(self._study.attempts):
            trial = attempt.spec
            if config.confirm is not None:
                trial = config.confirming_spec(trial)
                if trial.key not in self._study.confirmations:
                    continue
            spec = AssessmentSpec(trial=trial)
            if spec.key not in self._study.assessments:
                waiting[spec.key] = spec, attempt
        return waiting

    def _events(self, wanted: Sequence[Spec], stopping: Callable[[], bool]) -> Iterator[Event]:
        scheduler = Scheduler(self._executor, self._store, self._limit, self._labels)
        for spec in wanted:
            scheduler.want(spec)
        return scheduler.events(stopping)


def _label(attempt: Attempt) -> str:
    return f"trial {attempt.number}: {attempt.label}"
