"""The home: the one directory in which studies keep what they know.

::

    <home>/optuna.db            the studies (source of truth)
    <home>/mlflow.db            what MLflow shows of them
    <home>/mlartifacts/         MLflow's artifacts
    <home>/encoders/<key>/      trained encoders, by content key
    <home>/checkpoints/<key>    encoders whose training was not finished
    <home>/draws/<key>.json     results of single draws, by content key
    <home>/assessments/<key>.json  scores on the test partition of what was selected
    <home>/models/<key>/        classifiers that were registered, as Keras models
    <home>/datasets/<sha256>.npz  what other machines are given to train on
    <home>/locks/  <home>/logs/

What is kept by content appears whole or not at all; see :mod:`sweep.artifacts`.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sweep.errors import HomeError, InputError

DEFAULT_HOME = Path("runs")
"""Where studies are kept unless somebody says otherwise."""


@dataclass(frozen=True)
class Home:
    """Paths below the home's root, which is absolute."""

    root: Path

    @staticmethod
    def at(path: Path) -> Home:
        """The home at ``path``; nothing is created yet.

        Raises:
            HomeError: there can be nothing at this path, or not its databases, which are named by
                URLs.
        """
        try:
            root = expanded(path).resolve()
            (root / "optuna.db").exists()
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead to themselves
            reason = error.strerror if isinstance(error, OSError) else error
            raise HomeError(
                f"the home {path} cannot be looked at: {reason}",
                hint="choose another with --home DIR or SWEEP_HOME",
            ) from error
        if not str(root).isprintable():
            raise HomeError(
                f"the home {str(root)!a} has control characters in its path",
                hint="choose another with --home DIR or SWEEP_HOME",
            )
        if wrong := set("?%") & set(str(root)):
            raise HomeError(
                f"the home {root} has {' and '.join(sorted(wrong))} in its path, which a database's"
                " URL cannot hold",
                hint="choose another with --home DIR or SWEEP_HOME",
            )
        return Home(root)

    def check(self) -> None:
        """See that the home can be made and written; changes nothing.

        Raises:
            HomeError: it cannot.
        """
        for directory in (self.root, *self._directories):
            try:
                place = next(each for each in (directory, *directory.parents) if each.exists())
                reason = _refusal(place)
            except OSError as error:
                raise self._unwritable(error.strerror or str(error)) from error
            if reason is not None:
                raise self._unwritable(reason)

    def create(self) -> None:
        """Make the directories.

        Raises:
            HomeError: the home cannot be created or written.
        """
        try:
            for directory in self._directories:
                directory.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=".writable-"):
                pass
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error

    def _unwritable(self, reason: str) -> HomeError:
        return HomeError(
            f"the home {self.root} cannot be written: {reason}",
            hint="choose another with --home DIR or SWEEP_HOME",
        )

    @property
    def _directories(self) -> tuple[Path, ...]:
        return (
            *(self.encoders, self.checkpoints, self.draws, self.assessments, self.models),
            *(self.locks, self.logs),
        )

    @property
    def optuna_db(self) -> Path:
        return self.root / "optuna.db"

    @property
    def mlflow_db(self) -> Path:
        return self.root / "mlflow.db"

    @property
    def mlartifacts(self) -> Path:
        return self.root / "mlartifacts"

    @property
    def encoders(self) -> Path:
        return self.root / "encoders"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def draws(self) -> Path:
        return self.root / "draws"

    @property
    def assessments(self) -> Path:
        return self.root / "assessments"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def logs(self) -> Path:
        return self.root / "logs"


def _refusal(place: Path) -> str | None:
    """Why nothing can be made in a place; None if it can."""
    if not place.is_dir():
        return f"{place} is no directory"
    if os.access(place, os.W_OK | os.X_OK):
        return None
    read_only = os.statvfs(place).f_flag & os.ST_RDONLY
    return os.strerror(errno.EROFS if read_only else errno.EACCES)


def expanded(path: Path) -> Path:
    """A path with the home directory that ``~`` or ``~name`` stands for.

    Raises:
        InputError: it is the home directory of nobody.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise InputError(f"there is no {path}: {error}", hint="HOME says where ~ is") from error


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a file in the home.

    Raises:
        HomeError: the lock cannot be taken, whoever holds it.
        Timeout: another process holds it, and nobody is to wait.
    """
    lock = FileLock(path, blocking=wait)
    try:
        lock.acquire()
    except Timeout:
        raise
    except OSError as error:
        raise HomeError(
            f"the lock {path} cannot be taken: {error.strerror or error}",
            hint="move it away: it is only a lock, and is made anew",
        ) from error
    try:
        yield
    finally:
        lock.release()
