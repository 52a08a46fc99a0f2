"""The only loop: what is wanted is handed to workers, and what comes of it becomes events.

It knows one policy for what goes wrong, whatever the piece of work and whatever it is for:
searching, assessing what was selected, or training a model that is registered.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from sweep.artifacts import ArtifactStore
from sweep.coordinator.estimate import task_kind
from sweep.coordinator.events import (
    Activity,
    Begun,
    Broken,
    Done,
    Event,
    GivenUp,
    Hungry,
    Progressed,
    Retried,
)
from sweep.coordinator.graph import Graph
from sweep.coordinator.timelimit import TimeLimit
from sweep.errors import DivergedError, InputError, OutageError, printable
from sweep.evaluation import RESULTS
from sweep.execution import Executor, Failed, FailureKind, Outcome, Task
from sweep.search.attempt import Cause, Failure
from sweep.search.patience import PATIENCE_SECONDS
from sweep.specs import Spec

log = logging.getLogger("sweep")

_TICK_SECONDS = 0.2
_OUTAGE_PAUSE_SECONDS = 5.0
_ENOUGH_TO_TELL = 0.02
"""The fraction of a task that was seen to be done from which on its pace is told."""


@dataclass(frozen=True)
class Rule:
    """What is done about a failure."""

    cause: Cause
    tries: int
    """How often a task is tried in all, without progress between: a checkpoint that grew since
    the last failure lets the counting begin anew."""


RULES: Mapping[FailureKind, Rule] = {
    FailureKind.DIED: Rule(Cause.WORKER_DIED, tries=3),
    FailureKind.LOST: Rule(Cause.WORKER_DIED, tries=20),
    FailureKind.TIMED_OUT: Rule(Cause.TIMED_OUT, tries=1),
    FailureKind.RAISED: Rule(Cause.ERROR, tries=1),
}
"""The policy. What is raised may say more: a DivergedError is a cause of its own, an OutageError is
waited for, and an InputError ends the study, because every other task would meet it."""


@dataclass
class _Running:
    """A task that was handed to a worker."""

    spec: Spec
    began: float
    first: tuple[float, float] | None = None
    """What was done of it when it was first seen to get on, and when: a training that goes on
    from a checkpoint has done much at once, and one that prepares itself nothing for a while."""

    def seconds_left(self, fraction: float, now: float) -> float | None:
        """See :class:`Activity`."""
        if self.first is None and fraction > 0:
            self.first = fraction, now
        if self.first is None:
            return None
        done, seconds = fraction - self.first[0], now - self.first[1]
        return seconds * (1 - fraction) / done if done >= _ENOUGH_TO_TELL else None


@dataclass
class _Tries:
    """How often a task has failed in one way since it last got on."""

    failed: int = 0
    progress: int = 0
    """The most that was ever kept of it."""


class Scheduler:
    """Makes what is wanted. Its consumers record, project and show; it does none of that."""

    def __init__(
        self,
        executor: Executor,
        store: ArtifactStore,
        limit: TimeLimit | None = None,
        label: Callable[[Spec], str] = attrgetter("label"),
    ) -> None:
        """Begin with nothing that is wanted.

        Args:
            executor: where tasks run.
            store: the home's, which may hold what is wanted or needed already.
            limit: holds back what would not end in time; nothing is by default.
            label: what a task is called.
        """
        self._executor = executor
        self._store = store
        self._limit = limit or TimeLimit()
        self._label = label
        self._graph = Graph(lambda encoder: store.encoders.has(encoder.key))
        self._running: dict[str, _Running] = {}
        self._tries: dict[tuple[str, FailureKind], _Tries] = {}
        self._failures: dict[str, Failure] = {}
        self._told: list[Event] = []
        self._is_sated = False
        """Whether nothing more was wanted when asked, and nothing has happened since."""
        self._is_held_back = False
        """Whether what could begin now is held back: it would not end in time."""
        self._outage_began: float | None = None
        self._kept: dict[str, int] = {}
        """How far tasks were when one met an outage."""
        self._resume_at = 0.0

    @property
    def waiting(self) -> Iterator[Spec]:
        """What is wanted, or needed, and does not run yet."""
        return self._graph.waiting

    def want(self, spec: Spec) -> None:
        """Have a spec made, and before it what it needs; what is kept already is done at once."""
        self._is_sated = False
        kept = self._store.result(spec)
        if kept is not None:
            self._told.append(Done(spec, kept, None))
            return
        broken = self._graph.want(spec)
        if broken is not None:
            self._told.append(GivenUp(spec, self._failures[broken]))

    def unwant(self, spec: Spec) -> None:
        """Do not begin a spec that is not wanted any more; one that runs goes on."""
        self._graph.unwant(spec.key)

    def events(self, stopping: Callable[[], bool]) -> Iterator[Event]:
        """Run until nothing is left to do that would end in time, or until ``stopping`` says so.

        In the latter case, tasks may still run.

        Raises:
            InputError: the data or the home cannot be used any more, or stayed out of reach.
        """
        while not stopping():
            yield from self._fill()
            nothing_begins = self._is_held_back or not len(self._graph)
            if self._is_sated and nothing_begins and not self._running:
                return
            yield Progressed(self._view())
            for outcome in self._executor.wait(_TICK_SECONDS):
                yield from self._settle(outcome)

    def _fill(self) -> Iterator[Event]:
        """Give every free worker something to do, as long as there is anything."""
        yield from self._tell()
        self._is_held_back = False
        while self._executor.free and time.monotonic() >= self._resume_at:
            spec = self._graph.begin(self._may_begin)
            if spec is None:
                self._is_sated = True
                if self._is_held_back:
                    return  # more of it would be held back, too
                yield Hungry()
                yield from self._tell()
                if self._is_sated:
                    return
                continue
            self._running[spec.key] = _Running(spec, time.monotonic())
            self._executor.submit(_task(spec))
            yield Begun(spec)

    def _may_begin(self, spec: Spec) -> bool:
        if not self._executor.takes(spec.kind):
            return False
        fits = self._limit.allows(task_kind(spec))
        self._is_held_back = self._is_held_back or not fits
        return fits

    def _tell(self) -> Iterator[Event]:
        while self._told:
            yield self._told.pop(0)

    def _view(self) -> Mapping[str, Activity]:
        now, found = time.monotonic(), {}
        for worker, (task, fraction) in self._executor.running().items():
            running = self._running[task.id]
            left = running.seconds_left(fraction, now)
            found[worker] = Activity(
                running.spec, self._label(running.spec), fraction, now - running.began, left
            )
        return found

    def _settle(self, outcome: Outcome) -> Iterator[Event]:
        self._is_sated = False
        ended = self._running.pop(outcome.task.id)
        spec = ended.spec
        if isinstance(outcome.result, Failed):
            yield from self._settle_failure(spec, outcome.result)
            return
        if self._outage_began is not None:
            self._outage_began = None
            log.warning("What is written is taken again, and the study goes on.")
        result = RESULTS[spec.kind].model_validate_json(outcome.result)
        self._graph.done(spec.key)
        seconds = time.monotonic() - ended.began
        self._limit.note(spec, seconds)
        yield Done(spec, result, seconds)

    def _settle_failure(self, spec: Spec, failed: Failed) -> Iterator[Event]:
        if isinstance(failed.error, InputError):
            raise failed.error
        if isinstance(failed.error, OutageError):
            self._graph.again(spec.key)
            self._wait_out(failed.error, spec)
            return
        failure = _failure(failed)
        if self._is_tried_again(spec, failed.kind):
            is_kept = self._store.encoders.has
            gone = [each for each in spec.needs if not is_kept(each.key)]
            self._graph.again(spec.key, gone if failed.kind is FailureKind.LOST else ())
            yield Retried(spec, failure)
            return
        of_others = failure.model_copy(
            update={"message": f"{self._label(spec)}: {failure.message}"}
        )
        self._failures[spec.key] = of_others
        yield Broken(spec, failure)
        for lost in self._graph.fail(spec.key):
            yield GivenUp(lost, failure if lost.key == spec.key else of_others)

    def _is_tried_again(self, spec: Spec, kind: FailureKind) -> bool:
        tries = self._tries.setdefault((spec.key, kind), _Tries())
        progress = self._store.progress(spec)
        if progress > tries.progress:
            tries.failed, tries.progress = 0, progress
        tries.failed += 1
        return tries.failed < RULES[kind].tries

    def _wait_out(self, outage: OutageError, met_by: Spec) -> None:
        """Begin nothing for a while; or give up, if waiting has not helped for long.

        What a task has kept since the last one says that this is another outage.
        """
        now = time.monotonic()
        running = [each.spec for each in self._running.values()]
        kept = {spec.key: self._store.progress(spec) for spec in (met_by, *running)}
        is_another = any(size > self._kept.get(key, 0) for key, size in kept.items())
        self._kept |= kept
        if self._outage_began is None or is_another:
            self._outage_began = now
            log.warning("%s; waiting for it (%s).", outage.message, outage.hint)
        elif now - self._outage_began > PATIENCE_SECONDS:
            raise outage
        self._resume_at = now + _OUTAGE_PAUSE_SECONDS


def _task(spec: Spec) -> Task:
    return Task(spec.key, spec.model_dump_json(), spec.kind, spec.reads, spec.writes)


def _failure(failed: Failed) -> Failure:
    diverged = isinstance(failed.error, DivergedError)
    return Failure(
        cause=Cause.DIVERGED if diverged else RULES[failed.kind].cause,
        message=printable(failed.message),
        traceback=failed.traceback,
        finished_at=int(time.time() * 1000),
    )
