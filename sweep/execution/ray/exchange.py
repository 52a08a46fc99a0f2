"""What the coordinator sends to nodes, and publishes of what comes back."""

from __future__ import annotations

import errno
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from filelock import Timeout

from sweep.artifacts import ArtifactStore, NotWholeError, Package, pack, unpack
from sweep.errors import DataError, HomeError, OutageError
from sweep.execution.base import Failed, FailureKind, Task
from sweep.execution.ray.courier import Delivered, Sent
from sweep.execution.ray.nodes import reaching
from sweep.files import set_aside
from sweep.home import locked
from sweep.specs import Artifact

_KEPT_AT_HAND = 64
"""Artifacts whose packages stay in Ray's object store, the latest: nodes keep what they had."""


class MissingError(Exception):
    """What a task needs is not there any more: it was damaged, and is to be made again."""


class Exchange:
    """Packages of the home's artifacts in Ray's object store, each put there once a version."""

    def __init__(self, ray: Any, store: ArtifactStore) -> None:
        self._ray = ray
        self._store = store
        self._at_hand = OrderedDict[Artifact, tuple[int, Any]]()

    def hold(self, task: Task) -> ExitStack | None:
        """Hold the locks of what a task makes, while it is out; None while others hold them."""
        held = ExitStack()
        for artifact in task.writes:
            shelf = self._store.directories.get(artifact.kind)
            if shelf is None:
                continue
            try:
                held.enter_context(locked(shelf.lock(artifact.key), wait=False))
            except Timeout:
                held.close()
                return None
        return held

    def made_already(self, task: Task) -> str | None:
        """The record of what a task makes, if it is there: another study may have made it."""
        for artifact in task.writes:
            shelf = self._store.directories.get(artifact.kind)
            if shelf is not None and shelf.is_whole(artifact.key):
                record = shelf.record(artifact.key)
                return None if record is None else str(record.model_dump_json())
        return None

    def sent(self, task: Task) -> list[Sent]:
        """What a task reads, as a courier is given it.

        Raises:
            MissingError: what it needs is damaged; it was set aside.
            DataError: the dataset is.
            OutageError: the cluster's head is out of reach.
        """
        return [self._sent(artifact) for artifact in task.reads]

    def _sent(self, artifact: Artifact) -> Sent:
        version = self._version(artifact)
        known = self._at_hand.get(artifact)
        if known is None or known[0] != version:
            package = pack(self._store, artifact)
            if package is None:
                self._at_hand.pop(artifact, None)
                self._refuse(artifact)
                return Sent(artifact, [])
            with reaching():
                known = self._at_hand[artifact] = version, self._ray.put(package)
        self._at_hand.move_to_end(artifact)
        while len(self._at_hand) > _KEPT_AT_HAND:
            self._at_hand.popitem(last=False)
        return Sent(artifact, [known[1]])

    def _version(self, artifact: Artifact) -> int:
        """Only a checkpoint changes."""
        path = self._store.path(artifact)
        if artifact.kind != "checkpoint" or not path.exists():
            return 0
        return path.stat().st_mtime_ns

    def _refuse(self, artifact: Artifact) -> None:
        """Go on without an artifact that may be missing, and not without one that may not."""
        path = self._store.path(artifact)
        if artifact.kind == "dataset":
            raise DataError(
                f"{path} is not what the study began with",
                hint="the same command makes it anew, and goes on",
            )
        if artifact.kind == "encoder":
            if path.exists():
                set_aside(path)
            raise MissingError(f"{path} is damaged, and is made again")

    def publish(self, task: Task, made: Mapping[Artifact, Package | None]) -> None:
        """Publish what a task has made so far: only what it writes by its spec.

        Raises:
            NotWholeError: something is not what it should be.
            OSError: the home does not take it.
        """
        for artifact in task.writes:
            package = made.get(artifact)
            if package is not None:
                unpack(self._store, artifact, package)
            elif artifact in made and artifact.kind == "checkpoint":
                self._store.checkpoint(artifact.key).remove()

    def settle(self, task: Task, delivered: Delivered) -> str | Failed:
        """Publish what came of a task that has ended, and give its result."""
        try:
            self.publish(task, delivered.made)
        except NotWholeError as error:
            return Failed(FailureKind.LOST, str(error))
        except OSError as error:
            return _not_taken(error, self._store.path(task.writes[0]))
        return delivered.result


def _not_taken(error: OSError, path: Path) -> Failed:
    message = f"the home does not take {path.name}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        hint = "free some space, or make it writable; sweep store --prune may help"
        return Failed(FailureKind.RAISED, message, OutageError(message, hint=hint))
    return Failed(FailureKind.RAISED, message, HomeError(message))
