"""MLflow's server over a home, and Optuna's dashboard beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from sweep.database import masked
from sweep.errors import SweepError, UnknownStudyError
from sweep.tracking.connection import SERVER_ENVIRONMENT, is_server
from sweep.tracking.relocation import relocate
from sweep.tracking.views import START_PATH, VIEW, chart_path
from sweep.workspace import Workspace

__all__ = ["START_PATH", "Server", "chart_links", "free_port", "mlflow_server", "optuna_dashboard"]

_START_SECONDS = 120
_STOP_SECONDS = 5


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
        with self._log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603  # a command of ours, below
                self._command,
                env=os.environ | self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a group of its own: it is stopped with its children
            )
        deadline = time.monotonic() + _START_SECONDS
        try:
            while not self._answers() and time.monotonic() < deadline:
                self.check()
                time.sleep(0.2)
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

    def check(self) -> None:
        """See that it is alive.

        Raises:
            SweepError: it ended by itself.
        """
        if self._process.poll() is not None:
            raise SweepError(f"{self._name} has ended; its log: {self._log}")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._url, timeout=2):  # noqa: S310  # always http
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


def mlflow_server(workspace: Workspace, host: str, port: int, dashboard: str | None) -> Server:
    """MLflow's server over a workspace; of a home that was moved, the artifacts are found there.

    Args:
        workspace: what it shows.
        host: address to listen on.
        port: port to listen on.
        dashboard: the address of Optuna's dashboard, if one is started beside it.

    Raises:
        HomeError: the home was moved, and its database cannot be changed.
        UnknownStudyError: there is nothing in the home to show.
        SweepError: MLflow's runs are kept by a server that runs already.
    """
    uri, home = workspace.tracking, workspace.home
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
    command += ["--host", host, "--port", str(port), "--workers", "1"]
    url = f"http://{host}:{port}"
    log = home.logs / "mlflow-server.log"
    # In the environment, because all users of a machine see each other's command lines.
    environment = SERVER_ENVIRONMENT | {"MLFLOW_BACKEND_STORE_URI": uri}
    environment["SWEEP_HOME"] = str(home.root)
    if dashboard is not None:
        environment["_SWEEP_DASHBOARD"] = dashboard
    return Server("MLflow's server", command, f"{url}/health", log, environment)


def optuna_dashboard(workspace: Workspace, address: str) -> Server:
    """Optuna's dashboard over the studies' storage, at an address ``http://host:port``."""
    program = Path(sys.executable).with_name("optuna-dashboard")
    host, _, port = address.removeprefix("http://").rpartition(":")
    command = [str(program), workspace.storage, "--host", host, "--port", port]
    log = workspace.home.logs / "optuna-dashboard.log"
    return Server("optuna-dashboard", command, f"{address}/dashboard", log, {})


def chart_links(url: str) -> dict[str, str]:
    """For each study that a running MLflow server at ``url`` shows, the link to its chart."""
    request = urllib.request.Request(  # noqa: S310  # always http
        f"{url}/api/2.0/mlflow/experiments/search",
        data=json.dumps({"max_results": 1000, "order_by": ["name"]}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  # always http
        experiments = json.load(response).get("experiments", [])
    return {
        experiment["name"]: f"{url}{chart_path(experiment['experiment_id'])}"
        for experiment in experiments
        if any(tag["key"] == f"mlflow.sharedViewState.{VIEW}" for tag in experiment.get("tags", ()))
    }


def free_port(host: str, wished: int) -> int:
    """The wished port, or another one if it is taken.

    Raises:
        SweepError: the host is not an address of this machine.
    """
    for port in (wished, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                reason = error
                continue
            return int(probe.getsockname()[1])
    raise SweepError(f"no server can listen on {host}: {reason.strerror or reason}")


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
