"""``report.html``, opened from the disk in headless Chromium with the network cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.cli.process import sweep

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def written(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the report of the finished study."""
    directory = tmp_path_factory.mktemp("report")
    done = sweep("report", "tiny", "--home", finished, "--out", directory)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture
def requested(page: Page, written: Path) -> list[str]:
    """The opened report: what it has asked for since, and of what it complained."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("console", lambda message: addresses.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: addresses.append(f"error: {error}"))
    page.context.set_offline(True)
    page.goto((written / "report.html").as_uri())
    return addresses


def titles(page: Page) -> str:
    return page.locator("#chart-0 .xtitle").text_content() or ""


def test_the_page_asks_for_nothing(requested: list[str], page: Page, written: Path) -> None:
    """But for itself; and every chart of its is drawn, Optuna's own among them."""
    charts = page.locator(".chart")
    assert charts.count() >= 4
    for number in range(charts.count()):
        expect(charts.nth(number).locator(".main-svg").first).to_be_visible()
    expect(page.get_by_role("heading", name="Slices: vae")).to_be_visible()
    asked = [address for address in requested if not address.startswith(("data:", "blob:"))]
    assert asked == [(written / "report.html").as_uri()]


def test_the_toggle_counts_other_parameters(
    requested: list[str], page: Page, written: Path
) -> None:
    """The classifier's, or all that inference needs; and the axis may be linear."""
    rows = json.loads((written / "report.json").read_text())["rows"]

    def shown() -> set[int]:
        """Where the marks of what was measured lie, by Plotly's own account."""
        return set(
            page.evaluate(
                "document.getElementById('chart-0').data"
                ".filter(t => ['vae', 'pixels'].includes(t.name)).flatMap(t => t.x)"
            )
        )

    expect(page.locator("#chart-0 .scatterlayer .point").first).to_be_visible()
    assert titles(page) == "parameters of the classifier"
    assert shown() == {row["classifier_parameters"] for row in rows}
    page.get_by_label("parameters that inference needs, encoder included").check()
    assert titles(page) == "parameters that inference needs, encoder included"
    assert shown() == {row["inference_parameters"] for row in rows}
    axis = "document.getElementById('chart-0')._fullLayout.xaxis.type"
    assert page.evaluate(axis) == "log"
    page.locator("#controls-0").get_by_label("logarithmic").uncheck()
    assert page.evaluate(axis) == "linear"


def test_pointing_at_a_mark_says_what_it_is(
    requested: list[str], page: Page, written: Path
) -> None:
    """Configuration, n, interval and run."""
    rows = json.loads((written / "report.json").read_text())["rows"]
    marks = page.locator("#chart-0 .scatterlayer .trace .points path.point")
    expect(marks.first).to_be_visible()
    page.locator("#chart-0").scroll_into_view_if_needed()
    box = marks.first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = page.locator("#chart-0 .hoverlayer .hovertext")
    expect(said).to_be_visible()
    text = said.text_content() or ""
    assert "n = 2 × 2" in text
    assert "95 % interval" in text
    (row,) = [row for row in rows if f"run {row['mlflow_run_ids'][0]}" in text]
    assert f"{100 * row['accuracy']:.2f} %" in text
