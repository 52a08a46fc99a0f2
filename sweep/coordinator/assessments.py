"""Scoring on the test partition what a study has selected, once, when all its trials have ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sweep.artifacts import ArtifactStore
from sweep.coordinator.scheduler import Done, GivenUp, Progressed, Scheduler
from sweep.coordinator.timelimit import TimeLimit
from sweep.coordinator.trials import Snapshot
from sweep.execution import Executor
from sweep.reports.comparison import selected
from sweep.reports.rows import Measured
from sweep.results import Assessment
from sweep.search.attempt import Attempt
from sweep.search.study import Study
from sweep.specs import AssessmentSpec

log = logging.getLogger("sweep")


def assess_selected(
    study: Study,
    executor: Executor,
    store: ArtifactStore,
    watch: Callable[[Snapshot], None],
    stopping: Callable[[], bool],
    limit: TimeLimit,
) -> int:
    """Assess what the study has selected and nothing has assessed yet; how many could not be.

    One that cannot be made costs the report its line, and the next run of the study tries it again.

    Raises:
        InputError: the data or the home cannot be used any more.
    """
    scheduler = Scheduler(executor, store, limit)
    left = not_assessed(study)
    for wanted, _ in left.values():
        scheduler.want(wanted)
    news: list[str] = []
    began, done, given_up = time.monotonic(), 0, 0
    for event in scheduler.events(stopping):
        match event:
            case Done(spec, Assessment(accuracy=accuracy) as assessment):
                done += 1
                study.note_assessment(assessment)
                label = _label(left.pop(spec.key)[1])
                news.append(f"{label}: assessed: {100 * accuracy:.2f} % on the test partition")
            case GivenUp(spec, failure):
                given_up += 1
                log.warning("%s: not assessed: %s", _label(left.pop(spec.key)[1]), failure.message)
            case Progressed(running):
                pace = (time.monotonic() - began) / done if done else None
                watch(
                    Snapshot(
                        progress=study.progress,
                        running=running,
                        best=study.best,
                        seconds_left=None if pace is None else pace * len(left),
                        news=news,
                    )
                )
                news = []
    return given_up


def _label(attempt: Attempt) -> str:
    return f"trial {attempt.number}: {attempt.spec.label}"


def not_assessed(study: Study) -> dict[str, tuple[AssessmentSpec, Attempt]]:
    """What the study has selected and nothing has assessed yet, by its assessment's key."""
    complete = [(attempt, attempt.result) for attempt in study.attempts if attempt.result]
    chosen = selected([Measured(attempt.spec, result) for attempt, result in complete])
    specs = [
        (AssessmentSpec(trial=attempt.spec), attempt)
        for (attempt, _), is_selected in zip(complete, chosen, strict=True)
        if is_selected
    ]
    return {
        spec.key: (spec, attempt) for spec, attempt in specs if spec.key not in study.assessments
    }
