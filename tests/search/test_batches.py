"""Trials that are written in one transaction: the very rows that Optuna itself writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import event

from sweep.search.batches import BatchStorage, EndedTrial
from sweep.search.storage import open_storage
from tests.chaos.servers import PG, postgres

MAXIMIZE = [optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    """Two empty databases."""
    if request.param == "sqlite":
        yield [f"sqlite:///{tmp_path}/{name}.db" for name in ("ours", "theirs")]
        return
    if not (PG / "initdb").exists():
        pytest.skip("wants PostgreSQL")
    with postgres() as server:
        yield [server.url("optuna"), server.url("mlflow")]


def template(number: int) -> FrozenTrial:
    """A running trial with all that one can have."""
    trial = create_trial(
        state=TrialState.RUNNING,
        params={"layers": number, "rate": 0.5 * number, "kind": "b"},
        distributions={
            "layers": IntDistribution(0, 100, log=False),
            "rate": FloatDistribution(0, 100),
            "kind": CategoricalDistribution(["a", "b"]),
        },
        user_attrs={"spec": {"deep": [1, None, "ü"]}, "attempt": number},
    )
    trial.set_constraint("size", float(number))
    return trial


def one_by_one(storage: BatchStorage, study_id: int) -> None:
    """By Optuna's own methods."""
    ids = [storage.create_new_trial(study_id, template(number)) for number in range(3)]
    for trial_id in ids[:2]:
        storage.set_trial_user_attr(trial_id, "result", {"accuracy": 0.5})
    storage.set_trial_state_values(ids[0], TrialState.COMPLETE, [0.5, float("inf")])
    storage.set_trial_state_values(ids[1], TrialState.FAIL)


def together(storage: BatchStorage, study_id: int) -> None:
    """By ours."""
    created = storage.create_trials(study_id, [template(number) for number in range(3)])
    assert [each.number for each in created] == [0, 1, 2]
    said = {"result": {"accuracy": 0.5}}
    first, second, _ = (each.trial_id for each in created)
    storage.end_trials(
        [
            EndedTrial(first, TrialState.COMPLETE, [0.5, float("inf")], said),
            EndedTrial(second, TrialState.FAIL, (), said),
        ]
    )


def rows(storage: BatchStorage) -> dict[str, list[Any]]:
    """All tables of trials, but for the moments in them."""
    found = {}
    with storage.engine.connect() as connection:
        for table in ("trials", "trial_params", "trial_user_attributes",
                      "trial_system_attributes", "trial_values"):  # fmt: skip
            lines = connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall()
            moment = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?|datetime\([^)]*\)")
            found[table] = sorted(moment.sub("(a moment)", repr(tuple(line)[1:])) for line in lines)
    return found


def test_rows_are_optuna_s(urls: list[str]) -> None:
    """To the last column, in both databases; and Optuna reads them as its own."""
    written = []
    for url, write in zip(urls, (together, one_by_one), strict=True):
        storage = open_storage(url)
        write(storage, storage.create_new_study(MAXIMIZE, "study"))
        written.append((rows(storage), optuna.load_study(study_name="study", storage=url).trials))
    (ours, our_trials), (theirs, their_trials) = written
    assert ours == theirs
    for mine, other in zip(our_trials, their_trials, strict=True):
        assert mine.datetime_start is not None
        assert other.datetime_start is not None
        assert abs((mine.datetime_start - other.datetime_start).total_seconds()) < 60
        assert (mine.datetime_complete is None) == (other.datetime_complete is None)
        assert (mine.params, mine.values, mine.state) == (other.params, other.values, other.state)
        assert mine.constraints == other.constraints


def test_numbers_follow_those_that_there_are(urls: list[str]) -> None:
    """Also those of another program, and of this study alone."""
    storage = open_storage(urls[0])
    study_id = storage.create_new_study(MAXIMIZE, "study")
    storage.create_trials(storage.create_new_study(MAXIMIZE, "other"), [template(0)] * 2)
    optuna.load_study(study_name="study", storage=urls[0]).ask()
    assert [each.number for each in storage.create_trials(study_id, [template(0)] * 700)] == list(
        range(1, 701)
    )


@pytest.mark.parametrize("spoil", ["end", "create"])
def test_all_of_it_or_nothing(urls: list[str], spoil: str) -> None:
    """One that has ended refuses all; and one that cannot be written takes none with it."""
    storage = open_storage(urls[0])
    study_id = storage.create_new_study(MAXIMIZE, "study")
    created = storage.create_trials(study_id, [template(number) for number in range(2)])
    ended = [EndedTrial(each.trial_id, TrialState.FAIL, (), {}) for each in created]
    if spoil == "end":
        storage.end_trials(ended[:1])
        with pytest.raises(UpdateFinishedTrialError):
            storage.end_trials(ended[::-1])
    else:
        bad = template(3)
        bad.user_attrs["spec"] = object()
        with pytest.raises(TypeError):
            storage.create_trials(study_id, [template(2), bad])
    states = storage.states([each.trial_id for each in created])
    first = TrialState.FAIL if spoil == "end" else TrialState.RUNNING
    assert [states[each.trial_id] for each in created] == [first, TrialState.RUNNING]
    assert len(storage.get_all_trials(study_id)) == 2


def test_nothing_is_asked_that_an_old_sqlite_lacks(tmp_path: Path) -> None:
    """Clusters have versions before 3.35, in which an INSERT returns nothing."""
    storage = open_storage(f"sqlite:///{tmp_path}/optuna.db")
    said: list[str] = []

    @event.listens_for(storage.engine, "before_cursor_execute")
    def note(*arguments: Any) -> None:
        said.append(arguments[2])

    study_id = storage.create_new_study(MAXIMIZE, "study")
    together(storage, study_id)
    again = storage.create_trials(study_id, [template(number) for number in range(3)])
    numbers = {trial._trial_id: trial.number for trial in storage.get_all_trials(study_id)}
    assert [(each.number, numbers[each.trial_id]) for each in again] == [(3, 3), (4, 4), (5, 5)]
    assert any(statement.startswith("INSERT INTO trials") for statement in said)
    ours = [statement for statement in said if "INTO trial" in statement]
    assert not [statement for statement in ours if "RETURNING" in statement]
