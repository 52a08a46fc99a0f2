"""A study's image in MLflow, and what is not done again for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweep.coordinator import mirror as mirror_module
from sweep.coordinator.documents import Document, write_report
from sweep.coordinator.mirror import Mirror
from sweep.coordinator.run import open_for_writing
from sweep.tracking import Run, Tracker
from sweep.workspace import Workspace
from tests.search.builders import FACTS, config, result


def test_a_report_is_attached_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that finds nothing to do draws nothing; what has changed, or is gone, is drawn anew."""
    written: list[int] = []

    def counting(documents: list[Document], directory: Path, mlflow: str | None) -> list[Path]:
        written.append(len(documents[0].report.rows))
        return write_report(documents, directory, mlflow)

    monkeypatch.setattr(mirror_module, "write_report", counting)
    projected: list[str] = []
    project = Tracker.project

    def noting(self: Tracker, run: Run) -> str:
        projected.append(run.kind)
        return project(self, run)

    monkeypatch.setattr(Tracker, "project", noting)
    workspace = Workspace.at(tmp_path, {})
    workspace.home.create()
    for trials in (2, 2, 3, 3):
        study = open_for_writing(workspace, config(pixels=trials), FACTS)
        while (attempt := study.begin_next()) is not None:
            study.complete(attempt, result(attempt))
        mirror = Mirror(study, workspace)
        mirror.begin()
        assert mirror.finish(stopped=False).chart is not None
    assert written == [2, 3]
    assert [kind for kind in projected if kind != "study"] == ["trial"] * 3
    (page,) = list(workspace.home.mlartifacts.rglob("report.html"))
    assert "http://127.0.0.1:5000/#/runs/" in page.read_text()
    page.unlink()
    assert Mirror(study, workspace).finish(stopped=False).chart is not None
    assert written == [2, 3, 3]
