"""``sweep ui`` on a finished study, in headless Chromium."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.cli.process import TARGET, mlflow_runs, start

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def start_page(finished: Path) -> Iterator[str]:
    """The start page that ``sweep ui`` prints."""
    process = start("ui", "--home", finished, "--port", 5100)
    assert process.stdout is not None
    line = process.stdout.readline()
    yield line.rpartition(" ")[2].strip()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def server(start_page: str) -> str:
    return start_page.removesuffix("/studies")


def expect_charts(page: Page, finished: Path) -> None:
    """Every trial in the list and in both scatter plots."""
    expect(page.get_by_text(f"{TARGET} matching runs")).to_be_visible()
    for run in mlflow_runs(finished):
        if run.data.tags["sweep.kind"] == "trial":
            expect(page.get_by_text(run.info.run_name, exact=True).first).to_be_visible()
    for metric in ("log10_classifier_parameters", "log10_inference_parameters"):
        card = page.get_by_text(f"{metric} vs. accuracy")
        expect(card).to_be_visible()
    plots = page.locator(".js-plotly-plot:has(.scatterlayer)")
    for plot in (plots.nth(0), plots.nth(1)):
        expect(plot.locator(".scatterlayer .point")).to_have_count(TARGET)


def test_the_start_page_is_a_click_away_from_the_charts(
    start_page: str, page: Page, finished: Path
) -> None:
    """Accuracy against parameters with every trial; below it configurations and curves."""
    page.goto(start_page)
    expect(page.get_by_role("cell", name="tiny", exact=True)).to_be_visible()
    page.get_by_role("link", name="accuracy against parameters").click()
    expect_charts(page, finished)
    for chart in ("Parallel Coordinates", "val_accuracy", "train_loss"):
        expect(page.get_by_text(chart, exact=True).first).to_be_visible()


def test_mlflow_s_own_pages_lead_to_the_charts_in_two_clicks(
    start_page: str, page: Page, finished: Path
) -> None:
    """After the start page: from the list of experiments, by the experiment's description."""
    page.goto(start_page)
    page.get_by_role("link", name="All of MLflow").click()
    page.get_by_role("link", name="tiny").first.click()
    with page.expect_popup() as opened:  # links of descriptions open in a tab of their own
        page.get_by_role("link", name="Accuracy against parameters").first.click()
    expect_charts(opened.value, finished)


def test_the_link_that_run_prints_opens_the_charts(
    start_page: str, page: Page, finished: Path
) -> None:
    """Directly, in a browser that was never on the start page."""
    link = re.search(r"http://127\.0\.0\.1:5000(\S+)", (finished / "stdout").read_text())
    assert link is not None
    page.goto(server(start_page) + link[1])
    expect_charts(page, finished)


def test_the_table_has_names_accuracy_and_parameters(
    start_page: str, page: Page, finished: Path
) -> None:
    """The trials with our columns, the most accurate first."""
    page.goto(start_page)
    page.get_by_role("link", name="table").click()
    expect(page.get_by_text(f"{TARGET} matching runs")).to_be_visible()
    for column in ("accuracy", "classifier_parameters", "inference_parameters", "hidden_neurons"):
        expect(page.get_by_role("columnheader", name=column).first).to_be_attached()
    trials = [run for run in mlflow_runs(finished) if run.data.tags["sweep.kind"] == "trial"]
    best = max(run.data.metrics["accuracy"] for run in trials)
    names = {r.info.run_name for r in trials if r.data.metrics["accuracy"] == best}
    first = page.locator(".ag-center-cols-container [row-index='0'], [row-index='0']").first
    expect(first).to_contain_text(re.compile("|".join(map(re.escape, names))))


@pytest.mark.parametrize(
    ("kind", "picture"),
    [
        ("study", "accuracy_vs_parameters.png"),
        ("encoder", "reconstructions.png"),
        ("encoder", "samples.png"),
        ("encoder", "latent_space.png"),
    ],
)
def test_pictures_can_be_seen(
    start_page: str, page: Page, finished: Path, kind: str, picture: str
) -> None:
    """The study's plot and the encoders' pictures, among their runs' artifacts."""
    run = next(r for r in mlflow_runs(finished) if r.data.tags["sweep.kind"] == kind)
    page.goto(
        f"{server(start_page)}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
        f"/artifacts/{picture}"
    )
    shown = page.locator(f"img[src^='blob:'], img[src*='{picture}']").first
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") > 400
