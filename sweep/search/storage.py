"""Optuna's storage, opened so that several processes can use it safely."""

from __future__ import annotations

import logging

import optuna
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from sweep.database import engine_arguments, use_immediate_transactions
from sweep.lease import unusable

Storage = BaseStorage
"""Where studies are kept: a name for those who do not import Optuna."""


def open_storage(url: str) -> Storage:
    """Open Optuna's storage, and create its tables if they are not there.

    Raises:
        HomeError: the storage cannot be opened.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        backend = RDBStorage(url, engine_kwargs=engine_arguments(url))
        use_immediate_transactions(backend.engine)
    except (SQLAlchemyError, ImportError, RuntimeError, ValueError) as error:
        raise unusable(url, error) from error
    return optuna.storages.get_storage(backend)
