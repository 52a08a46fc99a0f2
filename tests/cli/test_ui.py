"""``sweep ui`` as a process: what it prints, what it serves, and that it ends whole."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.process import (
    TARGET,
    environment,
    free_port,
    living,
    printed_until,
    start,
    sweep,
    wait_until,
)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        return str(response.read().decode())


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_ui_serves_and_ends_whole(copy: Path, number: signal.Signals) -> None:
    """On a free port if the wished one is taken; with Optuna's dashboard; no process is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("ui", "--home", copy, "--port", port, "--optuna")
        said = printed_until(process, "dashboard")
    (page,) = re.findall(r"MLflow's UI: (\S+)", said)
    assert str(port) not in page
    shown = get(page)
    assert "8 of 8 trials" in shown
    assert "accuracy against parameters" in shown
    assert "Optuna&#39;s dashboard</a>" in shown or "Optuna's dashboard</a>" in shown
    assert get(f"{page}/tiny/overview.svg").count(" stroke=") >= TARGET
    with urllib.request.urlopen(f"{page}/tiny/report", timeout=30) as report:
        assert "sandbox" in report.headers["Content-Security-Policy"]
        assert "<title>" in report.read().decode()
    for missing in ("overview.svg", "report", "chart"):
        with pytest.raises(urllib.error.HTTPError, match="404") as raised:
            get(f"{page}/nothing/{missing}")
        assert "There is no study nothing in this home." in raised.value.read().decode()
    (chart,) = re.findall(r"of tiny:\n  (\S+)", said)
    assert chart == f"{page}/tiny/chart"
    assert "compareRunsMode=CHART" in get(chart)
    assert "<title>MLflow" in get(page.removesuffix("studies"))
    (dashboard,) = re.findall(r"Optuna's dashboard: (\S+)", said)
    api = f"{dashboard.removesuffix('/dashboard')}/api/studies"
    assert '"tiny"' in get(api)
    study = json.loads(get(f"{api}/1"))
    assert study["objective_names"] == ["accuracy", "classifier_parameters"]
    assert len(study["trials"]) == TARGET
    for trial in study["trials"]:  # what is long is left out: it would bury the rest
        assert [each["key"] for each in trial["user_attrs"]] == ["attempt", "started_at"]
    assert {each["key"] for each in study["union_user_attrs"]} == {"attempt", "started_at"}

    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == 0
    wait_until(lambda: not living(str(copy)))


def test_ui_of_nothing_says_so(tmp_path: Path) -> None:
    """A home without a study ends with status 2, and nothing is created in it."""
    done = sweep("ui", "--home", tmp_path / "home")
    assert done.returncode == 2
    assert "there is nothing to show" in done.stderr
    assert not (tmp_path / "home").exists()


def test_ui_beside_a_server_says_where_it_is(tmp_path: Path) -> None:
    """Where MLflow's runs are kept by a server, that one is named."""
    url = "http://127.0.0.1:1"
    done = sweep("ui", "--home", tmp_path, env={"MLFLOW_TRACKING_URI": url})
    assert done.returncode == 1
    assert url in done.stderr


@contextmanager
def shown(home: Path, *arguments: object, cwd: Path, env: dict[str, str]) -> Iterator[str]:
    """What ``sweep ui`` says until both servers answer; they run for the length of the block."""
    program = Path(sys.executable).with_name("sweep")
    process = subprocess.Popen(
        [program, "ui", "--home", home, "--optuna", "--port", free_port(), *map(str, arguments)],
        cwd=cwd,
        env=environment() | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield printed_until(process, "dashboard")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def answered(
    port: int, method: str, path: str, host: str, origin: str | None = None, to: str = "127.0.0.1"
) -> int:
    """The status with which a server answers a request under a name, from a page of a site."""
    connection = http.client.HTTPConnection(to, port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host)
    body = b""
    if origin is not None:
        connection.putheader("Origin", origin)
    if method == "POST":
        body = json.dumps({"max_results": 10}).encode()
        connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.slow
@pytest.mark.parametrize("host", ["0.0.0.0", "::1"])
def test_ui_answers_whom_it_should(host: str, copy: Path, tmp_path: Path) -> None:
    """Under this machine's names and those that are allowed; no page of another site does a thing.

    Whatever the user's directory and variables hold.
    """
    for name in ("sweep", "logging", "uvicorn"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    env = {
        "http_proxy": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "UVICORN_PORT": "1",
        "MLFLOW_STATIC_PREFIX": "/x",
        "MLFLOW_PORT": "1",
        "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
    }
    search, study = "/ajax-api/2.0/mlflow/experiments/search", "/api/studies/1"
    with shown(copy, "--host", host, "--allow-host", "study.test", cwd=tmp_path, env=env) as said:
        pages = re.findall(r"(?:MLflow's UI|dashboard): http://(\S+):(\d+)/", said)
        (name, mlflow), (_, optuna) = ((name, int(port)) for name, port in pages)
        assert name == ("[::1]" if host == "::1" else "study.test")
        to = "::1" if host == "::1" else "127.0.0.1"
        for own in ("study.test", "localhost", *([] if host == "::1" else [socket.gethostname()])):
            for port, method, path in ((mlflow, "POST", search), (optuna, "GET", "/api/studies")):
                place = f"{own}:{port}"
                assert answered(port, method, path, place, f"http://{place}", to) == 200
        for port, method, path in ((mlflow, "POST", search), (optuna, "DELETE", study)):
            mine = f"localhost:{port}"
            assert answered(port, method, path, "evil.test", "http://evil.test", to) == 403
            assert answered(port, method, path, mine, "http://evil.test", to) == 403
            for name in ("10.evil.test", "192.168.1.1.evil.test", "localhost.evil.test"):
                place = f"{name}:{port}"  # as a site that gives its name our address
                assert answered(port, method, path, place, f"http://{place}", to) == 403
                assert answered(port, method, path, mine, f"http://{place}", to) == 403
        assert answered(optuna, "GET", "/api/studies/1", f"localhost:{optuna}", None, to) == 200
        assert not [line for line in living(str(copy)).values() if "sqlite:" in line]


@pytest.mark.slow
def test_ui_of_a_home_without_logs(copy: Path) -> None:
    """It is shown all the same: a home's logs may go."""
    shutil.rmtree(copy / "logs")
    with shown(copy, cwd=copy, env={}) as said:
        assert "MLflow's UI" in said


@pytest.mark.parametrize("place", ["logs", "logs/mlflow-server.log"])
def test_what_stands_in_the_place_of_a_log_is_named(place: str, copy: Path) -> None:
    """With what to do about it."""
    shutil.rmtree(copy / "logs")
    if place == "logs":
        (copy / place).write_text("a file")
    else:
        (copy / place).mkdir(parents=True)
    done = sweep("ui", "--home", copy)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "mlflow-server.log" in done.stderr
    assert "hint: move away" in done.stderr


def test_a_database_that_is_none_is_refused(copy: Path) -> None:
    """Before a server is started over it."""
    (copy / "mlflow.db").write_bytes(b"no database" * 1000)
    done = sweep("ui", "--home", copy)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "mlflow" in done.stderr


def test_a_host_that_is_none_is_refused(finished: Path) -> None:
    """An address of another machine, and a name that is none."""
    for arguments, message in (
        (("--host", "192.0.2.1"), "no server can listen on 192.0.2.1"),
        (("--allow-host", "http://me"), "is no name of a host"),
    ):
        done = sweep("ui", "--home", finished, *arguments)
        assert done.returncode in (1, 2)
        assert message in done.stderr
