"""The nodes of a cluster, as its head knows them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sweep.errors import OutageError
from sweep.execution.local import LONGEST_LOOK
from sweep.execution.looks import Looks

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
        self._has_answered = threading.Event()
        """Whether the head has answered since the last look."""
        self._looks = Looks(LONGEST_LOOK)
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
        self._silent += self._looks.again()
        if self._has_answered.is_set():
            self._has_answered.clear()
            self._silent = 0.0
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
                self._has_answered.set()
            self._ended.wait(_INTERVAL_SECONDS)
