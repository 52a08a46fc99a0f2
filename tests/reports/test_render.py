"""Reports as text: every row in every form."""

from __future__ import annotations

import csv
import io
import json
from importlib import resources

import jsonschema
import pytest
from rich.console import Console

from sweep.configuration import RepresentationSpec
from sweep.coordinator.note import summary
from sweep.reports import render
from sweep.reports.charts import charts
from sweep.reports.comparison import Report
from sweep.reports.latex import to_latex
from sweep.reports.page import to_html
from sweep.reports.rows import Measured, Row
from sweep.reports.tables import notes
from sweep.results import EncoderRecord
from tests.builders import study_report, trial_result, trial_spec

ACCURACIES = [[0.96, 0.961, 0.959], [0.955, 0.956, 0.957]]


def report(is_mnist: bool) -> Report:
    pixels = trial_spec(representation=RepresentationSpec(name="pixels"), labels_from="encoder")
    measured = [
        Measured(trial_spec(), trial_result(ACCURACIES), "abc"),
        Measured(pixels, trial_result([[0.97] * 3] * 2, representation_parameters=0), None),
    ]
    return study_report(measured, is_mnist=is_mnist)


EMPTY = study_report([], is_mnist=False)


def test_json_has_the_rows() -> None:
    """As the contract lays them out, null where there is nothing."""
    content = json.loads(render.to_json([report(is_mnist=True)]))
    assert content["study"] == "study"
    assert [Row.model_validate(row, strict=False) for row in content["rows"]] == list(
        report(is_mnist=True).rows
    )
    assert content["rows"][1]["latent_dim"] is None


@pytest.mark.parametrize("studies", [1, 2])
def test_json_follows_the_schema_that_ships_with_the_package(studies: int) -> None:
    """And the schema refuses what lacks a field."""
    shipped = resources.files("sweep.reports").joinpath("report.schema.json").read_text()
    assert shipped == render.json_schema(), (
        "write it anew: uv run python -c 'from sweep.reports import render; "
        'print(render.json_schema(), end="")\' > sweep/reports/report.schema.json'
    )
    content = json.loads(render.to_json([report(is_mnist=True)] * studies))
    validator = jsonschema.Draft202012Validator(json.loads(shipped))
    validator.validate(content)
    del (content if studies == 1 else content["studies"][1])["rows"][0]["accuracy"]
    assert not validator.is_valid(content)


def test_csv_has_the_rows() -> None:
    """One line each, with the fields of the JSON."""
    rows = list(csv.DictReader(io.StringIO(render.to_csv([report(is_mnist=True)]))))
    assert [float(row["accuracy"]) for row in rows] == [
        row.accuracy for row in report(is_mnist=True).rows
    ]
    assert list(rows[0]) == ["study", *Row.model_fields]
    assert (rows[0]["mlflow_run_ids"], rows[1]["latent_dim"]) == ("abc", "")
    assert rows[0]["replicates"].split()[:4] == ["0:0:0.96", "0:1:0.961", "0:2:0.959", "1:0:0.955"]


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
        update={"hidden_neurons": 1000, "verdict": "published higher" if is_mnist else None}
    )
    console.print(render.to_table([found.model_copy(update={"rows": (wide, *found.rows[1:])})]))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    assert any("vae 10 → 1000" in line and "95.80 ± " in line for line in lines)
    assert len([line for line in lines if "→" in line]) == 2


def test_the_terminal_s_table_has_test_scores_and_fronts() -> None:
    """A mark beside the parameters whose front a row is on; long names are folded between words."""
    first, second = report(is_mnist=False).rows
    first = first.model_copy(
        update={
            "representation": "autoencoder",
            "hidden_neurons": 1000,
            "classifier_parameters": 784_010,
            "test_accuracy": 0.9521,
            "varied": {"beta": 0.5},
            "pareto": True,
            "pareto_inference": False,
        }
    )
    second = second.model_copy(update={"pareto": False, "pareto_inference": True})
    found = report(is_mnist=False).model_copy(update={"rows": (first, second)})
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(render.to_table([found]))
    text = console.export_text()
    heading, _, *lines = text.splitlines()
    assert max(len(line) for line in text.splitlines()) <= 80
    words = "configuration accuracy % test % n classifier inference labels"
    assert heading.split() == words.split()
    assert lines[0].split()[-8:] == ["95.21", "2", "x", "3", "784,010", "*", "498,652", "13,859"]
    folded = [line[: line.index("  ") if "  " in line else None] for line in lines[:-1]]
    assert " ".join(folded).startswith("autoencoder 10 → 1000, beta 0.5 pixels")
    assert next(line for line in lines if "pixels" in line).split()[-4:] == [
        "4,210",
        "4,210",
        "*",
        "13,859",
    ]
    assert "on the Pareto front" in text


