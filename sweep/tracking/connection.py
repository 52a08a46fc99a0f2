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

from sweep.database import masked_url, sqlite_file
from sweep.errors import HomeError
from sweep.files import published_file, remove_leftovers
from sweep.home import Home, locked

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
    parts = urlsplit(uri)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return None
    return masked_url(proxy)


def schema_mismatch(uri: str) -> str | None:
    """How the form of a database differs from what this MLflow wants; None if it does not.

    May raise what the database's driver raises.
    """
    prepare()
    from mlflow.store.db.utils import _get_latest_schema_revision, _get_schema_version

    engine = create_engine(uri)
    try:
        found = _get_schema_version(engine) or "none"  # type: ignore[no-untyped-call]  # MLflow
    finally:
        engine.dispose()
    wanted = _get_latest_schema_revision()  # type: ignore[no-untyped-call]  # has no types here
    return None if found == wanted else f"its schema is {found}, and {wanted} is needed"


def is_server(uri: str) -> bool:
    """Whether MLflow is reached through a server, and not as a database."""
    return uri.startswith(("http://", "https://", "databricks"))


def ui_address(uri: str) -> str | None:
    """Where MLflow's UI over a tracking URI is, without user and password; None if unknown."""
    if not is_server(uri):
        return UI
    if uri.startswith("databricks"):
        return None
    return re.sub(r"//[^/@]*@", "//", uri).rstrip("/")


def client(uri: str) -> MlflowClient:
    """A client; slow, because MLflow is imported.

    Raises:
        HomeError: a database's file is none, which MLflow would try for minutes to open; or see
            :func:`prepare`.
    """
    file = sqlite_file(uri)
    if file is not None and file.is_dir():
        raise HomeError(
            f"MLflow's database {file} is a directory",
            hint="move it away; sweep sync STUDY makes the database anew",
        )
    prepare()
    from mlflow import MlflowClient

    return MlflowClient(uri)


def create_database(home: Home) -> None:
    """Make the home's database, if it is not there, so that it appears whole.

    MLflow needs dozens of migrations for that, and cannot open a database in which they stopped
    half-way.
    """
    with locked(home.locks / "mlflow.db.lock"):
        if home.mlflow_db.exists():
            return
        remove_leftovers(home.mlflow_db)
        prepare()
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        with published_file(home.mlflow_db) as temporary:
            store = SqlAlchemyStore(  # type: ignore[no-untyped-call]  # MLflow has no types here
                f"sqlite:///{temporary}", home.mlartifacts.as_uri()
            )
            store.engine.dispose()


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
