"""A study's lease: one coordinator at a time.

The lease is a lock on a file, which the operating system gives back when its holder ends, however
it ends: a dead owner holds nothing.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sweep.errors import HomeError, StudyBusyError
from sweep.home import Home


@contextmanager
def lease(home: Home, study: str) -> Iterator[None]:
    """Hold a study's lease for the length of a block.

    Raises:
        StudyBusyError: another process holds it.
    """
    lock, owner = _lock(home, study), _owner(home, study)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise StudyBusyError(
            f"the study '{study}' is being run by {_describe(owner)}",
            hint="wait until it ends, or stop it; what is done is kept",
        ) from None
    except OSError as error:
        raise HomeError(f"the study's lock {lock.lock_file} cannot be taken: {error}") from error
    try:
        owner.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def holder(home: Home, study: str) -> str | None:
    """Who holds a study's lease; None if nobody does."""
    lock = _lock(home, study)
    if not Path(lock.lock_file).exists():
        return None
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return _describe(_owner(home, study))
    except OSError:
        return None
    lock.release()
    return None


def _lock(home: Home, study: str) -> FileLock:
    return FileLock(home.locks / f"study-{study}.lock")


def _owner(home: Home, study: str) -> Path:
    return home.locks / f"study-{study}.owner"


def _describe(owner: Path) -> str:
    try:
        facts = json.loads(owner.read_text())
        return f"process {facts['pid']} on {facts['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
