"""A node's cache: the home of one run on one node, which all its couriers there share."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout

from sweep.artifacts import ArtifactStore
from sweep.errors import HomeError
from sweep.home import Home, locked

_USERS = "users"


class NodeCache:
    """A home below the node's directory for temporary files, which goes with its last user.

    Users are processes that hold a lock each; what is left by those that were killed is removed by
    whoever comes next to this node, for whatever run.
    """

    def __init__(self, run: str, node: str) -> None:
        """Make it, or share it.

        Args:
            run: names the run of the coordinator.
            node: names the node: several may be on one machine.

        Raises:
            HomeError: it belongs to somebody else.
            OSError: it cannot be made.
        """
        self._all = Path(tempfile.gettempdir()) / f"latent-sweep-{os.getuid()}"
        self._place = self._all / f"{run}-{node[:12]}"
        self._all.mkdir(mode=0o700, exist_ok=True)
        owner = self._all.lstat()
        if owner.st_uid != os.getuid() or owner.st_mode & 0o077:
            raise HomeError(f"{self._all} is not this user's alone")
        self._held = ExitStack()
        with locked(self._all / "lock"):
            _remove_unused(self._all)
            self.home = Home.at(self._place)
            self.home.create()
            users = self._place / _USERS
            users.mkdir(exist_ok=True)
            self._held.enter_context(locked(users / str(os.getpid())))
        self.store = ArtifactStore(self.home)

    def trim(self, most: int, unused_for: float, now: float) -> None:
        """Remove the encoders that were not used for longest, until the others are small enough.

        Args:
            most: bytes that encoders may take.
            unused_for: seconds in which one that was used may still be read.
            now: seconds since the epoch.
        """
        encoders = self.store.encoders
        keys = sorted(encoders.published(), key=encoders.last_use)
        size = sum(map(encoders.size, keys))
        for key in keys:
            if size <= most or encoders.last_use(key) > now - unused_for:
                return
            size -= encoders.size(key)
            self.store.remove_encoders([key], lambda: ())

    def leave(self) -> None:
        """Use it no more."""
        with locked(self._all / "lock"):
            self._held.close()
            _remove_unused(self._all)


def _remove_unused(place: Path) -> None:
    """Remove the caches that no process uses; the lock of them all is held."""
    for cache in place.iterdir():
        if cache.is_dir() and not any(map(_is_held, cache.glob(f"{_USERS}/*"))):
            shutil.rmtree(cache, ignore_errors=True)


def _is_held(path: Path) -> bool:
    lock = FileLock(path, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False
