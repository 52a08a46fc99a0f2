"""Reports as text and picture: every row in every form."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from sweep.reports import render
from sweep.reports.comparison import Measured, Report, Row, compare
from sweep.reports.plot import save_accuracy_vs_parameters
from sweep.trial import RepresentationSpec
from tests.builders import trial_result, trial_spec

ACCURACIES = [[0.96, 0.961, 0.959], [0.955, 0.956, 0.957]]


def report(is_mnist: bool) -> Report:
    pixels = trial_spec(representation=RepresentationSpec(name="pixels"), labels_from="encoder")
    measured = [
        Measured(trial_spec(), trial_result(ACCURACIES), "abc"),
        Measured(pixels, trial_result([[0.97], [0.97]], representation_parameters=0), None),
    ]
    return compare("study", measured, "test", is_mnist)


EMPTY = compare("study", [], "test", is_mnist=False)


def test_json_has_the_rows() -> None:
    """As the contract lays them out, null where there is nothing."""
    content = json.loads(render.to_json([report(is_mnist=True)]))
    assert content["study"] == "study"
    assert [Row.model_validate(row, strict=False) for row in content["rows"]] == list(
        report(is_mnist=True).rows
    )
    assert content["rows"][1]["latent_dim"] is None


def test_csv_has_the_rows() -> None:
    """One line each, with the fields of the JSON."""
    rows = list(csv.DictReader(io.StringIO(render.to_csv([report(is_mnist=True)]))))
    assert [float(row["accuracy"]) for row in rows] == [
        row.accuracy for row in report(is_mnist=True).rows
    ]
    assert list(rows[0]) == ["study", *Row.model_fields]
    assert (rows[0]["mlflow_run_ids"], rows[1]["latent_dim"]) == ("abc", "")


def test_markdown_has_the_published_values_where_there_are_any() -> None:
    """In percent, beside ours; and no empty columns elsewhere."""
    compared = render.to_markdown([report(is_mnist=True)])
    assert "| 95.80 |" in compared
    assert "| 96.90 |" in compared
    assert "published" not in render.to_markdown([report(is_mnist=False)]).partition("\n\nAcc")[0]


@pytest.mark.parametrize("is_mnist", [True, False])
def test_the_terminal_s_table_fits_80_columns(is_mnist: bool) -> None:
    """No cell is cut off or folded."""
    console = Console(width=80, file=io.StringIO(), record=True)
    found = report(is_mnist)
    wide = found.rows[0].model_copy(
        update={"hidden_neurons": 1000, "verdict": found.rows[0].verdict and "published higher"}
    )
    console.print(render.to_table([found.model_copy(update={"rows": (wide, *found.rows[1:])})]))
    lines = console.export_text().splitlines()
    assert "…" not in "".join(lines)
    assert any("vae 10 → 1000" in line and "95.80 ± " in line for line in lines)
    assert len([line for line in lines if "→" in line]) == 2


def test_a_study_without_results_has_a_report() -> None:
    """Empty, in every form."""
    assert json.loads(render.to_json([EMPTY]))["rows"] == []
    assert render.to_csv([EMPTY]).count("\n") == 1
    assert "# study" in render.to_markdown([EMPTY])


@pytest.mark.parametrize("found", [report(is_mnist=True), report(is_mnist=False), EMPTY])
def test_the_plot_is_drawn(found: Report, tmp_path: Path) -> None:
    """As PNG and SVG, with units on its axes."""
    png, svg = save_accuracy_vs_parameters([found], tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert png.stat().st_size > 10_000
    drawn = svg.read_text()
    assert "parameters of the classifier (log scale)" in drawn
    assert "accuracy on the test partition (%)" in drawn
