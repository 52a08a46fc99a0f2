"""MLflow's server over a home, and Optuna's dashboard beside it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from sweep.database import masked
from sweep.errors import HomeError, SweepError, UnknownStudyError
from sweep.tracking.connection import SERVER_ENVIRONMENT, ask_ourselves, is_server, prepare
from sweep.tracking.relocation import relocate
from sweep.tracking.views import VIEW, printed_path
from sweep.ui.address import Address
from sweep.workspace import Workspace

STORAGE_VARIABLE = "OPTUNA_DASHBOARD_STORAGE"
"""Names the storage's URL: all users of a machine see each other's command lines."""

_START_SECONDS = 120
_STOP_SECONDS = 5
_ELSEWHERE = re.compile(
    r"UVICORN_|GUNICORN_|_?MLFLOW_(STATIC_PREFIX|HOST|PORT|WORKERS|UVICORN_OPTS|GUNICORN_OPTS"
    r"|WAITRESS_OPTS|ARTIFACTS_ONLY|SERVER_DISABLE_SECURITY_MIDDLEWARE)$"
)
"""Variables with which a server would answer at another place than we ask, or anybody."""


class Server:
    """A server process with its children, from entering the block to leaving it."""

    def __init__(
        self, name: str, command: Sequence[str], url: str, log: Path, environment: Mapping[str, str]
    ) -> None:
        """Nothing is started yet.

        Args:
            name: for messages.
            command: what to start.
            url: answers when the server is ready.
            log: file for what it prints.
            environment: set beside our own.
        """
        self._name = name
        self._command = command
        self._url = url
        self._log = log
        self._environment = environment

    def __enter__(self) -> Server:
        inherited = {k: v for k, v in os.environ.items() if not _ELSEWHERE.match(k)}
        with self._opened_log() as log:
            self._process = subprocess.Popen(  # noqa: S603  # a command of ours, below
                self._command,
                # A logging.py in the user's directory is no module of the server's.
                env={**inherited, **self._environment, "PYTHONSAFEPATH": "1"},
                cwd=self._log.parent,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a group of its own: it is stopped with its children
            )
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _opened_log(self) -> BinaryIO:
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)  # looking does not make it
            return self._log.open("wb")
        except OSError as error:
            raise HomeError(
                f"{self._name} cannot begin: its log {self._log} cannot be written: "
                f"{error.strerror}",
                hint=f"move away what is in its place, or see who may write to {self._log.parent}",
            ) from error

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            self.check()
            if time.monotonic() > deadline:
                raise SweepError(
                    f"{self._name} does not answer after {_START_SECONDS} seconds: "
                    f"{self._last_line()}",
                    hint=f"its log: {self._log}",
                )
            time.sleep(0.2)

    def check(self) -> None:
        """See that it is alive.

        Raises:
            SweepError: it ended by itself.
        """
        if self._process.poll() is not None:
            raise SweepError(
                f"{self._name} has ended: {self._last_line()}", hint=f"its log: {self._log}"
            )

    def _last_line(self) -> str:
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError as error:  # somebody has removed it meanwhile
            return f"its log cannot be read: {error.strerror}"
        return masked(lines[-1]) if lines else "it said nothing"

    def _answers(self) -> bool:
        try:
            with ask_ourselves(self._url, timeout=2):
                return True
        except OSError:
            return False

    def _stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                return
            deadline = time.monotonic() + _STOP_SECONDS
            while time.monotonic() < deadline:
                self._process.poll()
                if not _group_lives(self._process.pid):
                    return
                time.sleep(0.05)


def mlflow_server(workspace: Workspace, address: Address, dashboard: Address | None) -> Server:
    """MLflow's server over a workspace; of a home that was moved, the artifacts are found there.

    Args:
        workspace: what it shows.
        address: where it listens.
        dashboard: where Optuna's listens, if it is started beside it.

    Raises:
        HomeError: the home was moved, and its database cannot be changed.
        UnknownStudyError: there is nothing in the home to show.
        SweepError: MLflow's runs are kept by a server that runs already.
    """
    uri, home = workspace.tracking, workspace.home
    prepare()
    if is_server(uri):
        raise SweepError(
            f"MLflow's runs are kept by a server that runs already: {masked(uri)}",
            hint="open it in a browser, or unset MLFLOW_TRACKING_URI",
        )
    if workspace.keeps_tracking and not home.mlflow_db.exists():
        raise UnknownStudyError(
            f"there is nothing to show in the home {home.root} yet",
            hint="sweep run CONFIG begins a study; --home DIR or SWEEP_HOME names another home",
        )
    if workspace.keeps_tracking:
        relocate(home)
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "sweep"]
    command += ["--artifacts-destination", home.mlartifacts.as_uri()]
    command += ["--host", address.host, "--port", str(address.port), "--workers", "1"]
    log = home.logs / "mlflow-server.log"
    # In the environment, because all users of a machine see each other's command lines.
    environment = SERVER_ENVIRONMENT | address.guard | {"MLFLOW_BACKEND_STORE_URI": uri}
    environment["SWEEP_HOME"] = str(home.root)
    if dashboard is not None:
        environment["_SWEEP_DASHBOARD"] = dashboard.own_url
    return Server("MLflow's server", command, f"{address.own_url}/health", log, environment)


def optuna_dashboard(workspace: Workspace, address: Address) -> Server:
    """Optuna's dashboard over the studies' storage."""
    command = [sys.executable, "-m", "uvicorn", "--factory", "sweep.ui.dashboard:app"]
    command += ["--host", address.host, "--port", str(address.port), "--log-level", "warning"]
    log = workspace.home.logs / "optuna-dashboard.log"
    # In the environment, because all users of a machine see each other's command lines.
    environment = address.guard | {STORAGE_VARIABLE: workspace.storage}
    url = f"{address.own_url}/dashboard"
    return Server("Optuna's dashboard", command, url, log, environment)


def chart_links(address: Address) -> dict[str, str]:
    """For each study that a running MLflow server shows, the link to its chart."""
    request = urllib.request.Request(  # noqa: S310  # always http
        f"{address.own_url}/api/2.0/mlflow/experiments/search",
        data=json.dumps({"max_results": 1000, "order_by": ["name"]}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with ask_ourselves(request, timeout=30) as response:
        experiments = json.load(response).get("experiments", [])
    return {
        experiment["name"]: f"{address.url}{printed_path(experiment['name'])}"
        for experiment in experiments
        if any(tag["key"] == f"mlflow.sharedViewState.{VIEW}" for tag in experiment.get("tags", ()))
    }


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
