"""The nodes of a cluster, as its head knows them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sweep.errors import OutageError
from sweep.execution.local import LONGEST_LOOK

log = logging.getLogger("sweep")

_INTERVAL_SECONDS = 1.0
_TELLING_SECONDS = 15.0
"""Without an answer of the head, until that is told."""
_PATIENCE_SECONDS = 60.0
"""Without one, until it is given up: Ray's head does not come back with what it knew."""


@contextmanager
def reaching() -> Iterator[None]:
    """A block that asks this machine's own part of the cluster, which ends with the head.

    Raises:
        OutageError: it is gone.
    """
    try:
        yield
    except Exception as error:  # whatever Ray raises, an OSError for example
        raise _out_of_reach() from error


def _out_of_reach() -> OutageError:
    return OutageError(
        "the head of the Ray cluster is out of reach",
        hint="start the cluster again; the same command goes on with the study",
    )


class Nodes:
    """Asks for the nodes in a thread of its own: while the head is gone, the asking blocks."""

    def __init__(self, ray: Any) -> None:
        """Begin to ask."""
        self._ray = ray
        self._alive: Mapping[str, Mapping[str, float]] | None = None
        self._answers = self._seen = 0
        self._looked = time.monotonic()
        self._silent = 0.0
        """Seconds without an answer, but for those in which this process was stopped."""
        self._is_told = False
        self._ended = threading.Event()
        threading.Thread(target=self._keep_asking, daemon=True).start()

    def alive(self) -> Mapping[str, Mapping[str, float]] | None:
        """What each living node has in all, by resource; None as long as the head does not answer.

        Raises:
            OutageError: it has not answered for long.
        """
        now, answers = time.monotonic(), self._answers
        since, self._looked = now - self._looked, now
        self._silent = 0.0 if answers != self._seen else self._silent + min(since, LONGEST_LOOK)
        self._seen = answers
        if self._silent < _TELLING_SECONDS:
            self._is_told = False
            return self._alive
        if self._silent > _PATIENCE_SECONDS:
            raise _out_of_reach()
        if not self._is_told:
            self._is_told = True
            log.warning("The head of the Ray cluster does not answer; waiting for it.")
        return None

    def close(self) -> None:
        """Ask no more."""
        self._ended.set()

    def _keep_asking(self) -> None:
        while not self._ended.is_set():
            try:
                nodes = self._ray.nodes()
            except Exception as error:  # whatever Ray raises when its head is gone
                log.info("Ray does not say which nodes there are: %s", error)
            else:
                self._alive = {each["NodeID"]: each["Resources"] for each in nodes if each["Alive"]}
                self._answers += 1
            self._ended.wait(_INTERVAL_SECONDS)
