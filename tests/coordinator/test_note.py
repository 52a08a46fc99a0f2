"""What MLflow shows above a study's runs."""

from __future__ import annotations

import re

from sweep.configuration import RepresentationSpec
from sweep.coordinator.note import colour_key, summary
from sweep.reports.comparison import Report
from sweep.reports.rows import Measured
from sweep.reports.style import PALETTE, number
from sweep.representations import REPRESENTATIONS
from tests.builders import study_report, trial_result, trial_spec


def report() -> Report:
    pixels = trial_spec(representation=RepresentationSpec(name="pixels"))
    return study_report(
        [Measured(trial_spec(), trial_result([[0.96]])), Measured(pixels, trial_result([[0.97]]))],
        is_mnist=False,
    )


def test_it_has_the_most_accurate_rows() -> None:
    """MLflow takes descriptions of 8,000 characters; a study may have thousands of rows."""
    row = report().rows[0]
    rows = tuple(
        row.model_copy(update={"accuracy": n / 1000, "hidden_neurons": n}) for n in range(1, 1000)
    )
    text = summary(report().model_copy(update={"rows": rows}))
    assert len(text) < 6000
    assert "vae 10 → 999 " in text
    assert "vae 10 → 979 " not in text
    assert "The 20 most accurate of 999 rows." in text


def test_its_columns_stand_apart_whatever_shows_them() -> None:
    """They are text of one width, with spaces between; and nothing of a terminal is in it."""
    text = summary(report().model_copy(update={"unfinished": "2 of 3 trials, not running"}))
    assert text.startswith("# study (2 of 3 trials, not running)\n")
    (table,) = re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)
    assert re.search(
        r"^vae 10 → 200 +96\.00 +1 x 1 +4,210 [* ] +498,652 [* ] +13,859$", table, re.M
    )
    assert "\x1b" not in text
    assert "Accuracy after the last epoch" in text.rpartition("```")[2]


def test_a_colour_has_the_name_of_what_it_looks_like() -> None:
    """Each representation's its own; by the largest of its red, green and blue where that tells."""
    assert colour_key(report()) == "vae blue, pixels orange"
    strongest = {"blue": 2, "orange": 0, "green": 1, "pink": 0, "amber": 0, "sky blue": 2}
    for name in REPRESENTATIONS:
        row = report().rows[0].model_copy(update={"representation": name})
        said = colour_key(report().model_copy(update={"rows": (row,)})).removeprefix(f"{name} ")
        shade = PALETTE[number(name) % len(PALETTE)]
        parts = [int(shade[place : place + 2], 16) for place in (1, 3, 5)]
        assert parts.index(max(parts)) == strongest[said]
