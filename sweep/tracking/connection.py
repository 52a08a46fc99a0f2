"""Where MLflow keeps its runs, and how to reach it."""

from __future__ import annotations

import logging
import os
import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import create_engine

from sweep.database import creation_lock, engine_arguments, masked_url, readable, sqlite_file
from sweep.errors import HomeError
from sweep.files import published_file, remove_leftovers
from sweep.home import Home, locked
from sweep.workspace import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

ask_ourselves = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
"""Opens an address of this machine, with no proxy between."""
# A server of ours needs no workers for background jobs: two processes instead of ten.
SERVER_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
UI = "http://127.0.0.1:5000"
"""Where ``sweep ui`` serves a home, unless it is told otherwise."""


def proxy_of(uri: str) -> str | None:
    """The proxy through which a server is asked, as the environment says; without a password.

    None if there is none, or a database is asked.
    """
    if not uri.startswith(("http://", "https://")):
        return None
    parts = urlsplit(uri)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme, proxies.get("all"))  # as requests chooses, which asks
    if proxy is None or not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return None
    return masked_url(proxy)


def schema_version(uri: str) -> str | None:
    """The form of the tables in a database; None as long as MLflow has made none. Makes nothing.

    May raise what the database's driver raises.

    Raises:
        HomeError: see :func:`client`.
    """
    if (file := _file(uri)) is not None and not file.exists():
        return None
    from alembic.migration import MigrationContext

    logging.getLogger("alembic").setLevel(logging.WARNING)
    engine = create_engine(readable(uri), **engine_arguments(uri))
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def schema_mismatch(version: str) -> str | None:
    """How the form of a database differs from what this MLflow wants; None if it does not."""
    prepare()
    from mlflow.store.db.utils import _get_latest_schema_revision

    wanted = _get_latest_schema_revision()  # type: ignore[no-untyped-call]  # MLflow has no types
    return None if version == wanted else f"its schema is {version}, and {wanted} is needed"


def is_server(uri: str) -> bool:
    """Whether MLflow is reached through a server, and not as a database."""
    return uri.startswith(("http://", "https://", "databricks"))


def is_directory(uri: str) -> bool:
    """Whether runs are to be files in a directory, which MLflow no longer writes."""
    return not is_server(uri) and ("://" not in uri or uri.startswith("file:"))


def ui_address(uri: str) -> str | None:
    """Where MLflow's UI over a tracking URI is, without user and password; None if unknown."""
    if not is_server(uri):
        return UI
    if uri.startswith("databricks"):
        return None
    return re.sub(r"//[^/@]*@", "//", uri).rstrip("/")


def client(uri: str) -> MlflowClient:
    """A client; slow, because MLflow is imported. In a database it makes what is missing.

    Raises:
        HomeError: a database's file is none, which MLflow would try for minutes to open; or see
            :func:`prepare`.
    """
    _file(uri)
    prepare()
    from mlflow import MlflowClient

    return MlflowClient(uri)


def open_client(workspace: Workspace) -> MlflowClient:
    """A client to write with: what MLflow makes of a database is made whole, and by one alone.

    MLflow itself guards the making of its tables in its server only.

    Raises:
        HomeError: see :func:`client`; or a lock cannot be taken.
    """
    uri, home = workspace.tracking, workspace.home
    file = _file(uri)
    if file is None:
        with creation_lock(uri, "MLflow's database", "MLFLOW_TRACKING_URI"):
            return client(uri)
    # Who shares another file may have another home.
    lock = file.with_name(f".{file.name}.lock")
    if workspace.keeps_tracking:
        lock = home.locks / "mlflow.db.lock"
    with locked(lock):
        if not file.exists():
            create_database(file, home)
        return client(uri)


def create_database(file: Path, home: Home) -> None:
    """Make a database for a home's runs, so that it appears whole. The caller holds its lock.

    MLflow needs dozens of migrations for that, and cannot open a database in which they stopped
    half-way.
    """
    remove_leftovers(file)
    prepare()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with published_file(file) as temporary:
        store = SqlAlchemyStore(  # type: ignore[no-untyped-call]  # MLflow has no types here
            f"sqlite:///{temporary}", home.mlartifacts.as_uri()
        )
        store.engine.dispose()


def _file(uri: str) -> Path | None:
    """The file of a database of SQLite; None for other places.

    Raises:
        HomeError: it is a directory.
    """
    file = sqlite_file(uri)
    if file is not None and file.is_dir():
        raise HomeError(
            f"MLflow's database {file} is a directory",
            hint="move it away; sweep sync STUDY makes the database anew",
        )
    return file


def prepare() -> None:
    """See that MLflow can be imported, and set what it reads then and later.

    Raises:
        HomeError: it cannot, because the user has no home directory.
    """
    try:
        Path.home()
    except RuntimeError:
        raise HomeError(
            f"MLflow wants a home directory, and user {os.getuid()} has none: HOME can name one",
            hint="set HOME to a directory, and run the same command again",
        ) from None
    # It would tell of each try, with the whole URL; what came of them is told once.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    # An unreachable server is found out in seconds; what it missed is projected later.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"  # a line for every run
    # The project of the directory that we are called in is not part of a model.
    os.environ["MLFLOW_UV_AUTO_DETECT"] = "false"
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It logs what it raises, traceback and all; who catches it says what is wrong.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
