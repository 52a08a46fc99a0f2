"""What a study's document says of a study that is not finished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from sweep.coordinator.documents import document, report_texts
from sweep.coordinator.studies import open_study
from sweep.lease import lease
from sweep.reports import render
from sweep.workspace import Workspace
from tests.cli.process import TARGET, sweep


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
