"""The report's tables, as cells."""

from __future__ import annotations

import io
import re

from rich.console import Console

from sweep.configuration import RepresentationSpec
from sweep.reports.render import to_table
from sweep.reports.rows import Measured
from sweep.reports.tables import Table, comparison_table, further_tables
from sweep.results import Assessment
from tests.builders import letter_spec, study_report, trial_result, trial_spec

LETTER = letter_spec()
COUNTS = tuple(tuple(10 * (i == j) + (i == 0) for j in range(10)) for i in range(10))
CLOSE = [[0.96, 0.961, 0.962]] * 3 + [[0.957, 0.958, 0.959]] * 2
PIXELS = {"representation": RepresentationSpec(name="pixels")}


def tables(measured: list[Measured], **arguments: object) -> dict[str, Table]:
    found = further_tables([study_report(measured, **arguments)])
    return {table.title: table for table in found}


def test_the_comparison_has_a_line_a_row() -> None:
    """With the published values where there are any."""
    table = comparison_table([study_report([Measured(LETTER, trial_result(CLOSE))])])
    (cells,) = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    assert cells["configuration"] == "vae 10 → 200"
    assert cells["n"] == "5 x 3"
    assert cells["published %"] == "96.90"
    assert cells["printed parameters"] == "2,000"
    assert cells["gap"] == "+0.92"
    assert cells["verdict"] == "published higher"
    assert cells["one new run %"].count(" to ") == 1


def test_the_comparison_says_what_the_terminal_says() -> None:
    """Test scores and marks of fronts, with the same legend: of what was selected, and of no other.

    The terminal's table joins an accuracy with its interval, and has no room for more.
    """
    assessment = Assessment(
        key="k", accuracies=((0.8,), (0.9,)), confusion=COUNTS, milliseconds=12.5
    )
    spec = trial_spec(scored_on="validation", draws=2, members=1)
    worse = trial_spec(scored_on="validation", draws=2, members=1, hidden_neurons=400)
    measured = [
        Measured(spec, trial_result([[0.9], [0.8]]), assessment=assessment),
        Measured(worse, trial_result([[0.8], [0.8]], classifier_parameters=8_410)),
    ]
    report = study_report(measured, scored_on="validation")
    table = comparison_table([report])
    best, other = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    assert (best["test %"], best["classifier parameters"]) == ("85.00", "4,210 *")
    assert (other["test %"], other["classifier parameters"].strip()) == ("–", "8,410")
    assert best["95 % interval of test"].count(" to ") == 1
    terminal = Console(width=80, file=io.StringIO())
    terminal.print(to_table([report]))
    assert isinstance(terminal.file, io.StringIO)
    heads, *_, below, front = terminal.file.getvalue().splitlines()
    assert set(re.split(r"\s{2,}", heads.strip())) - {"classifier", "inference"} <= {*table.columns}
    assert all(f"{line.strip()}." in table.notes for line in (below, front))
    assert any(note.startswith("one new run %: ") for note in table.notes)


def test_verdicts_are_sentences_with_their_caveats() -> None:
    """How many are wrong by chance, that rows share encoders, and which epoch counts."""
    (first, *caveats) = tables([Measured(LETTER, trial_result(CLOSE))])["What was published"].notes
    assert first.startswith("vae 10 → 200: published 96.9 %")
    text = " ".join(caveats)
    for part in ("1 verdicts at 95 %", "0.1 times", "share encoders", "best epoch"):
        assert part in text


def test_without_published_rows_nothing_is_said_of_them() -> None:
    """Not even caveats."""
    found = tables([Measured(LETTER, trial_result(CLOSE))], is_mnist=False)
    assert "What was published" not in found


