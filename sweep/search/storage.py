"""Optuna's storage, opened so that several processes can use it safely."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import sqlalchemy
from alembic.migration import MigrationContext
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from sweep.database import engine_arguments, sqlite_file, unusable, use_immediate_transactions

Storage = BaseStorage
"""Where studies are kept: a name for those who do not import Optuna."""

_UNUSABLE = (SQLAlchemyError, StorageInternalError, ImportError, RuntimeError, ValueError)


def open_storage(url: str) -> Storage:
    """Open Optuna's storage, and create its tables if they are not there.

    Whoever calls it holds the lock of :meth:`sweep.workspace.Workspace.making_tables`.

    Raises:
        HomeError: the storage cannot be opened.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        backend = RDBStorage(url, engine_kwargs=engine_arguments(url))
        use_immediate_transactions(backend.engine)
    except _UNUSABLE as error:
        raise unusable(url, error) from error
    return optuna.storages.get_storage(backend)


def find_storage(url: str) -> Storage | None:
    """Open Optuna's storage to look at it; None as long as its tables are not all there.

    Nothing is created, also while another process creates them.

    Raises:
        HomeError: the storage cannot be opened.
    """
    backend = _existing_tables(url)
    return backend and optuna.storages.get_storage(backend)


@contextmanager
def existing_storage(url: str, home: Path) -> Iterator[Storage | None]:
    """Optuna's storage, to be looked at for the length of a block; None if there is none yet.

    Nothing is created, and nothing is written.

    Args:
        url: of the storage.
        home: a directory that is made before the storage is, if it is not there.

    Raises:
        HomeError: the storage cannot be opened, or could not be written.
    """
    file = sqlite_file(url)
    if file is not None:
        _check_file(url, file, home)
    backend = _existing_tables(url)
    if backend is None:
        yield None
        return
    try:
        yield optuna.storages.get_storage(backend)
    finally:
        backend.remove_session()
        backend.engine.dispose()


def _check_file(url: str, file: Path, home: Path) -> None:
    """Refuse a file of SQLite that cannot be made, or cannot be written."""
    place = file if file.exists() else file.parent
    if not place.exists() and place.absolute() != home:
        raise unusable(url, OSError(f"{place} is not there"))
    for each in (place, file.parent):  # SQLite writes beside it, too
        if each.exists() and not os.access(each, os.W_OK):
            raise unusable(url, OSError(f"{each} takes no writes"))


def _existing_tables(url: str) -> RDBStorage | None:
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return None
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        engine = sqlalchemy.create_engine(url, **engine_arguments(url))
        try:
            if not _is_complete(engine):
                return None
        finally:
            engine.dispose()
        return RDBStorage(url, engine_kwargs=engine_arguments(url), skip_table_creation=True)
    except _UNUSABLE as error:
        raise unusable(url, error) from error


def _is_complete(engine: sqlalchemy.Engine) -> bool:
    """Whether Optuna has made all of its tables: the revision of their form comes last."""
    if not sqlalchemy.inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() is not None
