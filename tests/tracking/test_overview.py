"""The picture of a study at a glance."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st

from sweep.tracking.overview import Dot, overview

SVG = "{http://www.w3.org/2000/svg}"
marks = st.builds(
    Dot,
    representation=st.sampled_from(["vae", "<pixels>"]),
    parameters=st.integers(1, 10**9),
    accuracy=st.floats(0, 1),
    colour=st.sampled_from(["#0072B2", "#D55E00"]),
    on_front=st.booleans(),
    labels=st.just(1000),
)


@given(st.lists(marks, min_size=1, max_size=20))
def test_every_mark_lies_in_the_picture_and_no_label_on_another(shown: list[Dot]) -> None:
    """Whatever the values: in its own colour, with at least one accuracy and one count named."""
    root = ElementTree.fromstring(overview(shown))
    circles = [c for c in root.findall(f"{SVG}circle") if c.attrib["r"] != "4"]
    assert sorted(c.attrib["stroke"] for c in circles) == sorted(mark.colour for mark in shown)
    filled = sorted(c.attrib["fill"] for c in circles if c.attrib["fill"] != "none")
    assert filled == sorted(mark.colour for mark in shown if mark.on_front)
    assert all(0 < float(c.attrib["cx"]) < 320 for c in circles)
    assert all(0 < float(c.attrib["cy"]) < 232 for c in circles)
    texts = root.findall(f"{SVG}text")
    heights = [float(t.attrib["y"]) for t in texts if t.attrib["text-anchor"] == "end"]
    assert heights
    assert all(below - above >= 13 for above, below in pairwise(heights))
    counts = [(float(t.attrib["x"]), 6.5 * len(t.text or "")) for t in texts if is_count(t)]
    assert counts
    assert all(x + width / 2 <= 320 for x, width in counts)
    assert all(a + wide / 2 < b - width / 2 for (a, wide), (b, width) in pairwise(counts))


def is_count(text: ElementTree.Element) -> bool:
    return re.fullmatch(r"[\d,]+", text.text or "") is not None


@given(low=st.floats(0, 0.99), more=st.floats(0, 1))
@example(low=0.55, more=0.26)
def test_no_end_of_the_axis_is_without_an_accuracy(low: float, more: float) -> None:
    """Neither the best third nor the worst, whatever the accuracies."""
    high = min(1.0, low + more)
    shown = [
        Dot("vae", 100 * count, accuracy, "#0072B2", False, 1000)
        for count, accuracy in enumerate((low, high), start=1)
    ]
    root = ElementTree.fromstring(overview(shown))
    named = [
        float(text.attrib["y"])
        for text in root.findall(f"{SVG}text")
        if text.attrib["text-anchor"] == "end"
    ]
    marked = [float(c.attrib["cy"]) for c in root.findall(f"{SVG}circle") if c.attrib["r"] == "3"]
    for end in (min(marked), max(marked)):
        assert min(abs(height - 4 - end) for height in named) < 46


def test_the_largest_budget_stands_for_itself_and_says_so() -> None:
    """Fewer labels are another question; how many there are is said, and what is filled."""
    pixels = Dot("pixels", 10_000, 0.97, "#D55E00", True, 3000)
    vae = Dot("vae", 100, 0.9, "#0072B2", False, 1000)
    few = vae._replace(labels=100, accuracy=0.5)

    def said(*shown: Dot) -> list[str]:
        return [t.text or "" for t in ElementTree.fromstring(overview(shown)).iter(f"{SVG}text")]

    assert {"filled: on the front", "1,000 labels"} <= set(said(vae, vae._replace(parameters=9)))
    assert said(vae, few)[-1] == "only the largest budget: 1,000 labels"
    assert overview([vae, few]).count("<circle") == overview([vae]).count("<circle")
    assert said(pixels, vae, vae._replace(representation="pca"))[-1] == "1,000 labels, pixels 3,000"


def test_the_most_accurate_is_highest_and_the_largest_rightmost() -> None:
    """The front is drawn last, over the others."""
    root = ElementTree.fromstring(
        overview(
            [
                Dot("pixels", 10_000, 0.97, "#D55E00", True, 1000),
                Dot("vae", 100, 0.9, "#0072B2", False, 1000),
            ],
        )
    )
    *legend, first, last = root.findall(f"{SVG}circle")
    assert [each.attrib["fill"] for each in legend] == ["#0072B2", "#D55E00"]
    assert (first.attrib["stroke"], last.attrib["stroke"]) == ("#0072B2", "#D55E00")
    assert float(last.attrib["cy"]) < float(first.attrib["cy"])
    assert float(last.attrib["cx"]) > float(first.attrib["cx"])


def test_nothing_is_said_to_be_nothing() -> None:
    """A study that has just begun."""
    assert "no trial is complete yet" in overview([])
