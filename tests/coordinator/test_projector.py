"""The background thread that writes MLflow, with a real store."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sweep.coordinator.projector import Projector
from sweep.coordinator.runs import attempt_run
from sweep.home import Home
from sweep.search.storage import open_storage
from sweep.search.study import Study
from sweep.workspace import Workspace
from tests.search.builders import FACTS, begin, complete, config, result


def writing() -> list[threading.Thread]:
    """The threads that write MLflow."""
    return [each for each in threading.enumerate() if each.name.startswith("mlflow")]


def test_one_that_is_closed_leaves_what_waits(tmp_path: Path) -> None:
    """Also one that gives way: whoever was interrupted may be followed at once by another run."""
    home = Home.at(tmp_path)
    home.create()
    study = Study(open_storage(f"sqlite:///{home.optuna_db}"), config(pixels=12), FACTS)
    while attempt := begin(study):
        complete(study, attempt, result(attempt))
    projector = Projector(Workspace.at(home.root), study.config.name, FACTS)
    projector.give_way(busy=True)
    projector.project([attempt_run(attempt) for attempt in study.attempts])
    assert writing()
    projector.close()
    began = time.monotonic()
    for thread in writing():
        thread.join(timeout=60)
    assert not writing()
    assert time.monotonic() - began < 5  # it waits that long for each of twelve
