"""MLflow's own UI on a finished study, in headless Chromium."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.cli.process import TARGET, environment, mlflow_runs

pytestmark = pytest.mark.browser

_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def server(finished: Path) -> Iterator[str]:
    """The server that ``sweep run`` tells the user to start, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = re.search(
        r"mlflow server (--backend-store-uri \S+)", (finished / "stdout").read_text()
    )
    assert command is not None
    with subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *command[1].split(), "--port", str(port)],
        env=environment()
        | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{url}/health", timeout=2)
                break
            except OSError:
                assert time.monotonic() < deadline, "MLflow's server did not start"
                time.sleep(0.5)
        yield url
        subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "these tests need Chromium (Debian's package: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS.split())
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield page
        browser.close()


def chart_path(home: Path) -> str:
    """The path of the chart link that ``sweep run`` printed."""
    link = re.search(r"http://127\.0\.0\.1:5000(\S+)", (home / "stdout").read_text())
    assert link is not None
    return link[1]


def test_the_printed_link_opens_on_accuracy_against_parameters(
    server: str, page: Page, finished: Path
) -> None:
    """With every trial in the list and in both scatter plots."""
    page.goto(server + chart_path(finished))
    expect(page.get_by_text(f"{TARGET} matching runs")).to_be_visible()
    for run in mlflow_runs(finished):
        if run.data.tags["sweep.kind"] == "trial":
            expect(page.get_by_text(run.info.run_name, exact=True).first).to_be_visible()
    for metric in ("log10_classifier_parameters", "log10_inference_parameters"):
        expect(page.get_by_text(metric).first).to_be_attached()
    plots = page.locator(".js-plotly-plot")
    expect(plots).to_have_count(2)
    for plot in plots.all():
        expect(plot.locator(".scatterlayer .point")).to_have_count(TARGET)


def test_the_table_has_names_accuracy_and_parameters(
    server: str, page: Page, finished: Path
) -> None:
    """The view of the same name lists the trials with our columns, the best one first."""
    page.goto(server + chart_path(finished).replace("&compareRunsMode=CHART", ""))
    expect(page.get_by_text(f"{TARGET} matching runs")).to_be_visible()
    for column in ("accuracy", "classifier_parameters", "inference_parameters", "hidden_neurons"):
        expect(page.get_by_role("columnheader", name=column).first).to_be_attached()
    trials = [run for run in mlflow_runs(finished) if run.data.tags["sweep.kind"] == "trial"]
    best = max(trials, key=lambda run: run.data.metrics["accuracy"])
    first = page.locator(".ag-center-cols-container [row-index='0'], [row-index='0']").first
    expect(first).to_contain_text(best.info.run_name)


def test_the_study_s_run_shows_its_plot(server: str, page: Page, finished: Path) -> None:
    """The picture of accuracy against parameters is among its artifacts, and can be seen."""
    (run,) = [r for r in mlflow_runs(finished) if r.data.tags["sweep.kind"] == "study"]
    page.goto(
        f"{server}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
        "/artifacts/accuracy_vs_parameters.png"
    )
    picture = page.locator("img[src^='blob:'], img[src*='accuracy_vs_parameters']").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 800
