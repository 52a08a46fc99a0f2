"""Optuna's storage, opened so that several processes can use it safely."""

from __future__ import annotations

import logging
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from sweep.errors import HomeError

_SQLITE_TIMEOUT_SECONDS = 60

Storage = BaseStorage
"""Where studies are kept: a name for those who do not import Optuna."""


def open_storage(url: str) -> Storage:
    """Open Optuna's storage, and create its tables if they are not there.

    SQLite is opened in WAL mode and every transaction takes the write lock at its beginning:
    otherwise two processes may be handed the same row, and a writer gives up after five seconds.

    Raises:
        HomeError: the storage cannot be opened.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    sqlite = url.startswith("sqlite")
    arguments: dict[str, Any] = {"pool_pre_ping": True}
    if sqlite:
        arguments["connect_args"] = {"timeout": _SQLITE_TIMEOUT_SECONDS}
    try:
        backend = RDBStorage(url, engine_kwargs=arguments)
        if sqlite:
            _use_immediate_transactions(backend.engine)
    except (SQLAlchemyError, ArgumentError, NoSuchModuleError, ImportError, RuntimeError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise HomeError(
            f"the studies' storage {masked(url)} cannot be opened: {reason}",
            hint="check SWEEP_STORAGE and --home",
        ) from error
    return optuna.storages.get_storage(backend)


def masked(url: str) -> str:
    """A URL without its password."""
    try:
        return sqlalchemy.engine.make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(not a URL)"


def _use_immediate_transactions(engine: sqlalchemy.Engine) -> None:
    # The recipe of SQLAlchemy's documentation: the driver must not begin transactions by itself.
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()
