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
    <home>/locks/  <home>/logs/

Files appear whole or not at all: they are written under a temporary name, flushed to the disk, and
renamed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sweep.errors import HomeError, InputError

MODEL_FILE = "model.keras"
RECORD_FILE = "record.json"


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
        if wrong := set("?%") & set(str(root)):
            raise HomeError(
                f"the home {root} has {' and '.join(sorted(wrong))} in its path, which a database's"
                " URL cannot hold",
                hint="choose another with --home DIR or SWEEP_HOME",
            )
        return Home(root)

    def create(self) -> None:
        """Make the directories.

        Raises:
            HomeError: the home cannot be created or written.
        """
        try:
            for directory in (
                *(self.encoders, self.checkpoints, self.draws, self.assessments, self.models),
                *(self.locks, self.logs),
            ):
                directory.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=".writable-"):
                pass
        except OSError as error:
            raise HomeError(
                f"the home {self.root} cannot be written: {error.strerror or error}",
                hint="choose another with --home DIR or SWEEP_HOME",
            ) from error

    @property
    def optuna_db(self) -> Path:
        return self.root / "optuna.db"

    @property
    def mlflow_db(self) -> Path:
        return self.root / "mlflow.db"

    @property
    def artifacts(self) -> Path:
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

    def model(self, key: str) -> Path:
        """The directory of a model, whose key this is; it holds the two files below."""
        return self.models / key

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def logs(self) -> Path:
        return self.root / "logs"


def expanded(path: Path) -> Path:
    """A path with the home directory that ``~`` or ``~name`` stands for.

    Raises:
        InputError: it is the home directory of nobody.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise InputError(f"there is no {path}: {error}") from error


@contextmanager
def published_file(path: Path) -> Iterator[Path]:
    """Yield the path at which to write a file that becomes ``path`` when the block ends well."""
    temporary = _temporary(path)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_directory(path.parent)


def publish_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader sees all of it or nothing."""
    with published_file(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def published_directory(path: Path) -> Iterator[Path]:
    """Yield an empty directory that becomes ``path`` when the block ends well.

    A ``path`` that exists by then is left alone: whoever published first wins.
    """
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.iterdir():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
        _flush_directory(temporary)
        if not path.exists():
            temporary.rename(path)
            _flush_directory(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}")


def set_aside(path: Path) -> None:
    """Move what cannot be believed out of the way, under a name that nothing reads."""
    path.rename(path.with_name(f"{path.name}.damaged-{time.time_ns()}"))


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed left of publishing ``path``; none may be doing so."""
    for leftover in path.parent.glob(f".{path.name}-*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def leftovers(home: Home) -> list[Path]:
    """What interrupted writes have left in a home, and what was set aside as damaged.

    A write that goes on at this moment looks the same.
    """
    places = (
        *(home.root, home.encoders, home.checkpoints, home.draws),
        *(home.assessments, home.models),
    )
    return [
        path
        for place in places
        for path in sorted(place.glob("*"))
        if re.search(r"^\..+-[0-9a-f]{8}$|\.damaged-\d+$", path.name)
    ]


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
