"""The scheduler's one policy, on an executor that does what a test says."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sweep.artifacts import ArtifactStore
from sweep.configuration import ClassifierTraining
from sweep.coordinator import scheduler as scheduler_module
from sweep.coordinator.events import Done, Event, GivenUp, Hungry, Retried
from sweep.coordinator.scheduler import Scheduler
from sweep.errors import DataError, DivergedError, OutageError
from sweep.execution import Failed, FailureKind, Task
from sweep.home import Home
from sweep.results import DrawResult, EncoderRecord
from sweep.search.attempt import Cause
from sweep.specs import SPEC, AssessmentSpec, ModelSpec, Spec
from tests.coordinator.executors import Elastic, Ending
from tests.coordinator.work import draw_result, made, train, trial

DIED = Failed(FailureKind.DIED, "its worker was killed")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path)
    home.create()
    return home


def well(task: Task) -> str:
    """What a worker gives that does its task, wherever its disk is."""
    return made(SPEC.validate_json(task.payload))


def ending(of: Callable[[Spec], Failed | None]) -> Ending:
    """Tasks end well, but for those of which ``of`` says otherwise."""
    return lambda task: of(SPEC.validate_json(task.payload)) or well(task)


def run(home: Home, executor: Elastic, wanted: list[Spec]) -> list[Event]:
    scheduler = Scheduler(executor, ArtifactStore(home))
    for spec in wanted:
        scheduler.want(spec)
    return list(scheduler.events(lambda: executor.looked > 500))


def of_kind(events: list[Event], kind: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("rows", [1, 3, 6])
def test_an_encoder_that_kills_its_worker_is_tried_three_times(home: Home, rows: int) -> None:
    """However many rows wait for it; then all of them are given up, with its reason."""
    executor = Elastic(ending(lambda spec: DIED if spec.kind == "encoder" else None))
    draws = [trial(2, hidden).outer_draws[0] for hidden in range(1, rows + 1)]
    events = run(home, executor, [*draws, *trial(None, 1).outer_draws])
    encoder = trial(2, 1).encoder(0)
    assert executor.begun.count(encoder.key) == 3
    assert len(of_kind(events, Retried)) == 2
    lost = [event for event in events if isinstance(event, GivenUp)]
    assert {event.spec.key for event in lost} == {draw.key for draw in draws}
    assert {event.failure.cause for event in lost} == {Cause.WORKER_DIED}
    assert {event.failure.message for event in lost} == {f"{encoder.label}: {DIED.message}"}
    assert len(of_kind(events, Done)) == 1


@pytest.mark.parametrize("grows", [True, False])
def test_progress_lets_the_counting_begin_anew(home: Home, grows: bool) -> None:
    """An encoder whose checkpoint grows may die as often as it likes, and ends.

    One that is written again, and holds no more than before, is no progress.
    """
    checkpoint = home.checkpoints / trial(2, 1).encoder(0).key
    deaths = itertools.count(1)

    def die_further_on(spec: Spec) -> Failed | None:
        if spec.kind != "encoder" or (death := next(deaths)) > 10:
            return None
        checkpoint.write_bytes(bytes(100 + death if grows else 100))
        return DIED

    events = run(home, Elastic(ending(die_further_on)), list(trial(2, 1).outer_draws))
    assert bool(of_kind(events, GivenUp)) is not grows
    assert next(deaths) == (12 if grows else 4)


def test_a_worker_s_word_is_believed(home: Home) -> None:
    """An executor whose workers have another disk: each encoder is submitted once."""
    executor = Elastic(well, workers=2)
    events = run(home, executor, [d for h in (1, 2) for d in trial(2, h, draws=2).outer_draws])
    assert max(Counter(executor.begun).values()) == 1
    results = [type(event.result) for event in events if isinstance(event, Done)]
    assert Counter(results) == {EncoderRecord: 2, DrawResult: 4}
    assert not any(ArtifactStore(home).encoders.has(key) for key in executor.begun)


def test_what_the_home_has_is_not_made(home: Home) -> None:
    """An encoder that was trained before begins nowhere, and neither does a draw that is kept."""
    once = ClassifierTraining(epochs=1, batch_size=10, learning_rate=0.1)
    spec = trial(2, 1).model_copy(update={"classifier": once})
    encoder, (draw,) = spec.encoder(0), spec.outer_draws
    store = ArtifactStore(home)
    store.encoders.get_or_make(encoder, partial(train, encoder))
    executor = Elastic(well)
    run(home, executor, [draw])
    assert executor.begun == [draw.key]
    store.draws.keep(draw, draw_result(draw))
    (event,) = of_kind(run(home, executor, [draw]), Done)
    assert event == Done(draw, draw_result(draw), None)
    assert executor.begun == [draw.key]


@pytest.mark.parametrize(
    ("failed", "cause"),
    [
        (Failed(FailureKind.TIMED_OUT, "too long"), Cause.TIMED_OUT),
        (Failed(FailureKind.RAISED, "no", ValueError("no"), "trace"), Cause.ERROR),
        (Failed(FailureKind.RAISED, "nan", DivergedError("nan", hint="none")), Cause.DIVERGED),
    ],
)
def test_what_would_happen_again_is_not_tried_again(
    home: Home, failed: Failed, cause: Cause
) -> None:
    """A time limit, an exception, a divergence: final, for encoders and draws alike."""
    for kind in ("encoder", "draw"):

        def end(spec: Spec, failing: str = kind) -> Failed | None:
            return failed if spec.kind == failing else None

        executor = Elastic(ending(end))
        (event,) = of_kind(run(home, executor, list(trial(2, 1).outer_draws)), GivenUp)
        assert isinstance(event, GivenUp)
        assert event.failure.cause is cause
        assert max(Counter(executor.begun).values()) == 1


def test_a_failure_of_others_is_told_by_its_name_in_the_study(home: Home) -> None:
    """Specs know nothing of what a study varies; whoever schedules them does."""
    executor = Elastic(ending(lambda spec: DIED if spec.kind == "encoder" else None))
    label = {"encoder": "the first encoder", "draw": "its draw"}
    scheduler = Scheduler(executor, ArtifactStore(home), None, lambda spec: label[spec.kind])
    scheduler.want(trial(2, 1).outer_draws[0])
    events = list(scheduler.events(lambda: executor.looked > 500))
    (given_up,) = of_kind(events, GivenUp)
    assert isinstance(given_up, GivenUp)
    assert given_up.failure.message == f"the first encoder: {DIED.message}"


def test_workers_may_come_and_go(home: Home) -> None:
    """None, two, none, one: nothing is lost, and the end is not mistaken for a pause."""
    executor = Elastic(well, workers=0)
    draws = [draw for h in range(1, 7) for draw in trial(2, h).outer_draws]
    scheduler = Scheduler(executor, ArtifactStore(home))
    for draw in draws:
        scheduler.want(draw)
    done = set()
    for event in scheduler.events(lambda: executor.looked > 500):
        executor.workers = {0: 0, 1: 2, 2: 0}.get(executor.looked // 3, 1)
        if isinstance(event, Done):
            done.add(event.spec.key)
    assert {draw.key for draw in draws} <= done
    assert executor.looked < 500


@pytest.mark.parametrize("at_first", [0, 1])
def test_no_worker_is_no_end(home: Home, at_first: int) -> None:
    """Where more would be wanted, and nobody is free to ask for it: at the start, and between."""
    executor = Elastic(well, workers=at_first)
    left = [trial(None, hidden).outer_draws[0] for hidden in range(1, 4)]
    scheduler = Scheduler(executor, ArtifactStore(home))
    ended, under_way, back = 0, 0, 3
    for event in scheduler.events(lambda: executor.looked > 500):
        if isinstance(event, Hungry) and left and not under_way:  # one at a time
            scheduler.want(left.pop())
            under_way += 1
        if isinstance(event, Done):
            ended, under_way = ended + 1, under_way - 1
            executor.workers, back = 0, executor.looked + 3
        if executor.looked >= back:
            executor.workers = 1
    assert (ended, left) == (3, [])


def test_a_lost_slot_costs_nothing_but_is_bounded(home: Home) -> None:
    """More losses than deaths are forgiven; one that is lost for ever is given up."""
    lost, losses = Failed(FailureKind.LOST, "its node is gone"), itertools.count()
    executor = Elastic(ending(lambda _: lost if next(losses) < 10 else None))
    assert len(of_kind(run(home, executor, list(trial(None, 1).outer_draws)), Done)) == 1
    executor = Elastic(lambda _: lost)
    (event,) = of_kind(run(home, executor, list(trial(None, 1).outer_draws)), GivenUp)
    assert isinstance(event, GivenUp)
    assert event.failure.message == "its node is gone"
    assert len(executor.begun) == 20


@pytest.mark.parametrize(
    "wanted",
    [
        trial(None, 1).outer_draws[0],
        AssessmentSpec(trial=trial(None, 1)),
        ModelSpec(trial=trial(None, 1), draw=0, member=0),
    ],
    ids=lambda spec: spec.kind,
)
def test_every_phase_has_the_same_policy(
    home: Home, wanted: Spec, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A killed worker is replaced and a full disk waited for, whatever the task is for."""
    monkeypatch.setattr(scheduler_module, "_OUTAGE_PAUSE_SECONDS", 0.01)
    full = OutageError("the disk is full", hint="free some space")
    failures = [Failed(FailureKind.RAISED, "full", full), DIED, DIED, None]
    endings = iter(failures)
    executor = Elastic(ending(lambda _: next(endings)))
    events = run(home, executor, [wanted])
    assert len(of_kind(events, Done)) == 1
    assert not of_kind(events, GivenUp)
    assert "the disk is full; waiting for it (free some space)." in caplog.text
    assert "taken again" in caplog.text


