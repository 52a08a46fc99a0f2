"""``sweep ui`` on a finished study, in headless Chromium."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient
from playwright.sync_api import FrameLocator, Page, expect

from sweep.reports.style import colour, number
from tests.cli.process import TARGET, mlflow_runs, printed_until, start

pytestmark = pytest.mark.browser


@contextmanager
def serving(home: Path, port: int, *options: str) -> Iterator[str]:
    """The start page that ``sweep ui`` prints."""
    process = start("ui", "--home", home, "--port", port, *options)
    assert process.stdout is not None
    line = process.stdout.readline()
    if "--optuna" in options:
        printed_until(process, "Optuna's dashboard")
    try:
        yield line.rpartition(" ")[2].strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def start_page(finished: Path) -> Iterator[str]:
    """That of the finished study."""
    with serving(finished, 5100) as page:
        yield page


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
    page.get_by_role("link", name="accuracy against parameters").click()
    expect_charts(page, finished)
    for chart in ("Parallel Coordinates", "val_accuracy", "train_loss"):
        expect(page.get_by_text(chart, exact=True).first).to_be_visible()


def test_the_start_page_shows_the_study_at_a_glance(start_page: str, page: Page) -> None:
    """How it stands, its best, and a picture of it; also on a telephone."""
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(start_page)
    study = page.get_by_role("article", name="tiny")
    expect(study.get_by_text("finished", exact=True)).to_be_visible()
    expect(study).to_contain_text(
        re.compile(
            rf"{TARGET} of {TARGET} trials · best \d+\.\d\d % on test, \d+\.\d\d % on validation "
            r"\(.* labels\)"
        )
    )
    picture = study.get_by_role("img")
    expect(picture).to_be_visible()
    wait = "image => image.decode().then(() => image.naturalWidth)"
    assert picture.evaluate(wait) == 320
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_model_and_the_dashboard_are_a_click_away_from_the_start_page(
    copy: Path, page: Page
) -> None:
    """Of the study: the version that was registered from it, and its trials in Optuna's words."""
    client = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    client.create_registered_model("digits")
    source = (copy / "mlartifacts").as_uri()
    client.create_model_version("digits", source, tags={"sweep.study": "tiny"})
    with serving(copy, 5130, "--optuna") as shown:
        page.goto(shown)
        page.get_by_role("link", name="model digits 1").click()
        expect(page).to_have_url(f"{server(shown)}/#/models/digits/versions/1")
        expect(page.get_by_text("Version 1").first).to_be_visible()
        page.goto(shown)
        page.get_by_role("link", name="Optuna's dashboard").click()
        expect(page).to_have_url(re.compile(r"http://127\.0\.0\.1:\d+/dashboard/studies/\d+"))
        assert f"{server(shown)}/" not in page.url
        expect(page.get_by_text("tiny").first).to_be_visible()


def test_the_report_is_a_click_away_from_the_start_page(start_page: str, page: Page) -> None:
    """The whole page, with its chart; it asks for nothing beside itself."""
    page.goto(start_page)
    page.wait_for_load_state("networkidle")  # the start page's own pictures come late
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("link", name="report", exact=True).click()
    expect_report(page)
    assert set(asked) == {f"{start_page}/tiny/report"}


def test_a_served_report_leads_back_and_to_runs_where_it_is(start_page: str, page: Page) -> None:
    """It names no other place than the one that it came from."""
    page.goto(f"{start_page}/tiny/report")
    expect_report(page)
    expect(page.get_by_text("leads to the run in MLflow.")).to_be_visible()
    run = page.get_by_role("link", name=re.compile("open run")).first
    assert (run.get_attribute("href") or "").startswith(f"{server(start_page)}/#/runs/")
    page.get_by_role("link", name="in MLflow").click()
    expect(page.get_by_text(f"{TARGET} matching runs")).to_be_visible()
    page.goto(f"{start_page}/tiny/report")
    page.get_by_role("link", name="Studies", exact=True).click()
    expect(page.get_by_role("article", name="tiny")).to_be_visible()


def test_a_chart_shows_all_of_a_study_of_hundreds(copy: Path, page: Page) -> None:
    """MLflow's pages ask for a hundred runs, unless they are told otherwise."""
    mlflow = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    experiment = mlflow.get_experiment_by_name("tiny")
    assert experiment is not None
    for place in range(120):
        run = mlflow.create_run(experiment.experiment_id, tags={"sweep.kind": "trial"})
        for metric in ("accuracy_percent", "log10_classifier_parameters"):
            mlflow.log_metric(run.info.run_id, metric, place / 10)
        mlflow.set_terminated(run.info.run_id)
    with serving(copy, 5103) as started:
        page.goto(f"{started}/tiny/chart")
        expect(page.get_by_text(f"{TARGET + 120} matching runs")).to_be_visible()
        points = page.locator(".js-plotly-plot:has(.scatterlayer)").first
        expect(points.locator(".scatterlayer .point")).to_have_count(TARGET + 120)


