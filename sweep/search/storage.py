"""Optuna's storage, opened so that several processes can use it safely."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from alembic.migration import MigrationContext
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from sweep.database import engine_arguments, sqlite_file, unusable, use_immediate_transactions
from sweep.search.batches import BatchStorage

Storage = BatchStorage
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
        storage = BatchStorage(url, engine_kwargs=engine_arguments(url))
        use_immediate_transactions(storage.engine)
    except _UNUSABLE as error:
        raise unusable(url, error) from error
    return storage


def find_storage(url: str) -> Storage | None:
    """Open Optuna's storage to look at it; None as long as its tables are not all there.

    Nothing is created, also while another process creates them.

    Raises:
        HomeError: the storage cannot be opened.
    """
    return _existing_tables(url)


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
    storage = _existing_tables(url)
    if storage is None:
        yield None
        return
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _check_file(url: str, file: Path, home: Path) -> None:
    """Refuse a file of SQLite that cannot be made, or cannot be written."""
    place = file if file.exists() else file.parent
    if not place.exists() and place.absolute() != home:
        raise unusable(url, OSError(f"{place} is not there"))
    for each in (place, file.parent):  # SQLite writes beside it, too
        if each.exists() and not os.access(each, os.W_OK):
            raise unusable(url, OSError(f"{each} takes no writes"))


def _existing_tables(url: str) -> Storage | None:
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
        return BatchStorage(url, engine_kwargs=engine_arguments(url), skip_table_creation=True)
    except _UNUSABLE as error:
        raise unusable(url, error) from error


def _is_complete(engine: sqlalchemy.Engine) -> bool:
    """Whether Optuna has made all of its tables: the revision of their form comes last."""
    if not sqlalchemy.inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() is not None
