"""What runs on a node: a Ray actor that carries tasks to one local worker, and back what it made.

Timeouts, replacing processes, deaths and logs are the local executor's. All that travels is by
content: what a task reads is fetched unless the node has it, and what it writes is sent back.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sweep.artifacts import Package, pack, unpack
from sweep.errors import OutageError
from sweep.execution.base import Failed, FailureKind, Outcome, Task, WorkFunction
from sweep.execution.local import LocalExecutor
from sweep.execution.ray.cache import NodeCache
from sweep.home import Home, locked
from sweep.machine import environment
from sweep.specs import Artifact

CACHE_BYTES = 8 << 30
"""What the encoders in a node's cache may take, but for those in use."""
_LONGEST_LOG = 64 << 10
_TICK_SECONDS = 5.0
_STAYS = ("dataset", "encoder")
"""Kinds that other tasks of the node may read."""


class Sent(NamedTuple):
    """An artifact that a task reads."""

    artifact: Artifact
    package: Any
    """A reference to its package, in a list: Ray fetches what is no argument itself when asked.
    Empty if there is none."""


@dataclass(frozen=True)
class Facts:
    """What the coordinator needs to know of a courier."""

    node: str
    host: str
    environment: Mapping[str, Any]
    log: str
    """Where its worker's log is on the node."""


@dataclass(frozen=True)
class Looked:
    """What is seen of a task while it runs."""

    fraction: float
    changed: Mapping[Artifact, Package]
    """Of what it writes, what has changed since the last look."""


@dataclass(frozen=True)
class Delivered:
    """What came of a task."""

    result: str | Failed
    made: Mapping[Artifact, Package | None]
    """All that it writes, and None for what is not there; nothing where that is not known."""
    log: bytes
    """What its worker has printed meanwhile, the end of it if that is much."""


class Courier:
    """One slot of a node. Methods may run beside each other, each in a thread of its own."""

    def __init__(self, run: str, prepare: Callable[[Home], WorkFunction], timeout: float) -> None:
        """Nothing is done before :meth:`ready`.

        Args:
            run: names the run of the coordinator.
            prepare: called in each worker process with the node's home; see ``LocalExecutor``.
            timeout: seconds that a task may take.
        """
        self._run = run
        self._prepare = prepare
        self._timeout = timeout
        self._is_closing = False
        self._seen: dict[Artifact, tuple[int, int]] = {}
        self._task: Task | None = None
        self._log_read = 0

    def ready(self) -> Facts:
        """Set the node up for this slot."""
        import ray

        context = ray.get_runtime_context()
        node, actor = context.get_node_id(), context.get_actor_id()
        if not context.get_accelerator_ids().get("GPU"):
            os.environ["CUDA_VISIBLE_DEVICES"] = ""  # what asks for no GPU is trained on none
        self._cache = NodeCache(self._run, node)
        logs = self._cache.home.logs / actor
        self._log = logs / "worker-1.log"
        prepare = partial(self._prepare, self._cache.home)
        self._local = LocalExecutor(1, prepare, self._timeout, logs)
        return Facts(node, socket.gethostname(), environment(), str(self._log))

    def run(self, task: Task, reads: Sequence[Sent]) -> Delivered:
        """Do a task."""
        try:
            for sent in reads:
                self._fetch(sent)
            outcome = self._do(task)
            made = {artifact: pack(self._cache.store, artifact) for artifact in task.writes}
            self._tidy(task, reads)
        except OSError as error:
            return Delivered(_full(error), {}, self._printed())
        finally:
            self._task = None
            self._seen.clear()
        return Delivered(outcome.result, made, self._printed())

    def look(self) -> Looked:
        """See how far the task is."""
        task = self._task
        if task is None:
            return Looked(0.0, {})
        fractions = [fraction for _, fraction in self._local.running().values()]
        return Looked(max(fractions, default=0.0), self._changed(task))

    def close(self) -> Delivered:
        """Stop at once; what is kept of a task that runs is not lost."""
        self._is_closing = True
        self._local.close()
        changed = self._changed(self._task) if self._task else {}
        closed = Failed(FailureKind.LOST, "the slot was closed")
        last = Delivered(closed, changed, self._printed())
        self._cache.leave()
        return last

    def _fetch(self, sent: Sent) -> None:
        """Have an artifact as the coordinator has it."""
        import ray

        store, artifact = self._cache.store, sent.artifact
        path = store.path(artifact)
        if not sent.package:
            path.unlink(missing_ok=True)
            return
        shelf = store.directories.get(artifact.kind)
        if shelf is None:
            if artifact.kind not in _STAYS or not path.exists():
                unpack(store, artifact, ray.get(sent.package[0]))
            return
        with locked(shelf.lock(artifact.key)):
            if not shelf.is_whole(artifact.key):
                unpack(store, artifact, ray.get(sent.package[0]))

    def _do(self, task: Task) -> Outcome:
        self._task = task
        self._changed(task)  # what was sent is known there
        self._local.submit(task)
        while not self._is_closing:
            for outcome in self._local.wait(_TICK_SECONDS):
                return outcome
        return Outcome(task, Failed(FailureKind.LOST, "the slot was closed"))

    def _changed(self, task: Task) -> Mapping[Artifact, Package]:
        """The checkpoints that have changed since this was asked."""
        store, changed = self._cache.store, dict[Artifact, Package]()
        for artifact in task.writes:
            version = _version(store.path(artifact))
            if artifact.kind != "checkpoint" or version in (None, self._seen.get(artifact)):
                continue
            package = pack(store, artifact)
            if package is not None and version is not None:
                self._seen[artifact] = version
                changed[artifact] = package
        return changed

    def _tidy(self, task: Task, reads: Sequence[Sent]) -> None:
        """Remove what no other task of this node reads."""
        store = self._cache.store
        for artifact in {*task.writes, *(sent.artifact for sent in reads)}:
            if artifact.kind == "model":
                store.models.remove_unless([artifact.key], lambda: ())
            elif artifact.kind not in _STAYS:
                store.path(artifact).unlink(missing_ok=True)
        self._cache.trim(CACHE_BYTES, self._timeout, time.time())

    def _printed(self) -> bytes:
        """What the worker has printed since this was asked."""
        try:
            with self._log.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(self._log_read, size - _LONGEST_LOG))
                self._log_read = size
                printed: bytes = file.read()
                return printed
        except OSError:
            return b""


def _version(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _full(error: OSError) -> Failed:
    """A node that takes no writes is an outage; the rest is nothing against a task."""
    where = socket.gethostname()
    message = f"the node {where} does not take what is written: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        outage = OutageError(message, hint="free some space there for temporary files")
        return Failed(FailureKind.RAISED, message, outage)
    return Failed(FailureKind.LOST, message)


def relocated(failed: Failed, there: str, here: Path) -> Failed:
    """A failure whose message names the log as it lies with the coordinator."""
    return replace(failed, message=failed.message.replace(there, str(here)))
