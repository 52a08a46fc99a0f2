"""MLflow's UI while a study runs, in headless Chromium."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.cli.process import mlflow_runs, start, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

_SLOW = """
name: tiny
dataset: mnist-5k
partition: {scheme: fractions, encoder: .4, classifier: .2, validation: .3, test: .1}
seed: 3
replicates: {draws: 1, classifiers: 1}
representations:
  vae:
    {epochs: 300, batch_size: 100, learning_rate: 0.001, labels_from: classifier,
     classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}
rows:
  - {representation: vae, latent_dim: 5, hidden_neurons: 10}
"""


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Path]:
    """A home in which an encoder trains for minutes, with the first of its epochs in MLflow."""
    config, home = tmp_path / "slow.yaml", tmp_path / "home"
    config.write_text(_SLOW)
    process = start("run", config, "--home", home, "--workers", 1)
    wait_until(lambda: encoder(home) is not None or process.poll() is not None, 300)
    yield home
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)


def encoder(home: Path) -> Any | None:
    """The encoder's run, once it has an epoch."""
    if not (home / "mlflow.db").exists():
        return None
    try:
        found = mlflow_runs(home)
    except AssertionError:  # there is no experiment yet
        return None
    return next((run for run in found if "loss" in run.data.metrics), None)


def test_an_encoder_s_loss_grows_in_the_ui(training: Path, page: Page) -> None:
    """Its run page says that it runs, and shows more of its loss when it is opened again."""
    run = encoder(training)
    assert run is not None
    process = start("ui", "--home", training, "--port", 5101)
    assert process.stdout is not None
    try:
        server = process.stdout.readline().rpartition(" ")[2].strip().removesuffix("/studies")
        address = f"{server}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
        page.goto(address)
        expect(page.get_by_text("RUNNING", exact=False).first).to_be_visible()
        before = points_shown(page, address)
        deadline = 20
        while points_shown(page, address) <= before:
            deadline -= 1
            assert deadline, "the curve does not grow"
            page.wait_for_timeout(1000)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def points_shown(page: Page, address: str) -> int:
    """How many points of the loss its chart shows."""
    page.goto(f"{address}/model-metrics")
    page.reload()
    expect(page.get_by_text("loss", exact=True).first).to_be_visible()
    plots = page.locator(".js-plotly-plot")
    expect(plots.first).to_be_visible()
    counts: list[int] = plots.evaluate_all(
        "plots => plots.map(plot => Math.max(0, ...plot.data.map(line => (line.x || []).length)))"
    )
    return max(counts)
