"""A study's lease: one coordinator at a time.

Within a home the lease is a lock on a file, which the operating system gives back when its holder
ends, however it ends. Because homes on several hosts may share one storage, it is a row of that
storage, too: its owner renews it. One that has not done so for a while, or that is known to be dead
because it ran on this machine, has lost it.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from filelock import Timeout
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from sweep.database import (
    engine_arguments,
    sqlite_file,
    unusable,
    use_immediate_transactions,
)
from sweep.errors import StudyBusyError
from sweep.home import Home, locked
from sweep.workspace import Workspace

LEASE_SECONDS = 60.0
"""How long an owner on another host counts as alive after it renewed its lease."""
_RENEWAL_SECONDS = 10.0

_LEASES = sa.Table(
    "sweep_lease",
    sa.MetaData(),
    sa.Column("study", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(32), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("process_started", sa.String(32), nullable=False),
    sa.Column("renewed", sa.DateTime(timezone=True), nullable=False),
)


_LOCK = "study-"


class Owner(NamedTuple):
    """Who has a study's lease."""

    host: str
    pid: int
    process_started: str
    """When, and in which life of which machine; older versions wrote down only when."""
    silent: float
    """Seconds since it renewed the lease, by the database's clock."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @property
    def is_alive(self) -> bool:
        """Known of this machine, believed of another, which may have the same name."""
        started, _, boot = self.process_started.partition(" ")
        if self.host == socket.gethostname() and boot in ("", _boot()):
            return _process_started(self.pid) == started
        return self.silent < LEASE_SECONDS


class Lease:
    """A lease that is held, and renewed in the background."""

    def __init__(self, engine: sa.Engine, study: str) -> None:
        """Take the lease.

        Raises:
            StudyBusyError: its owner is alive.
        """
        self._engine = engine
        self._study = study
        self._token = secrets.token_hex(16)
        self._lost = False
        self._ended = threading.Event()
        self._take()
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._keep_renewing, daemon=True)
        self._thread.start()

    @property
    def lost(self) -> bool:
        """Whether another process has taken the lease, because this one seemed to be dead."""
        if time.monotonic() - self._renewed > LEASE_SECONDS / 2:
            self._renew()
        return self._lost

    def check(self) -> None:
        """See that it was not lost.

        Raises:
            StudyBusyError: it was.
        """
        if self.lost:
            raise taken_over(self._study)

    def release(self) -> None:
        """Give the lease back."""
        self._ended.set()
        self._thread.join()
        try:
            with self._engine.begin() as connection:
                connection.execute(_LEASES.delete().where(*self._is_ours()))
        except SQLAlchemyError:
            pass  # the database is out of reach, and this process soon dead: that frees it, too
        self._engine.dispose()

    def _take(self) -> None:
        row = {
            "token": self._token,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process_started": f"{_process_started(os.getpid())} {_boot()}".strip(),
            "renewed": sa.func.now(),
        }
        _LEASES.metadata.create_all(self._engine)
        with self._engine.begin() as connection:
            owner = _owner(connection, self._study, for_update=True)
            if owner is None:
                connection.execute(_LEASES.insert().values(study=self._study, **row))
            elif owner.is_alive:
                raise _busy(self._study, str(owner))
            else:
                this = _LEASES.c.study == self._study
                connection.execute(_LEASES.update().where(this).values(**row))

    def _keep_renewing(self) -> None:
        while not self._lost and not self._ended.wait(_RENEWAL_SECONDS):
            self._renew()

    def _renew(self) -> None:
        asked = time.monotonic()
        try:
            with self._engine.begin() as connection:
                renewal = _LEASES.update().where(*self._is_ours()).values(renewed=sa.func.now())
                self._lost = connection.execute(renewal).rowcount == 0
        except SQLAlchemyError:
            return  # nobody can take the lease while the database is out of reach
        self._renewed = asked

    def _is_ours(self) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        return (_LEASES.c.study == self._study, _LEASES.c.token == self._token)


@contextmanager
def lease(workspace: Workspace, study: str) -> Iterator[Lease]:
    """Hold a study's lease for the length of a block.

    Raises:
        StudyBusyError: another process holds it.
        HomeError: the home or the storage cannot be used.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(_lock(workspace.home, study), wait=False))
        except Timeout:
            owner = last_owner(workspace.storage, study)
            raise _busy(study, str(owner) if owner else "another process") from None
        held = _take(workspace, study)
        stack.callback(held.release)
        yield held


def studies_run_in(home: Home) -> frozenset[str]:
    """The names of the studies whose lease was ever taken in a home: their locks stay."""
    locks = (path.stem for path in home.locks.glob(f"{_LOCK}*.lock"))
    return frozenset(lock.removeprefix(_LOCK) for lock in locks)


def _lock(home: Home, study: str) -> Path:
    return home.locks / f"{_LOCK}{study}.lock"


def check_free(workspace: Workspace, study: str) -> None:
    """See that nobody holds a study's lease; takes nothing, and creates nothing.

    Raises:
        StudyBusyError: another process holds it.
    """
    owner = last_owner(workspace.storage, study)
    if owner is not None and owner.is_alive:
        raise _busy(study, str(owner))


def last_owner(storage_url: str, study: str) -> Owner | None:
    """Who took a study's lease and has not given it back, alive or dead; None if nobody has.

    Raises:
        HomeError: the URL is none, or its driver is not installed.
    """
    file = sqlite_file(storage_url)
    if file is not None and not file.exists():
        return None  # looking would create it
    try:
        engine = sa.create_engine(storage_url, **engine_arguments(storage_url))
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise unusable(storage_url, error) from error
    try:
        with engine.connect() as connection:
            owner = _owner(connection, study)
    except SQLAlchemyError:
        return None  # nobody has ever taken one there
    finally:
        engine.dispose()
    return owner


def taken_over(study: str) -> StudyBusyError:
    """The error of an owner that has lost its lease."""
    return StudyBusyError(
        f"the study '{study}' was taken over by another process",
        hint="this one seemed to be dead; what it trained is kept",
    )


def _take(workspace: Workspace, study: str) -> Lease:
    try:
        with workspace.making_tables():
            return Lease(_engine(workspace.storage), study)
    except IntegrityError:  # another host was quicker by a moment
        raise _busy(study, "another process") from None
    except (SQLAlchemyError, ArgumentError, NoSuchModuleError, ImportError) as error:
        raise unusable(workspace.storage, error) from error


def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url, **engine_arguments(url))
    use_immediate_transactions(engine)
    return engine


def _owner(connection: sa.Connection, study: str, *, for_update: bool = False) -> Owner | None:
    query = sa.select(_LEASES, sa.func.now().label("now")).where(_LEASES.c.study == study)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        return None
    silent = _naive(row.now) - _naive(row.renewed)
    return Owner(row.host, row.pid, row.process_started, silent.total_seconds())


def _naive(moment: datetime) -> datetime:
    """Both moments are the database's own: zones do not matter to their difference."""
    return moment.replace(tzinfo=None)


def _busy(study: str, owner: str) -> StudyBusyError:
    return StudyBusyError(
        f"the study '{study}' is being run by {owner}",
        hint="wait until it ends, or stop it; what is done is kept",
    )


def _boot() -> str:
    """What tells this machine, since it was started, from others; empty where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="latin-1")[:8]
    except OSError:
        return ""


def _process_started(pid: int) -> str:
    """What tells a process from a later one of its number; empty if there is no such process."""
    if sys.platform == "linux":
        try:
            stat = (
                Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
            )
        except OSError:
            return ""
        return "" if stat[0] == "Z" else stat[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
