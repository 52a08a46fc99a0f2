"""The picture of a study at a glance."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from sweep.tracking.overview import Mark, overview

SVG = "{http://www.w3.org/2000/svg}"
marks = st.builds(
    Mark,
    representation=st.sampled_from(["vae", "<pixels>"]),
    parameters=st.integers(1, 10**7),
    accuracy=st.floats(0, 1),
    colour=st.sampled_from(["#0072B2", "#D55E00"]),
    on_front=st.booleans(),
)


@given(st.lists(marks, min_size=1, max_size=20))
def test_every_mark_lies_in_the_picture_and_no_label_on_another(shown: list[Mark]) -> None:
    """Whatever the values: in its own colour, with at least one accuracy and one count named."""
    root = ElementTree.fromstring(overview(shown))
    circles = [c for c in root.findall(f"{SVG}circle") if c.attrib["r"] != "4"]
    assert sorted(c.attrib["fill"] for c in circles) == sorted(mark.colour for mark in shown)
    assert all(0 < float(c.attrib["cx"]) < 320 for c in circles)
    assert all(0 < float(c.attrib["cy"]) < 200 for c in circles)
    texts = root.findall(f"{SVG}text")
    heights = [float(t.attrib["y"]) for t in texts if t.attrib["text-anchor"] == "end"]
    assert heights
    assert all(below - above >= 13 for above, below in pairwise(heights))
    assert any(re.fullmatch(r"[\d,]+", t.text or "") for t in texts)


def test_the_most_accurate_is_highest_and_the_largest_rightmost() -> None:
    """The front is drawn last, over the others."""
    root = ElementTree.fromstring(
        overview(
            [
                Mark("pixels", 10_000, 0.97, "#D55E00", True),
                Mark("vae", 100, 0.9, "#0072B2", False),
            ],
        )
    )
    *legend, first, last = root.findall(f"{SVG}circle")
    assert [each.attrib["fill"] for each in legend] == ["#D55E00", "#0072B2"]
    assert (first.attrib["fill"], last.attrib["fill"]) == ("#0072B2", "#D55E00")
    assert float(last.attrib["cy"]) < float(first.attrib["cy"])
    assert float(last.attrib["cx"]) > float(first.attrib["cx"])


def test_nothing_is_said_to_be_nothing() -> None:
    """A study that has just begun."""
    assert "no trial is complete yet" in overview([])
