"""What a study has selected, as its trials go on; nothing is trained."""

from __future__ import annotations

from pathlib import Path

from sweep.artifacts import ArtifactStore
from sweep.config import parse_config
from sweep.coordinator.projector import Projector
from sweep.coordinator.selection import Selection
from sweep.coordinator.trials import Snapshot
from sweep.execution import Failed, FailureKind, Task
from sweep.home import Home
from sweep.results import Assessment
from sweep.search.attempt import Cause
from sweep.search.storage import open_storage
from sweep.search.study import Study
from sweep.specs import SPEC, AssessmentSpec
from sweep.workspace import Workspace
from tests.coordinator.executors import Elastic
from tests.coordinator.work import made
from tests.search.builders import FACTS, begin, complete, config, fail, failure, result


def test_what_a_retried_trial_changes_is_seen(tmp_path: Path) -> None:
    """It may be the best: what was selected before it ended is not what is selected."""
    home = Home.at(tmp_path)
    home.create()
    storage = open_storage(f"sqlite:///{home.optuna_db}")
    study = Study(storage, config(pixels=2), FACTS)
    first = begin(study)
    assert first is not None
    fail(study, first, failure(Cause.DIVERGED))
    while attempt := begin(study):
        complete(study, attempt, result(attempt, 0.5))
        key = AssessmentSpec(trial=attempt.spec).key
        confusion = ((0,) * 10,) * 10
        study.note_assessment(
            Assessment(key=key, accuracies=((0.5,),), confusion=confusion, milliseconds=1.0)
        )
    assert not study.shortfall
    study.retry_failed()
    study = Study(storage, config(pixels=2), FACTS)
    projector = Projector(Workspace.at(home.root), study.config.name, FACTS)
    try:
        workers = Elastic(lambda _: "never asked")
        selection = Selection(study, workers, ArtifactStore(home), projector, lambda _: None)
        assert not selection.is_left
        again = begin(study)
        assert again is not None
        assert again.spec == first.spec
        complete(study, again, result(again, 0.99))
        assert selection.is_left
    finally:
        projector.close()


def test_a_worker_that_is_killed_meanwhile_is_said(tmp_path: Path) -> None:
    """Of every task, once for each time that it begins again; what was selected is confirmed and
    assessed all the same."""
    home = Home.at(tmp_path)
    home.create()
    tree = config(pixels=1).model_dump() | {"confirm": {"draws": 2, "classifiers": 1}}
    study = Study(open_storage(f"sqlite:///{home.optuna_db}"), parse_config(tree, "test"), FACTS)
    while attempt := begin(study):
        complete(study, attempt, result(attempt))
    died: dict[str, str] = {}

    def ending(task: Task) -> str | Failed:
        spec = SPEC.validate_json(task.payload)
        if spec.key in died:
            return made(spec)
        died[spec.key] = spec.label
        return Failed(FailureKind.DIED, "its worker was killed")

    news: list[str] = []

    def watch(snapshot: Snapshot) -> None:
        news.extend(snapshot.news)

    projector = Projector(Workspace.at(home.root), study.config.name, FACTS)
    try:
        selection = Selection(study, Elastic(ending), ArtifactStore(home), projector, watch)
        selection.confirm(lambda: False)
        selection.assess(lambda: False)
    finally:
        projector.close()
    assert not selection.is_left
    kinds = [label.split()[0] for label in died.values()]
    assert sorted(kinds) == ["assessing", "pixels", "pixels"]
    again = [line for line in news if "begins again" in line]
    assert again == [
        f"{label}: worker died: its worker was killed; it begins again" for label in died.values()
    ]
