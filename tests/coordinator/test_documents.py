"""What a study's document says of a study that is not finished, and of what is confirmed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sweep.artifacts import ArtifactStore
from sweep.config import StudyConfig, parse_config
from sweep.coordinator.documents import document, report_texts
from sweep.coordinator.studies import open_study
from sweep.home import Home
from sweep.lease import lease
from sweep.reports import render
from sweep.reports.tables import notes
from sweep.results import Replicate
from sweep.search.attempt import Attempt
from sweep.search.storage import open_storage
from sweep.search.study import Study
from sweep.workspace import Workspace
from tests.cli.process import TARGET, sweep
from tests.search.builders import FACTS, begin, complete, config, result


def test_what_is_left_out_is_said_first(finished: Path) -> None:
    """In the title of every form that is read; the numbers' own form stays as it is."""
    workspace = Workspace.at(finished, {})
    recorded = open_study(workspace, "tiny")
    whole = document(recorded, {}, workspace.store)
    part = document(replace(recorded, attempts=recorded.attempts[:-1]), {}, workspace.store)
    running = document(recorded, {}, workspace.store, is_running=True)
    left = f"tiny ({TARGET - 1} of {TARGET} trials, not running)"
    assert [each.report.title for each in (whole, part, running)] == [
        "tiny",
        left,
        f"tiny ({TARGET} of {TARGET} trials, still running)",
    ]
    texts = report_texts([part], [])
    assert texts["report.md"].startswith(f"# {left}\n")
    assert f"<h1>{left}</h1>" in texts["report.html"]
    assert left.replace("_", r"\_") in texts["report.tex"]
    assert render.to_json([running.report]) == render.to_json([whole.report])
    console = Console(width=80, record=True)
    console.print(render.to_table([whole.report, part.report]))
    assert f"Study {left}\n" in console.export_text()


def test_a_report_of_a_study_that_runs_says_so(copy: Path) -> None:
    """In the first line of the terminal."""
    with lease(Workspace.at(copy, {}), "tiny"):
        meanwhile = sweep("report", "tiny", "--home", copy).stdout
    assert meanwhile.splitlines()[0] == f"Study tiny ({TARGET} of {TARGET} trials, still running)"
    assert sweep("report", "tiny", "--home", copy).stdout.splitlines()[0] == "Study tiny"


def confirming(trials: int) -> StudyConfig:
    """A search of pixels whose selected ones are confirmed on two draws."""
    tree = config(pixels=trials).model_dump()
    return parse_config(tree | {"confirm": {"draws": 2, "classifiers": 1}}, "test")


def confirm(study: Study, attempt: Attempt) -> None:
    """Note that an attempt was confirmed."""
    spec = study.config.confirming_spec(attempt.spec)
    assert attempt.result is not None
    replicates = tuple(
        Replicate(draw=draw, member=0, accuracy=0.5, accuracy_best_epoch=0.5)
        for draw in spec.draw_numbers
    )
    update = {"key": spec.key, "replicates": replicates}
    study.note_confirmation(attempt.result.model_copy(update=update))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path)
    home.create()
    return home


def searched(home: Home, trials: int, accuracy: float | None = None) -> Study:
    """The study after so many trials; those that are new have an accuracy, or grow with neurons."""
    study = Study(open_storage(f"sqlite:///{home.optuna_db}"), confirming(trials), FACTS)
    while (attempt := begin(study)) is not None:
        complete(study, attempt, result(attempt, accuracy))
    return study


def test_what_is_selected_and_what_is_confirmed_are_counted_apart(home: Home) -> None:
    """In the title and in the notes, until all of it is confirmed."""
    study, store = searched(home, 6), ArtifactStore(home)  # more neurons are better: all selected
    before = document(study.recorded, {}, store).report
    assert before.title == "study (0 of 6 selected are confirmed, not running)"
    assert not before.searched
    for attempt in study.attempts[:2]:
        confirm(study, attempt)
    part = document(study.recorded, {}, store).report
    assert part.title == "study (2 of 6 selected are confirmed, not running)"
    assert (len(part.rows), len(part.searched)) == (2, 6)
    (note,) = (each for each in notes([part]) if "selected by" in each)
    assert note.startswith("study: 6 of 6 configurations were selected by")
    assert "and 2 of these so far trained again on draws that it had not seen: 4 draws" in note
    for attempt in study.attempts[2:]:
        confirm(study, attempt)
    whole = document(study.recorded, {}, store).report
    assert whole.title == "study"
    (note,) = (each for each in notes([whole]) if "selected by" in each)
    assert "and trained again on draws that it had not seen: 12 draws" in note


def test_what_is_selected_no_more_leaves_the_report(home: Home) -> None:
    """Trials that were added after confirming may push what was confirmed off the fronts."""
    study = searched(home, 6)
    for attempt in study.attempts:
        confirm(study, attempt)
    study, store = searched(home, 8, accuracy=0.999), ArtifactStore(home)
    neurons = [attempt.cell.hidden_neurons for attempt in study.attempts]
    best = min(neurons[6:])  # the smallest of the new ones beats all that have more
    still = {n for n in neurons[:6] if n < best}
    assert 0 < len(still) < 6
    part = document(study.recorded, {}, store)
    assert {row.hidden_neurons for row in part.report.rows} == still
    assert {attempt.cell.hidden_neurons for attempt in part.attempts} == still
    title = f"study ({len(still)} of {len(still) + 1} selected are confirmed, not running)"
    assert part.report.title == title
