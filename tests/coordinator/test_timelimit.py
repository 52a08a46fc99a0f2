"""What still begins when time is short."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweep.artifacts import ArtifactStore
from sweep.coordinator.estimate import task_kind
from sweep.coordinator.events import Done, Event, Hungry
from sweep.coordinator.scheduler import Scheduler
from sweep.coordinator.timelimit import TimeLimit
from sweep.execution import Task
from sweep.home import Home
from sweep.specs import SPEC, AssessmentSpec, Spec
from tests.coordinator.executors import Elastic
from tests.coordinator.work import made, trial


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path)
    home.create()
    return home


def run(home: Home, limit: TimeLimit, wanted: list[Spec]) -> tuple[Elastic, list[Event]]:
    def well(task: Task) -> str:
        return made(SPEC.validate_json(task.payload))

    executor = Elastic(well)
    scheduler = Scheduler(executor, ArtifactStore(home), limit)
    for spec in wanted:
        scheduler.want(spec)
    return executor, list(scheduler.events(lambda: executor.looked > 500))


def test_what_would_not_end_in_time_is_held_back(home: Home) -> None:
    """What is quicker begins, what has no pace may; then it is left, and nothing more is asked."""
    slow, quick = trial(2, 1).outer_draws[0], trial(None, 1).outer_draws[0]
    limit = TimeLimit(100)
    limit.note(slow, 1000)
    executor, events = run(home, limit, [slow, quick])
    assert executor.begun == [trial(2, 1).encoder(0).key, quick.key]
    assert sum(isinstance(event, Done) for event in events) == 2
    assert not any(isinstance(event, Hungry) for event in events)
    assert limit.holds_back
    assert not limit.is_up


def test_without_a_limit_all_begins(home: Home) -> None:
    """However long others of its kind took."""
    draws = trial(2, 1, draws=3).outer_draws
    limit = TimeLimit()
    limit.note(draws[0], 1e9)
    executor, _ = run(home, limit, list(draws))
    assert len(executor.begun) == 6
    assert not limit.holds_back


def test_time_is_kept_for_the_end() -> None:
    """A tenth of it, and never more than half a minute."""
    for seconds, works in {100: 90, 10_000: 9_970}.items():
        for took, fits in ((works - 1, True), (works + 1, False)):
            limit = TimeLimit(seconds)
            limit.note(trial(None, 1).outer_draws[0], took)
            assert limit.allows("pixels") is fits
            assert limit.allows("pixels", "vae")
    assert TimeLimit(0).is_up


def test_kinds_of_tasks() -> None:
    """An encoder, a draw and an assessment of one representation have paces of their own."""
    spec = trial(2, 1)
    tasks = (spec.encoder(0), spec.outer_draws[0], AssessmentSpec(trial=spec))
    assert [task_kind(task) for task in tasks] == ["vae encoder", "vae", "vae assessment"]
