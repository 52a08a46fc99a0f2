"""Scoring on the test partition what a study has selected, once, when all its trials have ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sweep.coordinator.loop import Snapshot, WorkerView
from sweep.errors import InputError
from sweep.evaluation import kept_assessment
from sweep.execution import Executor, Failed, Task
from sweep.home import Home
from sweep.reports.comparison import selected
from sweep.reports.rows import Measured
from sweep.search.attempt import Attempt
from sweep.search.study import Study
from sweep.trial import Assessment, AssessmentSpec

log = logging.getLogger("sweep")

_TICK_SECONDS = 0.2


def assess(
    study: Study,
    executor: Executor,
    home: Home,
    watch: Callable[[Snapshot], None],
    stopping: Callable[[], bool],
) -> None:
    """Assess what the study has selected and nothing has assessed yet.

    The workers keep each assessment in the home. One that fails costs the report its line, and the
    next run of the study tries it again.

    Raises:
        InputError: the data or the home cannot be used any more.
    """
    waiting = _not_assessed(study, home)
    running: dict[str, Attempt] = {}
    news: list[str] = []
    began, done = time.monotonic(), 0
    while (waiting or running) and not stopping():
        while waiting and executor.free:
            key, attempt = waiting.popitem()
            running[key] = attempt
            spec = AssessmentSpec(trial=attempt.spec)
            executor.submit(Task(key, spec.model_dump_json()))
        for outcome in executor.wait(_TICK_SECONDS):
            attempt = running.pop(outcome.task.id)
            label = f"trial {attempt.number}: {attempt.spec.label}"
            if isinstance(outcome.result, Failed):
                if isinstance(outcome.result.error, InputError):
                    raise outcome.result.error
                log.warning("%s: not assessed: %s", label, outcome.result.message)
                continue
            done += 1
            accuracy = Assessment.model_validate_json(outcome.result).accuracy
            news.append(f"{label}: assessed: {100 * accuracy:.2f} % on the test partition")
        left = len(waiting) + len(running)
        watch(
            Snapshot(
                progress=study.progress,
                workers=[
                    WorkerView(number, f"assessing {running[task.id].spec.label}", fraction)
                    for number, (task, fraction) in executor.running().items()
                ],
                best=study.best,
                seconds_left=(time.monotonic() - began) / done * left if done else None,
                news=news,
            )
        )
        news = []


def _not_assessed(study: Study, home: Home) -> dict[str, Attempt]:
    """What has been selected, by its assessment's key."""
    complete = [(attempt, attempt.result) for attempt in study.attempts if attempt.result]
    chosen = selected([Measured(attempt.spec, result) for attempt, result in complete])
    specs = {
        AssessmentSpec(trial=attempt.spec).key: attempt
        for (attempt, _), is_selected in zip(complete, chosen, strict=True)
        if is_selected
    }
    return {key: attempt for key, attempt in specs.items() if kept_assessment(key, home) is None}
