"""Where MLflow keeps its runs: whether it is there, and takes what is written."""

from __future__ import annotations

import os
from pathlib import Path

from sweep.database import masked, reason, sqlite_file
from sweep.doctor.databases import damage
from sweep.doctor.finding import Finding
from sweep.errors import HomeError
from sweep.tracking.connection import (
    is_directory,
    is_server,
    prepare,
    proxy_of,
    schema_mismatch,
    schema_version,
)
from sweep.tracking.deadline import answer_of, within

_SERVER_SECONDS = 10
_UNSET = "or unset MLFLOW_TRACKING_URI"


def tracking(uri: str) -> Finding:
    """How it stands with a tracking URI."""
    try:
        prepare()
    except HomeError as error:
        return Finding("MLflow", "problem", error.message, error.hint)
    if uri.startswith(("http://", "https://")):
        return _server(uri)
    if is_server(uri):
        return _databricks(uri)
    if is_directory(uri):
        found = f"{masked(uri)} is a directory of files, which MLflow no longer writes"
        mend = f"name a database (sqlite:///FILE) or a server, {_UNSET}; then sweep sync STUDY"
        return Finding("MLflow", "problem", found, mend)
    file = sqlite_file(uri)
    if file is not None and not file.exists():
        return Finding("MLflow", "ok", "no runs yet")
    mend = f"move {file} away; sweep sync STUDY makes it anew"
    if file is not None and (problem := damage("MLflow", file, mend)):
        return problem
    try:
        version = answer_of(uri, lambda: schema_version(uri))
    except Exception as error:  # whatever a database's driver raises
        found = f"{masked(uri)} cannot be opened: {reason(error)}"
        return Finding("MLflow", "problem", found, f"start that database, {_UNSET}")
    if version is None:
        return Finding("MLflow", "ok", "no runs yet")
    if mismatch := schema_mismatch(version):
        found = f"{masked(uri)} is of another version of MLflow: {mismatch}"
        mend = f"mlflow db upgrade {masked(uri)}, if it is older; a newer one wants that MLflow"
        return Finding("MLflow", "problem", found, mend)
    return Finding("MLflow", "ok", masked(uri))


def _server(uri: str) -> Finding:
    import requests  # as MLflow asks: with the credentials of the URL, and through proxies

    proxy = proxy_of(uri)
    through = f", through the proxy {proxy}" if proxy else ""
    credentials = None
    if user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        credentials = (user, os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
    try:
        address = f"{uri.rstrip('/')}/health"
        answer = within(
            _SERVER_SECONDS,
            lambda: requests.get(address, auth=credentials, timeout=_SERVER_SECONDS),
        )
    except (OSError, ValueError) as error:  # requests' errors are OSErrors
        mend = f"start that server, {_UNSET}; then sweep sync STUDY"
        if proxy:
            mend = f"see whether the proxy is needed (NO_PROXY names hosts without one); {mend}"
        found = f"{masked(uri)} does not answer{through}: {reason(error)}"
        return Finding("MLflow", "problem", found, mend)
    if answer.status_code in (401, 403):
        found = f"{masked(uri)} refuses us (status {answer.status_code}){through}"
        mend = f"set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, {_UNSET}"
        return Finding("MLflow", "problem", found, mend)
    if not answer.ok:
        found = f"{masked(uri)} answers with status {answer.status_code}{through}"
        return Finding("MLflow", "problem", found, f"see that server's log, {_UNSET}")
    return Finding("MLflow", "ok", f"{masked(uri)} answers{through}")


def _databricks(uri: str) -> Finding:
    config = Path(os.environ.get("DATABRICKS_CONFIG_FILE", "~/.databrickscfg")).expanduser()
    has = {"DATABRICKS_HOST", "DATABRICKS_CONFIG_PROFILE"} & set(os.environ) or config.exists()
    if not has:
        mend = f"set DATABRICKS_HOST and DATABRICKS_TOKEN, {_UNSET}"
        return Finding("MLflow", "problem", f"there are no credentials for {masked(uri)}", mend)
    found = f"{masked(uri)}: there are credentials, which only a run tries"
    return Finding("MLflow", "ok", found)