def test_an_outage_that_lasts_ends_the_study(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before patience is at an end; nobody is blamed for it."""
    monkeypatch.setattr(scheduler_module, "_OUTAGE_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(scheduler_module, "PATIENCE_SECONDS", 0.0)
    full = Failed(FailureKind.RAISED, "full", OutageError("the disk is full", hint="free some"))
    with pytest.raises(OutageError, match="the disk is full"):
        run(home, Elastic(lambda _: full), list(trial(None, 1).outer_draws))


@pytest.mark.parametrize("keeps", [True, False])
def test_an_outage_is_over_when_something_was_kept(
    home: Home, keeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if no task has ended since: patience with the next one begins anew."""
    monkeypatch.setattr(scheduler_module, "_OUTAGE_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(scheduler_module, "PATIENCE_SECONDS", 0.0)
    full = Failed(FailureKind.RAISED, "full", OutageError("the disk is full", hint="free some"))
    checkpoint = home.checkpoints / trial(2, 1).encoder(0).key
    outages = itertools.count(1)

    def full_now_and_then(spec: Spec) -> Failed | None:
        if spec.kind != "encoder" or (outage := next(outages)) > 3:
            return None
        if keeps:
            checkpoint.write_bytes(bytes(100 * outage))
        return full

    draws: list[Spec] = [*trial(2, 1).outer_draws]
    executor = Elastic(ending(full_now_and_then))
    if keeps:
        assert len(of_kind(run(home, executor, draws), Done)) == 2
    else:
        with pytest.raises(OutageError, match="the disk is full"):
            run(home, executor, draws)


def test_data_that_changed_ends_the_study(home: Home) -> None:
    """Every other task would meet it."""
    gone = Failed(FailureKind.RAISED, "gone", DataError("the dataset changed", hint="put it back"))
    with pytest.raises(DataError, match="the dataset changed"):
        run(home, Elastic(lambda _: gone), list(trial(None, 1).outer_draws))


def test_more_is_wanted_when_a_worker_is_free(home: Home) -> None:
    """The scheduler asks, and ends when it is given nothing more."""
    executor, left = Elastic(well, workers=2), [trial(None, h).outer_draws[0] for h in range(1, 6)]
    scheduler = Scheduler(executor, ArtifactStore(home))
    done = 0
    for event in scheduler.events(lambda: executor.looked > 500):
        if isinstance(event, Hungry) and left:
            scheduler.want(left.pop())
        done += isinstance(event, Done)
    assert done == 5


def test_an_encoder_that_is_gone_is_made_again(home: Home) -> None:
    """What needs it was lost, because it was damaged and set aside: it begins after it."""
    (draw,) = trial(2, 1).outer_draws
    lost = iter([Failed(FailureKind.LOST, "the encoder is damaged")])
    executor = Elastic(ending(lambda spec: next(lost, None) if spec.kind == "draw" else None))
    events = run(home, executor, [draw])
    assert executor.begun == [draw.needs[0].key, draw.key] * 2
    assert [event.spec for event in events if isinstance(event, Done)][-1] == draw


class Choosy(Elastic):
    """Its one worker does no encoders before it was looked at often."""

    def takes(self, kind: str) -> bool:
        return super().takes(kind) and (kind != "encoder" or self.looked > 20)


def test_a_task_waits_for_a_worker_of_its_kind(home: Home) -> None:
    """And what others can do is done meanwhile."""
    executor = Choosy(well)
    (draw,) = trial(2, 1).outer_draws
    pixels = [trial(None, hidden).outer_draws[0] for hidden in range(1, 4)]
    events = run(home, executor, [draw, *pixels])
    assert executor.begun == [*(each.key for each in pixels), draw.needs[0].key, draw.key]
    assert len(of_kind(events, Done)) == 5
