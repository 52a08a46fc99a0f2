"""Patience with a storage that does not take what is written to it.

Databases are restarted, disks fill up, networks drop: a study that runs for hours waits for them,
says so once, and goes on. What must not be lost is in the home by then.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from sweep.database import masked, reason
from sweep.errors import OutageError
from sweep.search.storage import Storage

log = logging.getLogger("sweep")

T = TypeVar("T")

PATIENCE_SECONDS = 600.0
_PAUSE_SECONDS = 1.0


class Patience:
    """Does what may have to be done again."""

    def __init__(self, storage: Storage, stopping: Callable[[], bool]) -> None:
        """``stopping`` says that nobody waits, as where a study is only looked at."""
        self._url = masked(storage.url)
        self._stopping = stopping
        self._outage: OutageError | None = None

    def until_done(self, do: Callable[[], T], again: Callable[[], T] | None = None) -> T:
        """Do something with the storage, again and again as long as the storage is out of reach.

        Args:
            do: what to do.
            again: what to do instead after the first time, when an answer may have been lost on
                its way back.

        Raises:
            OutageError: the storage does not come back, or refuses for another reason.
        """
        if self._outage is not None:
            raise self._outage  # it did not come back before
        deadline = time.monotonic() + PATIENCE_SECONDS
        waited = False
        while True:
            try:
                done = again() if waited and again else do()
            except (StorageInternalError, SQLAlchemyError) as error:
                if not _may_pass(error) or self._stopping() or time.monotonic() > deadline:
                    self._outage = OutageError(
                        f"the studies' storage {self._url} is out of reach: {reason(error)}",
                        hint="mend it, and run the same command again: what was trained is kept",
                    )
                    raise self._outage from error
                if not waited:
                    log.warning(
                        "The studies' storage %s is out of reach, and waited for: %s",
                        self._url,
                        reason(error),
                    )
                waited = True
                time.sleep(_PAUSE_SECONDS)
            else:
                if waited:
                    log.warning("The studies' storage is back, and the study goes on.")
                return done


def at_once(storage: Storage, do: Callable[[], T]) -> T:
    """Do something with the storage, without waiting for it.

    Raises:
        OutageError: the storage is out of reach.
    """
    return Patience(storage, lambda: True).until_done(do)


def _may_pass(error: BaseException) -> bool:
    """Whether waiting may help: the connection, the disk or the lock failed, not the statement."""
    cause = error if isinstance(error, SQLAlchemyError) else error.__cause__
    lost = isinstance(cause, DBAPIError) and cause.connection_invalidated
    return lost or isinstance(cause, OperationalError | InterfaceError)
