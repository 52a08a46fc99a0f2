"""Charts as pictures: what is drawn is looked at where it lies."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
from matplotlib import rc_context
from matplotlib.transforms import Bbox
from PIL import Image

from sweep.configuration import RepresentationSpec
from sweep.reports.charts import charts
from sweep.reports.drawing import draw, save_charts
from sweep.reports.rows import Measured
from sweep.reports.sheet import ONE_COLUMN, TWO_COLUMNS, Width, lay_out, text_size
from tests.builders import study_report, trial_result, trial_spec
from tests.reports.test_charts import PIXELS, measured


def pixels(hidden_neurons: int, parameters: int, accuracy: float) -> Measured:
    return Measured(
        trial_spec(representation=RepresentationSpec(name="pixels"), hidden_neurons=hidden_neurons),
        trial_result(
            [[accuracy], [accuracy]], classifier_parameters=parameters, representation_parameters=0
        ),
    )


SMALL = study_report([measured(2, [[0.7], [0.8]]), measured(8, [[1.0], [1.0]]), PIXELS])
MANY = study_report(
    [pixels(n, 795 * n + 10, 0.97 - 0.5 / n) for n in range(10, 1000, 20)]
    + [measured(dim, [[0.3 + dim / 60], [0.3 + dim / 60]]) for dim in range(2, 33)],
    study="a study with a $long$ name that says what it was made for and by whom and when",
    is_mnist=False,
)
REPORTS = {
    "small": [SMALL],
    "many": [MANY],
    "one row": [study_report([PIXELS], is_mnist=False)],
    "nothing": [study_report([])],
    "several": [SMALL, *(SMALL.model_copy(update={"study": name}) for name in ("second", "b"))],
}


def touch(one: Bbox, other: Bbox) -> bool:
    """Whether two rectangles have more than a hair in common."""
    return one.padded(-0.5).overlaps(other.padded(-0.5))


OTHERS = "text.usetex: True\nsavefig.bbox: tight\naxes.grid: True\nfont.size: 40\n"
"""Settings of a user who writes papers; there need not be a LaTeX where the study runs."""


def test_settings_of_the_user_change_nothing(tmp_path: Path) -> None:
    """Pictures are those of the defaults, to the last byte."""
    chart = charts([SMALL])[0]
    (tmp_path / "theirs").mkdir()
    ours = save_charts([chart], tmp_path)
    (tmp_path / "matplotlibrc").write_text(OTHERS)
    with rc_context(fname=tmp_path / "matplotlibrc"):
        theirs = save_charts([chart], tmp_path / "theirs")
    for one, other in zip(ours, theirs, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("width", [TWO_COLUMNS, ONE_COLUMN], ids=["page", "column"])
@pytest.mark.parametrize("name", REPORTS)
def test_nothing_that_is_written_touches_anything_else(name: str, width: Width) -> None:
    """Numbers of axes, titles, names, captions and the legend; all of it is in the picture."""
    for chart in charts(REPORTS[name]):
        figure = draw(chart, width)
        figure.draw_without_rendering()
        written = [text.get_window_extent() for text in figure.texts]
        written += [legend.get_window_extent() for legend in figure.legends]
        for axes in figure.axes:
            numbers = (*axes.get_xticklabels(), *axes.get_yticklabels())
            shown = [text for text in (*numbers, *axes.texts) if text.get_text()]
            written += [text.get_window_extent() for text in shown if text.get_visible()]
        assert not [pair for pair in combinations(written, 2) if touch(*pair)], chart.name
        whole = figure.bbox.padded(1)
        assert all(whole.contains(*box.min) and whole.contains(*box.max) for box in written)


@pytest.mark.parametrize("width", [TWO_COLUMNS, ONE_COLUMN], ids=["page", "column"])
def test_titles_of_axes_are_no_wider_than_their_panel(width: Width) -> None:
    """They are folded; what a text is said to be wide is what it is drawn as."""
    for chart in charts([MANY]):
        figure = draw(chart, width)
        for frame in lay_out(chart, width).frames:
            for line in frame.x_title.lines:
                (box,) = {
                    round(text.get_window_extent().width * 72 / figure.dpi)
                    for text in figure.texts
                    if text.get_text() == line
                }
                assert box <= frame.width
                assert text_size(line, frame.x_title.size)[0] == pytest.approx(box, rel=0.05)


def test_charts_are_drawn(tmp_path: Path) -> None:
    """In three formats and two widths; text in an SVG is text, and a PNG has 300 dots an inch."""
    drawn = charts(REPORTS["one row"])
    paths = save_charts(drawn, tmp_path)
    assert {path.name for path in paths} == {
        f"{chart.name}{width}.{suffix}"
        for chart in drawn
        for width in ("", "_column")
        for suffix in ("png", "svg", "pdf")
    }
    for width, inches in (("", 7.2), ("_column", 3.5)):
        with Image.open(tmp_path / f"accuracy_vs_parameters{width}.png") as picture:
            assert picture.width == round(300 * inches)
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    svg = (tmp_path / "accuracy_vs_parameters.svg").read_text()
    for text in (
        "parameters of the classifier",
        "accuracy on the test partition (%)",
        "pixels → 200",
    ):
        assert re.search(f"<text[^>]*>{re.escape(text)}</text>", svg)
    pdf = (tmp_path / "accuracy_vs_parameters.pdf").read_bytes()
    assert b"/Subtype /Type3" not in pdf


def test_the_same_chart_gives_the_same_files(tmp_path: Path) -> None:
    """Without the moment of drawing in them: reports in a repository change when numbers do."""
    chart = charts([SMALL])[1:2]
    (tmp_path / "again").mkdir()
    first = [path.read_bytes() for path in save_charts(chart, tmp_path)]
    assert first == [path.read_bytes() for path in save_charts(chart, tmp_path / "again")]


def test_fronts_are_steps() -> None:
    """Nothing is drawn between two configurations that nobody measured."""
    (chart, *_) = charts([MANY])
    axes = draw(chart, TWO_COLUMNS).axes[0]
    assert "steps-post" in {line.get_drawstyle() for line in axes.lines}
