"""The slots of a cluster: they come and go with its nodes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from sweep.execution.looks import Looks
from sweep.execution.ray.courier import Courier, Facts
from sweep.execution.ray.nodes import Nodes, reaching
from sweep.execution.ray.placement import ENCODER, Demands, SlotKind, changes, room
from sweep.execution.ray.slot import Slot
from sweep.machine import environment

log = logging.getLogger("sweep")

_SURVEY_SECONDS = 1.0
_PAUSE_SECONDS = 5.0
"""After a slot that could not be set up."""
_PATIENCE_SECONDS = 30.0
"""Without a slot, until that is told."""
_MUST_AGREE = ("latent-sweep", "tensorflow", "keras", "numpy")
_METHODS_AT_ONCE = 3


class Fleet:
    """As many slots as there is room for."""

    def __init__(
        self,
        ray: Any,
        setup: tuple[Any, ...],
        demands: Demands,
        most: int | None,
        note: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """Begin without a slot.

        Args:
            ray: the module, of a session.
            setup: what a courier is made with.
            demands: what tasks need of a node.
            most: slots at once; None for as many as there is room for.
            note: is told the environment of every node that is used.
        """
        self._ray = ray
        self._setup = setup
        self._demands = demands
        self._most = most
        self._note = note
        self._nodes = Nodes(ray)
        self._here = environment()
        self._next_survey = 0.0
        self._number = 0
        self._refused: dict[str, str] = {}
        """Nodes that are not used, and why."""
        self._cpus: dict[str, str] = {}
        """The CPU of every node that was used, by node."""
        self._told = set[str]()
        self._asked_for = set[bool]()
        """Whether a slot was asked for encoders, and whether for others."""
        self._surveys = Looks(2 * _SURVEY_SECONDS)
        self._without = 0.0
        """Seconds in which it was looked for slots, and there was none for some task."""
        self.slots: list[Slot] = []

    @property
    def busy(self) -> list[Slot]:
        """Those that have a task."""
        return [slot for slot in self.slots if slot.errand is not None]

    def free_for(self, kind: str) -> Slot | None:
        """A slot that can take a task of this kind now, if there is one.

        One for other tasks, too, where there is room for no slot of the right kind: if it has the
        GPUs.
        """
        is_encoder = kind == ENCODER
        self._asked_for.add(is_encoder)
        own = [slot for slot in self.slots if is_encoder in slot.kind.is_for]
        for slot in own or self.slots:
            if slot.is_free and self._demands.suits(slot.kind, encoder=is_encoder):
                return slot
        return None

    def survey(self) -> None:
        """See which nodes there are, and ask for slots or give some up, if it is time.

        Raises:
            OutageError: the cluster's head is out of reach.
        """
        now = time.monotonic()
        alive = self._nodes.alive()
        if now < self._next_survey or alive is None:
            return
        self._next_survey = now + _SURVEY_SECONDS
        since = self._surveys.again()
        for slot in [each for each in self.slots if each.is_free]:
            if slot.facts is not None and slot.facts.node not in alive:
                self.drop(slot, ConnectionError("its node is gone"))
        nodes = [resources for node, resources in alive.items() if node not in self._refused]
        for kind, wanted in zip(
            self._demands.kinds, room(nodes, self._demands, self._most), strict=True
        ):
            slots = [slot for slot in self.slots if slot.kind == kind]
            waiting = [slot for slot in slots if slot.facts is None]
            more, less = changes(wanted, len(slots), len(waiting))
            for _ in range(more):
                self._ask(kind)
            for slot in waiting[:less]:
                self._remove(slot)  # nothing was done with it, and there may never be room for it
        self._tell_if_without(since)

    def arrived(self, timeout: float) -> Iterator[tuple[Slot, Any]]:
        """What has arrived of what was asked of slots, waiting for the first of it.

        Raises:
            OutageError: the cluster's head is out of reach.
        """
        asked = {}
        for slot in self.slots:
            if slot.facts is None:
                asked[slot.ready] = slot
            elif slot.errand is not None:
                asked |= {
                    reference: slot
                    for reference in (slot.errand.delivered, slot.errand.look)
                    if reference is not None
                }
        if not asked:
            time.sleep(timeout)
            return
        with reaching():
            found, _ = self._ray.wait(list(asked), num_returns=1, timeout=timeout)
            if found:
                found, _ = self._ray.wait(list(asked), num_returns=len(asked), timeout=0)
        yield from ((asked[reference], reference) for reference in found)

    def welcome(self, slot: Slot, facts: Facts) -> None:
        """A slot is ready; it is used if its node makes what this machine would make."""
        theirs, ours = facts.environment["packages"], self._here["packages"]
        differs = [
            f"{name} {theirs.get(name)} and not {ours[name]}"
            for name in _MUST_AGREE
            if theirs.get(name) != ours[name]
        ]
        commits = [each["git_revision"] for each in (facts.environment, self._here)]
        if None not in commits and commits[0] != commits[1]:
            differs.append("latent-sweep at commit {:.9} and not {:.9}".format(*commits))
        if differs:
            self._refused[facts.node] = ", ".join(differs)
            self._tell_once(
                f"The node {facts.host} is not used: it has {self._refused[facts.node]}. Results "
                "depend on them; install the same there."
            )
            self._remove(slot)
            return
        slot.facts = facts
        if facts.node not in self._cpus:
            self._cpus[facts.node] = facts.environment["cpu"]
            self._note(facts.environment)
            kinds = sorted(set(self._cpus.values()))
            if len(kinds) > 1:
                self._tell_once(
                    f"The nodes have different CPUs ({'; '.join(kinds)}): what is trained on one "
                    "kind differs from another's in its last bits."
                )

    def drop(self, slot: Slot, error: Exception) -> None:
        """A slot is gone; another one takes its place as soon as there is room."""
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if slot.facts is None:
            self._next_survey = time.monotonic() + _PAUSE_SECONDS
            self._tell_once(f"A worker could not be set up on the cluster: {reason:.300}")
        else:
            log.warning("The worker %s is gone: %.300s", slot.name, reason)
        self._remove(slot)

    def disband(self) -> None:
        """End all slots at once, and ask for no more."""
        self._next_survey = float("inf")
        self._nodes.close()
        for slot in list(self.slots):
            self._remove(slot)
            if slot.errand is not None:
                slot.errand.end()

    def _ask(self, kind: SlotKind) -> None:
        self._number += 1
        options: dict[str, Any] = {
            "num_cpus": kind.cpus,
            "num_gpus": kind.gpus,
            "resources": dict(self._demands.resources),
            "scheduling_strategy": "SPREAD",
            "max_restarts": 0,
            "max_task_retries": 0,
            "max_concurrency": _METHODS_AT_ONCE,
        }
        if self._refused:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(self._refused)})"}
        courier = self._ray.remote(Courier).options(**options).remote(*self._setup)
        self.slots.append(Slot(self._number, kind, courier, courier.ready.remote()))

    def _remove(self, slot: Slot) -> None:
        self.slots.remove(slot)
        with suppress(Exception):  # it is gone, or the whole cluster is
            self._ray.kill(slot.courier)

    def _tell_if_without(self, seconds: float) -> None:
        """Say that nothing can be done, once it has been so for a while."""
        kinds = {slot.kind for slot in self.slots if slot.facts is not None}
        if kinds and all(
            any(self._demands.suits(kind, encoder=is_encoder) for kind in kinds)
            for is_encoder in self._asked_for
        ):
            self._without = 0.0
            self._told.discard(_NO_ROOM)
            return
        self._without += seconds
        if self._without > _PATIENCE_SECONDS:
            self._tell_once(_NO_ROOM)

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            log.warning("%s", line)


_NO_ROOM = (
    "No node of the cluster has room for a task; the study waits for one "
    "(execution.ray says what a task needs)."
)
