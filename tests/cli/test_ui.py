"""``sweep ui`` as a process: what it prints, what it serves, and that it ends whole."""

from __future__ import annotations

import re
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.process import TARGET, living, start, sweep, wait_until


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        return str(response.read().decode())


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_ui_serves_and_ends_whole(finished: Path, number: signal.Signals) -> None:
    """On a free port if the wished one is taken; with Optuna's dashboard; no process is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("ui", "--home", finished, "--port", port, "--optuna")
        assert process.stdout is not None
        said = ""
        while "dashboard" not in said:
            line = process.stdout.readline()
            assert line, process.communicate()
            said += line
    (page,) = re.findall(r"MLflow's UI: (\S+)", said)
    assert str(port) not in page
    shown = get(page)
    assert "8 of 8 trials" in shown
    assert "accuracy against parameters" in shown
    assert "Optuna&#39;s dashboard</a>" in shown or "Optuna's dashboard</a>" in shown
    assert get(f"{page}/tiny/overview.svg").count("fill-opacity") == TARGET
    with urllib.request.urlopen(f"{page}/tiny/report", timeout=30) as report:
        assert "sandbox" in report.headers["Content-Security-Policy"]
        assert "<title>" in report.read().decode()
    for missing in ("overview.svg", "report"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{page}/nothing/{missing}")
    (chart,) = re.findall(r"of tiny:\n  (\S+)", said)
    assert "compareRunsMode=CHART" in chart
    assert "<title>MLflow" in get(chart.partition("#")[0])
    (dashboard,) = re.findall(r"Optuna's dashboard: (\S+)", said)
    assert '"tiny"' in get(f"{dashboard}/api/studies")

    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 0
    wait_until(lambda: not living(str(finished)), seconds=10)


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
