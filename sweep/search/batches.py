"""Optuna's storage in a database, with many trials written in one transaction.

Optuna writes one trial, one attribute or one state at a time, each in a transaction of some ten
statements; with many workers, that is what a study waits for. What is written here are the very
rows that Optuna would write.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session

_AT_ONCE = 500
"""Trials that are asked for in one statement: a database bounds its length."""


@dataclass(frozen=True)
class Created:
    """A trial as the storage calls it."""

    trial_id: int
    number: int


@dataclass(frozen=True)
class EndedTrial:
    """How a trial has ended, and what is to be said of it."""

    trial_id: int
    state: TrialState
    values: Sequence[float]
    """Its objectives; empty if it is not complete."""
    user_attrs: Mapping[str, Any]
    """New ones."""


class BatchStorage(RDBStorage):
    """See the module. Each method is one transaction: all of it is written, or nothing."""

    def create_trials(self, study_id: int, trials: Sequence[FrozenTrial]) -> list[Created]:
        """Create trials as these are, in their order; numbers follow those that there are."""
        with _create_scoped_session(self.scoped_session) as session:
            # As Optuna does: whoever creates a trial of this study elsewhere waits.
            models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
            of_study = models.TrialModel.study_id == study_id
            first = session.scalar(select(func.count(models.TrialModel.trial_id)).where(of_study))
            assert first is not None
            rows = [
                {
                    "number": number,
                    "study_id": study_id,
                    "state": trial.state,
                    "datetime_start": _utc(trial.datetime_start),
                }
                for number, trial in enumerate(trials, first)
            ]
            session.execute(insert(models.TrialModel.__table__), rows)
            ids = _latest_ids(session, of_study, len(rows))
            of_user = [trial.user_attrs for trial in trials]
            of_system = [trial.system_attrs for trial in trials]
            _add(session, models.TrialParamModel, _params(ids, trials))
            _add(session, models.TrialUserAttributeModel, _attributes(ids, of_user))
            _add(session, models.TrialSystemAttributeModel, _attributes(ids, of_system))
        return [Created(each, number) for number, each in enumerate(ids, first)]

    def end_trials(self, ended: Sequence[EndedTrial]) -> None:
        """End trials that run.

        Raises:
            UpdateFinishedTrialError: one of them has ended already.
        """
        ids = [each.trial_id for each in ended]
        now = _utc(datetime.now())  # as Optuna takes it
        with _create_scoped_session(self.scoped_session) as session:
            for part in _parts(ids):
                table = models.TrialModel
                states = select(table.state).where(table.trial_id.in_(part)).with_for_update()
                if any(state.is_finished() for state in session.scalars(states)):
                    raise UpdateFinishedTrialError(f"one of the trials {part} has ended already")
            attributes = _attributes(ids, [each.user_attrs for each in ended])
            _add(session, models.TrialUserAttributeModel, attributes)
            _add(session, models.TrialValueModel, _values(ended))
            states_now = [
                {"trial_id": each.trial_id, "state": each.state, "_datetime_complete_utc": now}
                for each in ended
            ]
            session.execute(update(models.TrialModel), states_now)

    def states(self, trial_ids: Collection[int]) -> dict[int, TrialState]:
        """The states of trials, by their ids."""
        with _create_scoped_session(self.scoped_session) as session:
            table = models.TrialModel
            return {
                trial_id: state
                for part in _parts(list(trial_ids))
                for trial_id, state in session.execute(
                    select(table.trial_id, table.state).where(table.trial_id.in_(part))
                )
            }


def _latest_ids(session: Session, of_study: ColumnElement[bool], count: int) -> list[int]:
    """Of the trials that were created last, in the order of their numbers.

    They are asked for: SQLite returns them by itself only since 3.35, and clusters have older ones.
    """
    table = models.TrialModel
    latest = select(table.number, table.trial_id).where(of_study).order_by(table.trial_id.desc())
    return [trial_id for _, trial_id in sorted(map(tuple, session.execute(latest.limit(count))))]


def _add(session: Session, model: Any, rows: Iterator[dict[str, Any]]) -> None:
    found = list(rows)
    if found:
        session.execute(insert(model.__table__), found)


def _params(ids: Sequence[int], trials: Sequence[FrozenTrial]) -> Iterator[dict[str, Any]]:
    for trial_id, trial in zip(ids, trials, strict=True):
        for name, value in trial.params.items():
            distribution = trial.distributions[name]
            yield {
                "trial_id": trial_id,
                "param_name": name,
                "param_value": distribution.to_internal_repr(value),
                "distribution_json": distribution_to_json(distribution),
            }


def _attributes(
    ids: Sequence[int], attributes: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    for trial_id, of_trial in zip(ids, attributes, strict=True):
        for key, value in of_trial.items():
            yield {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}


def _values(ended: Sequence[EndedTrial]) -> Iterator[dict[str, Any]]:
    for each in ended:
        for objective, value in enumerate(each.values):
            stored, kind = models.TrialValueModel.value_to_stored_repr(value)
            yield {
                "trial_id": each.trial_id,
                "objective": objective,
                "value": stored,
                "value_type": kind,
            }


def _utc(moment: datetime | None) -> datetime | None:
    """As Optuna stores it: of the time zone of UTC, and without saying so."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