def expect_report(where: Page | FrameLocator) -> None:
    """The study's report with its first chart drawn."""
    expect(where.get_by_role("heading", name="tiny", exact=True)).to_be_visible()
    expect(where.get_by_role("heading", name="Accuracy against parameters").first).to_be_visible()
    expect(where.locator("svg").first).to_be_visible()


def test_the_report_is_a_click_away_from_the_experiment_s_note(
    start_page: str, page: Page, finished: Path
) -> None:
    """Among the artifacts of the study's run, where any MLflow server over the runs has it."""
    page.goto(start_page)
    page.get_by_role("link", name="table").click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report", exact=True).first.click()
    expect_report(opened.value.frame_locator("iframe").first)


def test_a_trial_s_page_leads_to_its_encoders_and_the_report(
    start_page: str, page: Page, finished: Path
) -> None:
    """By the links of its description."""
    trial = next(r for r in mlflow_runs(finished) if r.data.tags.get("sweep.trial") == "1")
    assert trial.data.params["representation"] == "vae"
    where = f"/#/experiments/{trial.info.experiment_id}/runs/{trial.info.run_id}"
    page.goto(f"{server(start_page)}{where}")
    for draw in (1, 2):
        with page.expect_popup() as opened:
            page.get_by_role("link", name=f"encoder of draw {draw}").click()
        name = re.compile(rf"encoder vae \d · draw {draw}")
        expect(opened.value.get_by_role("heading", name=name)).to_be_visible()
        opened.value.close()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report of the study").click()
    expect_report(opened.value.frame_locator("iframe").first)


def test_colours_are_those_of_the_report(start_page: str, page: Page, finished: Path) -> None:
    """A representation has one colour in the chart, and it is the report's."""
    page.goto(start_page)
    page.get_by_role("link", name="accuracy against parameters").click()
    expect_charts(page, finished)
    fills = page.locator(".js-plotly-plot:has(.scatterlayer)").first.evaluate(
        "plot => [...plot.querySelectorAll('.scatterlayer .point')]"
        ".map(point => getComputedStyle(point).fill)"
    )
    trials = [run for run in mlflow_runs(finished) if run.data.tags["sweep.kind"] == "trial"]
    colours = [colour(number(run.data.params["representation"])) for run in trials]
    assert sorted(fills) == sorted(
        "rgb({}, {}, {})".format(*(int(each[place : place + 2], 16) for place in (1, 3, 5)))
        for each in colours
    )


def test_a_home_that_was_copied_shows_its_own_artifacts(
    finished: Path, page: Page, tmp_path: Path
) -> None:
    """And not those of its original, which its database named."""
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    study = next(r for r in mlflow_runs(copy) if r.data.tags["sweep.kind"] == "study")
    (file,) = copy.glob(f"mlartifacts/*/{study.info.run_id}/artifacts/config.yaml")
    file.write_text("of: the copy\n")
    where = f"/#/experiments/{study.info.experiment_id}/runs/{study.info.run_id}"
    with serving(copy, 5102) as started:
        page.goto(f"{server(started)}{where}/artifacts/config.yaml")
        expect(page.get_by_text("of: the copy").first).to_be_visible()
        expect(page.get_by_text(str(copy)).first).to_be_visible()
        page.goto(f"{started}/tiny/report")
        expect_report(page)


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
    expect(page.get_by_role("link", name="Model registry")).to_be_visible()
    expect(page.get_by_text("Ask questions about your experiments")).not_to_be_visible()


def test_the_table_has_names_accuracy_and_parameters(
    start_page: str, page: Page, finished: Path
) -> None:
    """The trials with our columns, the most accurate first."""
    page.goto(start_page)
    page.get_by_role("link", name="table").click()
    expect(page.get_by_text(f"{TARGET} matching runs")).to_be_visible()
    columns = ("pareto", "accuracy_percent", "ci_low_percent", "ci_high_percent", "test_percent")
    for column in (*columns, "classifier_parameters", "inference_parameters"):
        header = page.get_by_role("columnheader", name=column).first
        expect(header).to_be_visible()
        name = header.get_by_text(column).first
        assert name.evaluate("text => text.scrollWidth <= text.clientWidth"), f"{column} is cut"
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