def test_labels_are_told_apart_beside_published_rows() -> None:
    """They have a column."""
    few = Measured(trial_spec(label_budget=100), trial_result(ACCURACIES, labels=100))
    found = study_report([Measured(trial_spec(), trial_result(ACCURACIES)), few])
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(render.to_table([found]))
    lines = [line.split() for line in console.export_text().splitlines() if "vae" in line]
    assert [line[line.index("498,652") + 2] for line in lines] == ["13,859", "100"]


def test_an_encoder_of_few_updates_is_told_in_all_forms() -> None:
    """With the sentence that a plan has; an encoder that had enough, or is not known, has none."""

    def trained(updates: int | None) -> Report:
        spec = trial_spec(draws=1, members=1)
        (encoder,) = spec.encoders
        record = EncoderRecord(
            spec=encoder,
            history={"loss": (1.0,)},
            parameters=1,
            train_seconds=1.0,
            started_at=0,
            finished_at=1,
            updates=updates,
        )
        return study_report([Measured(spec, trial_result([[0.3]]), None, [record])], is_mnist=False)

    few = trained(96)
    sentence = "vae: 96 updates are too few for an encoder to have learnt anything"
    assert [line.startswith(sentence) for line in few.undertrained] == [True]
    assert trained(500).undertrained == trained(None).undertrained == ()
    forms = [
        "\n".join(notes([few])),  # below the terminal's table
        render.to_markdown([few]),
        summary(few),
        render.to_json([few]),
        to_latex([few]),
        to_html([few], charts([few])),
    ]
    assert all(sentence in form for form in forms)
    assert f"study: {sentence}" in "\n".join(notes([few, trained(500)]))


def test_markdown_s_cells_are_text() -> None:
    """A file's name with a bar in it is no column."""
    found = report(is_mnist=True)
    data = found.provenance.dataset.model_copy(update={"name": "a|<b>.npz"})
    origin = found.provenance.model_copy(update={"dataset": data})
    text = render.to_markdown([found.model_copy(update={"provenance": origin})])
    assert "| dataset | a\\|&lt;b>.npz, content's" in text


def test_a_study_without_results_has_a_report() -> None:
    """Empty, in every form."""
    assert json.loads(render.to_json([EMPTY]))["rows"] == []
    assert render.to_csv([EMPTY]).count("\n") == 1
    assert "# study" in render.to_markdown([EMPTY])


@pytest.mark.parametrize("is_mnist", [True, False])
def test_several_studies_fit_80_columns_whole(is_mnist: bool) -> None:
    """Each stands under its name; all columns are there, at the same places; stars are explained.

    Every word is whole: names of studies, numbers, headings.
    """
    names = ("a_study_whose_name_is_longer_than_any_column", "other")
    first, second = report(is_mnist).rows
    first = first.model_copy(
        update={"test_accuracy": 0.9521, "classifier_parameters": 784_010, "hidden_neurons": 1000}
    )
    found = [
        report(is_mnist).model_copy(update={"study": name, "rows": rows})
        for name, rows in zip(names, [(first, second), (second,)], strict=True)
    ]
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(render.to_table(found))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.startswith("Study ")] == [f"Study {n}" for n in names]
    headings = [line for line in lines if line.startswith("configuration")]
    assert headings == headings[:1] * 2
    assert {"accuracy", "test", "classifier", "inference", "labels"} <= set(headings[0].split())
    end = headings[0].index("labels") + len("labels")
    ends = [line[:end].split()[-1] for line in lines if "→" in line]
    assert ends == ["13,859", "13,859", "13,859"]
    assert "784,010" in "".join(lines)
    assert any("on its study's front of accuracy" in line for line in lines)


def test_what_fits_beside_its_test_score_is_not_folded() -> None:
    """Columns come closer where a line would else be too long by a few characters."""
    (row,) = study_report([Measured(trial_spec(), trial_result(ACCURACIES))], is_mnist=False).rows
    row = row.model_copy(
        update={"test_accuracy": 0.95, "hidden_neurons": 1000, "classifier_parameters": 784_010}
    )
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(render.to_table([report(is_mnist=False).model_copy(update={"rows": (row,)})]))
    assert any(
        "vae 10 → 1000 " in line and "13,859" in line for line in console.export_text().splitlines()
    )
