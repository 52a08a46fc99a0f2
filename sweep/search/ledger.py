"""The ledger of a study: its attempts in Optuna's storage, which is the source of truth.

An attempt is written with its spec in the one transaction that creates it. Its result is stored
before the trial is told to be complete; telling is the commit point. So after a crash at any moment
an attempt is either complete, or running with its result (told at the next start), or running
without (interrupted, and its spec runs again).

Beside them it holds what the study's report stands on: records of the encoders, and assessments of
what was selected. Everything is sealed: what was changed since is refused, and never believed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.config import Cell
from sweep.errors import UnknownStudyError
from sweep.lease import taken_over
from sweep.results import Assessment, DataFacts, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt, Failure, interruption
from sweep.search.attributes import Attributes
from sweep.search.patience import Patience, at_once
from sweep.search.seals import believing, sealed, unsealed
from sweep.specs import TrialSpec
from sweep.spelling import did_you_mean

_SPEC, _CELL, _ATTEMPT = "spec", "cell", "attempt"
_STARTED, _RESULT, _FAILURE = "started_at", "result", "failure"
_CONFIG, _DATA, _RETRIED, _ENVIRONMENTS = "config", "data", "retried", "environments"
_ENCODER, _ASSESSMENT, _CONFIRMATION = "encoder:", "assessment:", "confirmation:"


class Ledger:
    """The attempts of one study. Only the study's coordinator writes."""

    def __init__(
        self, storage: BaseStorage, name: str, stopping: Callable[[], bool] = lambda: True
    ) -> None:
        """Open an existing study.

        Args:
            storage: Optuna's storage.
            name: the study's name.
            stopping: says that nobody waits for a storage that is out of reach.

        Raises:
            UnknownStudyError: there is no study of this name.
        """
        self._storage = storage
        self._do = Patience(stopping).until_done
        self.name = name
        try:
            self.study_id: int = self._do(lambda: storage.get_study_id_from_name(name))
        except KeyError:
            known = study_names(storage)
            there = f"the home has {', '.join(known)}" if known else "the home has no study yet"
            guess = did_you_mean(name, known)
            hint = f"{guess} {there}" if guess else there
            raise UnknownStudyError(f"there is no study '{name}'", hint=hint) from None
        self._about = Attributes(storage, self.study_id, name, self._do)
        self._trial_ids: dict[int, int] = {}

    @staticmethod
    def create(
        storage: BaseStorage,
        name: str,
        directions: Sequence[StudyDirection],
        config: Mapping[str, Any],
        data: DataFacts,
    ) -> None:
        """Create a study with the config that identifies it and the facts of its dataset."""
        at_once(lambda: storage.create_new_study(directions, name))
        Ledger(storage, name).set_config(config, data)

    @property
    def config(self) -> dict[str, Any] | None:
        """The config that the study was last run with; None if its creation was cut short."""
        config: dict[str, Any] | None = self._about.get(_CONFIG)
        return config

    @property
    def is_another_program_s(self) -> bool:
        """Whether it has trials and no config; what we were creating when we died has neither."""
        n_trials = self._do(lambda: self._storage.get_n_trials(self.study_id))
        return self.config is None and n_trials > 0

    @property
    def data(self) -> DataFacts | None:
        """The study's dataset; None if its creation was cut short."""
        data = self._about.get(_DATA)
        with believing(self.name, "its dataset's facts"):
            return DataFacts.model_validate(data) if data else None

    @property
    def environments(self) -> list[dict[str, Any]]:
        """The different machines and versions that the study was run with, in their order."""
        return list(self._about.get_list(_ENVIRONMENTS))

    def note_environment(self, environment: Mapping[str, Any]) -> None:
        """Write down what the study is run with, if it was not yet."""
        known = self.environments
        if environment not in known:
            self._about.set_list(_ENVIRONMENTS, [*known, dict(environment)])

    @property
    def retried(self) -> frozenset[int]:
        """Numbers of the failed attempts whose specs a user wants to run again."""
        return frozenset(self._about.get_list(_RETRIED))

    def retry(self, numbers: Collection[int]) -> None:
        """Write down that a user wants the specs of these attempts to run again."""
        self._about.set_list(_RETRIED, sorted(self.retried.union(numbers)))

    def set_config(self, config: Mapping[str, Any], data: DataFacts) -> None:
        """Write down the config, or replace it by one that only adds to it."""
        self._about.set(_DATA, data.model_dump(mode="json"))
        self._about.set(_CONFIG, dict(config))

    @property
    def encoders(self) -> dict[str, EncoderRecord]:
        """What is known of the encoders that the study's trials stand on, by key."""
        with believing(self.name, "the record of an encoder"):
            return {
                key: EncoderRecord.model_validate(value, strict=False)
                for key, value in self._about.of_kind(_ENCODER)
            }

    def note_encoder(self, record: EncoderRecord) -> None:
        """Write down an encoder that the study's trials stand on."""
        self._about.set(f"{_ENCODER}{record.spec.key}", record.model_dump(mode="json"))

    @property
    def assessments(self) -> dict[str, Assessment]:
        """What was assessed, by the assessment's key."""
        with believing(self.name, "an assessment"):
            return {
                key: Assessment.model_validate(value, strict=False)
                for key, value in self._about.of_kind(_ASSESSMENT)
            }

    def note_assessment(self, assessment: Assessment) -> None:
        """Write down what was assessed."""
        self._about.set(f"{_ASSESSMENT}{assessment.key}", assessment.model_dump(mode="json"))

    @property
    def confirmations(self) -> dict[str, TrialResult]:
        """Results of the trials that confirm what was selected, by key."""
        with believing(self.name, "a confirmation"):
            return {
                key: TrialResult.model_validate(value, strict=False)
                for key, value in self._about.of_kind(_CONFIRMATION)
            }

    def note_confirmation(self, result: TrialResult) -> None:
        """Write down what confirming a configuration gave."""
        self._about.set(f"{_CONFIRMATION}{result.key}", result.model_dump(mode="json"))

    def attempts(self) -> list[Attempt]:
        """All attempts, by number.

        Raises:
            DamagedStorageError: one is not what was written.
        """
        return [
            self._attempt(trial)
            for trial in self._do(lambda: self._trials(None))
            if _SPEC in trial.user_attrs  # others were added by hand, with Optuna's own tools
        ]

    def begin(
        self,
        spec: TrialSpec,
        cell: Cell,
        attempt: int,
        params: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
        constraints: Mapping[str, float],
    ) -> Attempt:
        """Write down a new attempt, running, in one transaction."""
        trial = create_trial(
            state=TrialState.RUNNING,
            params=dict(params),
            distributions=dict(distributions),
            user_attrs={
                _SPEC: sealed(spec.model_dump(mode="json")),
                _CELL: sealed(cell.model_dump(mode="json")),
                _ATTEMPT: attempt,
                _STARTED: _now(),
            },
        )
        for name, excess in constraints.items():
            trial.set_constraint(name, excess)

        def create() -> FrozenTrial:
            return self._storage.get_trial(self._storage.create_new_trial(self.study_id, trial))

        def find_or_create() -> FrozenTrial:
            """The storage may have created it, and its answer was lost."""
            running = self._trials((TrialState.RUNNING,))
            unknown = [found for found in running if found.number not in self._trial_ids]
            ours = (found for found in unknown if found.user_attrs == trial.user_attrs)
            return next(ours, None) or create()

        return self._attempt(self._do(create, again=find_or_create))

    def complete(self, attempt: Attempt, result: TrialResult, values: Sequence[float]) -> Attempt:
        """Store the result, then tell."""
        self._set(attempt.number, _RESULT, result.model_dump(mode="json"))
        self._tell(attempt.number, values)
        return attempt.model_copy(update={"result": result})

    def fail(self, attempt: Attempt, failure: Failure) -> Attempt:
        """Store why the attempt failed, then tell."""
        self._set(attempt.number, _FAILURE, failure.model_dump(mode="json"))
        self._tell(attempt.number, None)
        return attempt.model_copy(update={"failure": failure})

    def reconcile(self, values: Callable[[TrialResult], Sequence[float]]) -> None:
        """Settle what a dead coordinator left running.

        Args:
            values: from a result to its objective values.
        """
        for trial in self._do(lambda: self._trials((TrialState.RUNNING,))):
            if _SPEC not in trial.user_attrs:
                continue
            attempt = self._attempt(trial)
            if attempt.result is not None:
                self._tell(attempt.number, values(attempt.result))
            elif attempt.failure is not None:
                self._tell(attempt.number, None)
            else:
                self.fail(attempt, interruption())

    def _trials(self, states: tuple[TrialState, ...] | None) -> list[FrozenTrial]:
        with believing(self.name, "its trials"):
            return self._storage.get_all_trials(self.study_id, deepcopy=False, states=states)

    def _set(self, number: int, key: str, value: Mapping[str, Any]) -> None:
        trial_id = self._trial_ids[number]
        with self._still_ours():
            self._do(lambda: self._storage.set_trial_user_attr(trial_id, key, sealed(value)))

    def _tell(self, number: int, values: Sequence[float] | None) -> None:
        trial_id = self._trial_ids[number]
        state = TrialState.FAIL if values is None else TrialState.COMPLETE

        def tell() -> None:
            self._storage.set_trial_state_values(trial_id, state, values)

        def tell_again() -> None:
            """The storage may have taken it, and its answer was lost."""
            if self._storage.get_trial(trial_id).state is not state:
                tell()

        with self._still_ours():
            self._do(tell, again=tell_again)

    @contextmanager
    def _still_ours(self) -> Iterator[None]:
        """See a finished trial that is to be written for what it is: another's work."""
        try:
            yield
        except UpdateFinishedTrialError:
            raise taken_over(self.name) from None

    def _attempt(self, trial: FrozenTrial) -> Attempt:
        self._trial_ids[trial.number] = trial._trial_id
        with believing(self.name, f"trial {trial.number}"):
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


def study_names(storage: BaseStorage) -> list[str]:
    """The studies in a storage."""
    names = (study.study_name for study in at_once(storage.get_all_studies))
    return sorted(name for name in names if name.isprintable())  # others are another program's


def _now() -> int:
    return time.time_ns() // 1_000_000
