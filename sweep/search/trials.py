"""An attempt as a trial of Optuna's, and back: with its spec and what came of it, sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.config import Cell
from sweep.results import TrialResult
from sweep.search.attempt import Attempt, Failure
from sweep.search.seals import sealed, unsealed
from sweep.specs import TrialSpec

_SPEC, _CELL, _ATTEMPT = "spec", "cell", "attempt"
_STARTED, _RESULT, _FAILURE = "started_at", "result", "failure"


@dataclass(frozen=True)
class Draft:
    """An attempt that is to begin, and what Optuna is told of it."""

    attempt: Attempt
    """Its number is what it should be: another program may add trials, too."""
    params: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    constraints: Mapping[str, float]


def as_trial(draft: Draft) -> FrozenTrial:
    """What Optuna is to create: running, with all but its number."""
    attempt = draft.attempt
    trial = create_trial(
        state=TrialState.RUNNING,
        params=dict(draft.params),
        distributions=dict(draft.distributions),
        user_attrs={
            _SPEC: sealed(attempt.spec.model_dump(mode="json")),
            _CELL: sealed(attempt.cell.model_dump(mode="json")),
            _ATTEMPT: attempt.attempt,
            _STARTED: attempt.started_at,
        },
    )
    for name, excess in draft.constraints.items():
        trial.set_constraint(name, excess)
    return trial


def outcome(attempt: Attempt) -> dict[str, Any]:
    """What is written of an attempt that has ended."""
    if attempt.result is not None:
        return {_RESULT: sealed(attempt.result.model_dump(mode="json"))}
    assert attempt.failure is not None
    return {_FAILURE: sealed(attempt.failure.model_dump(mode="json"))}


def is_attempt(trial: FrozenTrial) -> bool:
    """Whether it is one: others were added by hand, with Optuna's own tools."""
    return _SPEC in trial.user_attrs


def as_attempt(trial: FrozenTrial) -> Attempt:
    """The attempt that a trial is.

    Raises:
        ValueError, KeyError, TypeError: it is not what was written.
    """
    attributes = {name: unsealed(value) for name, value in trial.user_attrs.items()}
    result, failure = attributes.get(_RESULT), attributes.get(_FAILURE)
    return Attempt(
        number=trial.number,
        spec=TrialSpec.model_validate(attributes[_SPEC], strict=False),
        cell=Cell.model_validate(attributes[_CELL], strict=False),
        attempt=attributes[_ATTEMPT],
        started_at=attributes[_STARTED],
        result=TrialResult.model_validate(result, strict=False) if result else None,
        failure=Failure.model_validate(failure, strict=False) if failure else None,
    )
