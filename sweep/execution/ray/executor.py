"""Workers on the nodes of a Ray cluster."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sweep.artifacts import ArtifactStore, NotWholeError
from sweep.errors import DataError, OutageError
from sweep.execution.base import Failed, FailureKind, Outcome, Task, WorkFunction
from sweep.execution.ray.courier import Delivered, relocated
from sweep.execution.ray.exchange import Exchange, MissingError
from sweep.execution.ray.fleet import Fleet
from sweep.execution.ray.nodes import reaching
from sweep.execution.ray.placement import Demands
from sweep.execution.ray.slot import Errand, Slot
from sweep.home import Home

log = logging.getLogger("sweep")

_CLOSING_SECONDS = 10.0


class RayExecutor:
    """A slot for each task that the cluster has room for; see :class:`Executor`.

    What a task reads goes to its node, and what it writes comes back, by content; this process
    alone publishes it in the home.
    """

    def __init__(
        self,
        ray: Any,
        store: ArtifactStore,
        prepare: Callable[[Home], WorkFunction],
        timeout: float,
        logs: Path,
        demands: Demands,
        most: int | None = None,
        note: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        """Slots are asked for at once, and are there when their nodes are ready.

        Args:
            ray: the module, of a session.
            store: the home's, where what tasks made is published.
            prepare: called in each worker process with its node's home; it is pickled.
            timeout: seconds that a task may take.
            logs: directory for what workers print, a file for each slot.
            demands: what tasks need of a node.
            most: slots at once; None for as many as there is room for.
            note: is told the environment of every node that is used, before any result of it.
        """
        logs.mkdir(parents=True, exist_ok=True)
        self._ray = ray
        self._logs = logs
        self._exchange = Exchange(ray, store)
        run = secrets.token_hex(8)
        self._fleet = Fleet(ray, (run, prepare, timeout), demands, most, note)
        self._fleet.survey()

    @property
    def workers(self) -> int:
        return sum(slot.facts is not None for slot in self._fleet.slots)

    @property
    def free(self) -> int:
        return sum(slot.is_free for slot in self._fleet.slots)

    def takes(self, kind: str) -> bool:
        return self._fleet.free_for(kind) is not None

    def submit(self, task: Task) -> None:
        slot = self._fleet.free_for(task.kind)
        assert slot is not None
        slot.errand = Errand(task)

    def wait(self, timeout: float) -> list[Outcome]:
        deadline = time.monotonic() + timeout
        self._fleet.survey()
        ended = [outcome for slot in self._fleet.busy for outcome in self._send(slot)]
        for slot in self._fleet.busy:
            assert slot.errand is not None
            if slot.errand.is_look_due:
                with reaching():
                    slot.errand.look = slot.courier.look.remote()
        left = 0.0 if ended else max(0.0, deadline - time.monotonic())
        for slot, reference in self._fleet.arrived(left):
            if slot in self._fleet.slots:  # it may have gone by what arrived before
                ended += self._take(slot, reference)
        return ended

    def running(self) -> Mapping[str, tuple[Task, float]]:
        return {
            slot.name: (slot.errand.task, slot.errand.fraction)
            for slot in self._fleet.slots
            if slot.errand is not None
        }

    def close(self) -> None:
        """Stop all workers, wherever they are; checkpoints are brought home before."""
        slots = [slot for slot in self._fleet.slots if slot.facts is not None]
        if slots:
            self._bring_home(slots)
        self._fleet.disband()

    def _bring_home(self, slots: Sequence[Slot]) -> None:
        """Close slots, and take what they have left; of a cluster that is gone there is nothing."""
        with suppress(OutageError), reaching():
            closing = {slot.courier.close.remote(): slot for slot in slots}
            done, _ = self._ray.wait(
                list(closing), num_returns=len(closing), timeout=_CLOSING_SECONDS
            )
            for reference in done:
                self._take_last(closing[reference], reference)

    def _send(self, slot: Slot) -> list[Outcome]:
        """Send what a slot was given, as soon as nobody else makes the same."""
        errand = slot.errand
        assert errand is not None
        if errand.held is not None:
            return []
        errand.held = self._exchange.hold(errand.task)
        if errand.held is None:
            return []
        record = self._exchange.made_already(errand.task)
        if record is not None:
            return [self._end(slot, record)]
        try:
            reads = self._exchange.sent(errand.task)
        except MissingError as error:
            return [self._end(slot, Failed(FailureKind.LOST, str(error)))]
        except DataError as error:
            return [self._end(slot, Failed(FailureKind.RAISED, error.message, error))]
        with reaching():
            errand.delivered = slot.courier.run.remote(errand.task, reads)
        return []

    def _take(self, slot: Slot, reference: Any) -> list[Outcome]:
        """Take what has arrived of a slot's."""
        try:
            arrived = self._ray.get(reference)
        except Exception as error:  # whatever Ray raises for an actor, a node or an object
            return self._lose(slot, error)
        errand = slot.errand
        if reference == slot.ready:
            self._fleet.welcome(slot, arrived)
        elif errand is not None and reference == errand.delivered:
            result = self._exchange.settle(errand.task, arrived)
            self._append_log(slot, arrived)
            if isinstance(result, Failed):
                assert slot.facts is not None
                result = relocated(result, slot.facts.log, self._log(slot))
            return [self._end(slot, result)]
        elif errand is not None and reference == errand.look:
            errand.look, errand.looked_at = None, time.monotonic()
            errand.fraction = max(errand.fraction, arrived.fraction)
            try:
                self._exchange.publish(errand.task, arrived.changed)
            except (NotWholeError, OSError) as error:  # the next look, or the end, brings it again
                log.info("%s: %s", errand.task.id, error)
        return []

    def _lose(self, slot: Slot, error: Exception) -> list[Outcome]:
        """A slot is gone, and with it what it did."""
        self._fleet.drop(slot, error)
        if slot.errand is None:
            return []
        lost = Failed(FailureKind.LOST, f"the worker {slot.name} is gone")
        return [self._end(slot, lost)]

    def _end(self, slot: Slot, result: str | Failed) -> Outcome:
        errand, slot.errand = slot.errand, None
        assert errand is not None
        errand.end()
        return Outcome(errand.task, result)

    def _take_last(self, slot: Slot, reference: Any) -> None:
        """What a slot that was closed has left."""
        try:
            last = self._ray.get(reference)
            if slot.errand is not None:
                self._exchange.publish(slot.errand.task, last.made)
            self._append_log(slot, last)
        except Exception as error:  # it is gone already, or the home takes nothing
            log.info("%s: %s", slot.name, error)

    def _append_log(self, slot: Slot, delivered: Delivered) -> None:
        """Keep what a worker printed; a disk that is full is an outage of what was made alone."""
        if not delivered.log:
            return
        try:
            with self._log(slot).open("ab") as file:
                file.write(delivered.log)
        except OSError as error:
            log.info("%s: its log is not kept: %s", slot.name, error)

    def _log(self, slot: Slot) -> Path:
        return self._logs / f"{slot.name.replace(' ', '-')}.log"
