"""``report.html``, opened from the disk in headless Chromium with the network cut."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

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
    expect(page.locator(".chart:not(:has(.main-svg))")).to_have_count(0)
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


def cells(page: Page, column: int) -> list[str]:
    return page.locator(f"#comparison tbody td:nth-child({column})").all_text_contents()


def test_a_heading_sorts_its_table(requested: list[str], page: Page) -> None:
    """By keyboard too; numbers by size, names by their numbers, the third press as reported."""
    reported = cells(page, 1)
    comparison = page.locator("#comparison")
    accuracy = comparison.get_by_role("columnheader", name="accuracy %")
    accuracy.get_by_role("button").focus()
    for order, largest_first in (("descending", True), ("ascending", False)):
        page.keyboard.press("Enter")
        expect(accuracy).to_have_attribute("aria-sort", order)
        numbers = [float(text) for text in cells(page, 2)]
        assert numbers == sorted(numbers, reverse=largest_first)
    assert cells(page, 1) != reported
    page.keyboard.press("Space")
    expect(comparison.locator("[aria-sort]")).to_have_count(0)
    assert cells(page, 1) == reported
    parameters = comparison.get_by_role("columnheader", name="classifier parameters")
    parameters.get_by_role("button").click()
    column = parameters.evaluate("heading => heading.cellIndex + 1")
    sizes = [int(text.split()[0].replace(",", "")) for text in cells(page, column)]
    assert sizes == sorted(sizes, reverse=True)
    comparison.get_by_role("columnheader", name="configuration").get_by_role("button").click()
    expect(comparison.locator("[aria-sort]")).to_have_count(1)
    names = cells(page, 1)
    assert names == sorted(
        names, key=lambda text: [int(w) if w.isdigit() else w for w in re.split(r"(\d+)", text)]
    )


def test_contents_lead_to_every_section(requested: list[str], page: Page) -> None:
    """In the page's order."""
    links = page.get_by_role("navigation", name="Contents").get_by_role("link")
    assert links.all_text_contents() == page.locator("h2").all_text_contents()
    links.last.click()
    expect(page.locator("h2").last).to_be_in_viewport()


def test_a_run_is_a_click_away(requested: list[str], page: Page, written: Path) -> None:
    """In MLflow where ``sweep ui`` serves the home; a page that is served leads to its server."""
    rows = json.loads((written / "report.json").read_text())["rows"]
    paths = [f"/#/runs/{row['mlflow_run_ids'][0]}" for row in rows]
    found = "Array.from(document.querySelectorAll('a.open'), link => link.href)"
    assert page.evaluate(found) == [f"http://127.0.0.1:5000{path}" for path in paths]
    page.context.set_offline(False)
    page.route("http://tracking:5001/report", lambda route: route.fulfill(
        body=(written / "report.html").read_text(), content_type="text/html"
    ))  # fmt: skip
    page.goto("http://tracking:5001/report")
    assert page.evaluate(found) == [f"http://tracking:5001{path}" for path in paths]


def test_in_mlflow_s_frame_ids_stand_alone(requested: list[str], page: Page, written: Path) -> None:
    """It shows artifacts in a frame that no link may leave; contents lead to sections there."""
    page.context.set_offline(False)
    page.set_content(
        "<iframe sandbox='allow-scripts' style='width: 800px; height: 600px'></iframe>"
    )
    page.evaluate(
        "text => { document.querySelector('iframe').src = "
        "URL.createObjectURL(new Blob([text], {type: 'text/html'})); }",
        (written / "report.html").read_text(),
    )
    frame = page.frame_locator("iframe")
    expect(frame.locator("#chart-0 .main-svg").first).to_be_visible()
    expect(frame.locator("td.run code").first).to_be_visible()
    expect(frame.locator(".open")).to_have_count(0)
    frame.get_by_role("navigation").get_by_role("link").last.click()
    expect(frame.locator("h2").last).to_be_in_viewport()


_COLOURS = """
selector => {
  const parts = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = colour => parts(colour).map(part => part / 255)
    .map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return Array.from(document.querySelectorAll(selector), element => {
    const style = getComputedStyle(element);
    const ink = light(element instanceof SVGElement ? style.fill : style.color);
    return (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
  });
}
"""
"""The contrast of elements' texts with the page, by WCAG 2.2's formula."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_is_read_on_any_screen(
    requested: list[str], page: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    """Nothing is wider than the screen but tables in their boxes; text stands out by 4.5 to 1."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    expect(page.locator("#chart-0 .xtick text").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    provenance = page.get_by_role("region", name="Provenance")
    assert provenance.evaluate("box => box.scrollWidth <= box.clientWidth"), "a hash is cut off"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    kinds = ("h1", "a", "td", "th button", ".note", ".axis", "label", "#chart-0 .xtick text",
             "#chart-0 .legendtext", "#chart-0 .xtitle", ".figure .xtick text")  # fmt: skip
    for kind in kinds:
        contrasts = page.evaluate(_COLOURS, kind)
        assert contrasts, kind
        assert min(contrasts) >= 4.5, kind
    legend, plot = (
        page.locator(f"#chart-0 {part}").bounding_box() for part in (".legend", ".nsewdrag")
    )
    assert legend is not None
    assert plot is not None
    assert (legend["y"] > plot["y"] + plot["height"]) == (width == 400)
    assert legend["x"] + legend["width"] <= width


def test_it_prints_on_white(requested: list[str], page: Page) -> None:
    """From a dark screen, too; its charts fit the paper, and come back."""
    page.emulate_media(color_scheme="dark")
    expect(page.locator("#chart-0 .main-svg").first).to_be_visible()
    assert len(page.pdf(format="A4")) > 10_000
    width = "document.querySelector('#chart-0 .main-svg').getAttribute('width')"
    assert float(page.evaluate(width)) > 700
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert float(page.evaluate(width)) == 640
    page.emulate_media(media="print", color_scheme="dark")
    ink = "getComputedStyle(document.querySelector('#chart-0 .xtick text')).fill"
    assert page.evaluate(ink) == "rgb(26, 26, 26)"