def test_fronts_say_how_sure_they_are_and_what_the_test_partition_says() -> None:
    """Where a search has selected, the selection is said to be scored once."""
    assessment = Assessment(
        key="k", accuracies=((0.8,), (0.9,)), confusion=COUNTS, milliseconds=12.5
    )
    spec = trial_spec(scored_on="validation", draws=2, members=1)
    measured = [Measured(spec, trial_result([[0.9], [0.8]]), assessment=assessment)]
    found = tables(measured, scored_on="validation")
    front = found["Pareto fronts"]
    (cells,) = (dict(zip(front.columns, row, strict=True)) for row in front.rows)
    assert cells["on the front"] == "yes"  # no share below five draws
    assert cells["labels"] == "13,859"
    assert cells["test %"] == "85.00"
    assert "once" in front.notes[-1]
    (costs,) = found["Costs"].rows
    assert "12.5" in costs
    confusion = found["Confusion on the test partition: vae 10 → 200, 13,859 labels"]
    assert confusion.rows[0] == ("0", "11", *["1"] * 9, "55.00")


def test_differences_are_in_points_with_their_sign() -> None:
    """First minus second, paired."""
    measured = [
        Measured(trial_spec(draws=2, members=1), trial_result([[0.90], [0.91]])),
        Measured(
            trial_spec(**PIXELS, draws=2, members=1),
            trial_result([[0.92], [0.95]], classifier_parameters=4_000),
        ),
    ]
    table = tables(measured)["Differences within the same number of parameters"]
    row = table.rows[0]
    assert row[:5] == ("classifier", "5,000", "13,859", "vae 10 → 200", "pixels → 200")
    assert row[5] == "-3.00"
    assert " to " in row[6]
    assert row[7:] == ("2", "test")
    assert "Of 2 differences, 0.1 would" in table.notes[1]


def test_differences_of_one_draw_are_not_shown() -> None:
    """They have no interval; one sentence says so, instead of a table of dashes."""
    measured = [
        Measured(trial_spec(draws=1, members=1), trial_result([[0.90]])),
        Measured(
            trial_spec(**PIXELS, draws=1, members=1),
            trial_result([[0.92]], classifier_parameters=4_000),
        ),
    ]
    assert study_report(measured).differences
    table = tables(measured)["Differences within the same number of parameters"]
    assert (table.columns, table.rows) == ((), ())
    (sentence,) = table.notes
    assert "one draw each" in sentence


def test_columns_in_which_nothing_stands_are_left_out() -> None:
    """Of all tables; what one row has stays."""
    one = Measured(trial_spec(draws=1, members=1), trial_result([[0.9]]))
    two = Measured(trial_spec(hidden_neurons=100), trial_result([[0.9], [0.92]]))
    intervals = {"95 % interval of accuracy", "one new run %"}
    assert not intervals & set(comparison_table([study_report([one])]).columns)
    both = comparison_table([study_report([one]), study_report([two], study="other")])
    assert intervals < set(both.columns)
    assert "–" in both.rows[0]
    assert "ms for 1,000 images" not in tables([one])["Costs"].columns


def test_label_budgets_are_a_table_of_their_own() -> None:
    """A column for each number of labels, a row for each representation."""
    measured = [
        Measured(trial_spec(), trial_result([[0.9], [0.92]])),
        Measured(trial_spec(label_budget=100), trial_result([[0.6], [0.6]], labels=100)),
        Measured(trial_spec(**PIXELS), trial_result([[0.97], [0.97]])),
    ]
    table = tables(measured)["Label budgets"]
    assert table.columns == ("representation", "all labels", "100 labels")
    assert [row[0] for row in table.rows] == ["vae", "pixels"]
    assert table.rows[0][2] == "60.00 ± 0.00"
    assert table.rows[1][2] == "–"


def test_where_the_numbers_come_from_is_said() -> None:
    """Data, seed, machine, versions and durations."""
    text = str(tables([])["Provenance"].rows)
    for part in (
        "mnist", "seed", "a processor, 2 cores", "tensorflow 2.21.0", "100 s of encoders",
        "5 trained from 2025-12-30T00:00:00+00:00", "another processor, 4 cores",
        "revision abc; LD_PRELOAD=theirs.so",
    ):  # fmt: skip
        assert part in text


def test_of_several_studies_each_has_its_tables() -> None:
    """Under its name."""
    one = study_report([])
    found = further_tables([one, one.model_copy(update={"study": "other"})])
    assert [table.title for table in found] == ["study: Provenance", "other: Provenance"]
    rows = comparison_table([study_report([Measured(LETTER, trial_result(CLOSE))]), one])
    assert rows.columns[0] == "study"
