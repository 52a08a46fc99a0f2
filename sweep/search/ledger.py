"""The ledger of a study: its attempts in Optuna's storage, which is the source of truth.

Attempts are written with their specs in the one transaction that creates them, and their results
in the one that ends them: many at once, if many begin or end. So after a crash at any moment an
attempt is either complete with its result, or running (interrupted, and its spec runs again).

Beside them it holds what the study's report stands on: records of the encoders, and assessments of
what was selected. Everything is sealed: what was changed since is refused, and never believed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweep.errors import UnknownStudyError
from sweep.lease import taken_over
from sweep.results import Assessment, DataFacts, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt, State, interruption
from sweep.search.attributes import Attributes
from sweep.search.batches import Created, EndedTrial
from sweep.search.ownership import CONFIG, DATA, has_config, may_be_ours
from sweep.search.patience import Patience, at_once
from sweep.search.seals import believing
from sweep.search.storage import Storage
from sweep.search.trials import Draft, as_attempt, as_trial, is_attempt, outcome
from sweep.spelling import did_you_mean

_RETRIED, _ENVIRONMENTS = "retried", "environments"
_ENCODER, _ASSESSMENT, _CONFIRMATION = "encoder:", "assessment:", "confirmation:"


class Ledger:
    """The attempts of one study. Only the study's coordinator writes."""

    def __init__(
        self, storage: Storage, name: str, stopping: Callable[[], bool] = lambda: True
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
        self._do = Patience(storage, stopping).until_done
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
        self.next_number = 0
        """The number that the next attempt should have, as of the last time that it was looked."""

    @staticmethod
    def create(
        storage: Storage,
        name: str,
        directions: Sequence[StudyDirection],
        config: Mapping[str, Any],
        data: DataFacts,
    ) -> None:
        """Create a study with the config that identifies it and the facts of its dataset."""
        at_once(storage, lambda: storage.create_new_study(directions, name))
        Ledger(storage, name).set_config(config, data)

    @property
    def config(self) -> dict[str, Any] | None:
        """The config that the study was last run with; None if it has none of ours."""
        config: dict[str, Any] | None = None
        if has_config(self._about.stored()):
            config = self._about.get(CONFIG)
        return config

    @property
    def directions(self) -> list[StudyDirection]:
        """Those of the objectives that it was created with."""
        return self._do(lambda: self._storage.get_study_directions(self.study_id))

    @property
    def is_another_program_s(self) -> bool:
        """Whether it has no config and more than we would have written before one."""
        n_trials = self._do(lambda: self._storage.get_n_trials(self.study_id))
        return not may_be_ours(self._about.stored(), self.directions, n_trials)

    @property
    def data(self) -> DataFacts | None:
        """The study's dataset; None if its creation was cut short."""
        data = self._about.get(DATA)
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
        self._about.set(DATA, data.model_dump(mode="json"))
        self._about.set(CONFIG, dict(config))

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
        trials = self._do(lambda: self._trials(None))
        self.next_number = len(trials)
        return [
            self._attempt(trial)
            for trial in trials
            if is_attempt(trial)  # others were added by hand, with Optuna's own tools
        ]

    def begin(self, drafts: Sequence[Draft]) -> list[Attempt]:
        """Write down new attempts, running, in one transaction; they have their numbers then."""
        trials = [as_trial(draft) for draft in drafts]

        def create() -> list[Created]:
            return self._storage.create_trials(self.study_id, trials)

        def find_or_create() -> list[Created]:
            """The storage may have created them, and its answer was lost."""
            wanted = [trial.user_attrs for trial in trials]
            ours = [
                Created(found._trial_id, found.number)
                for found in self._trials((TrialState.RUNNING,))
                if found.number not in self._trial_ids and found.user_attrs in wanted
            ]
            return ours or create()

        created = self._do(create, again=find_or_create)
        self._trial_ids |= {each.number: each.trial_id for each in created}
        self.next_number = created[-1].number + 1
        return [
            draft.attempt.model_copy(update={"number": each.number})
            for draft, each in zip(drafts, created, strict=True)
        ]

    def end(self, attempts: Sequence[tuple[Attempt, Sequence[float]]]) -> None:
        """Write down how attempts have ended, in one transaction.

        Args:
            attempts: each with its result or its failure, and its objective values.
        """
        ended = [
            EndedTrial(self._trial_ids[attempt.number], _state(values), values, outcome(attempt))
            for attempt, values in attempts
        ]

        def end() -> None:
            self._storage.end_trials(ended)

        def end_again() -> None:
            """The storage may have taken it, and its answer was lost."""
            states = self._storage.states([each.trial_id for each in ended])
            if any(states[each.trial_id] is not each.state for each in ended):
                end()

        with self._still_ours():
            self._do(end, again=end_again)

    def reconcile(self, values: Callable[[TrialResult], Sequence[float]]) -> None:
        """Settle what a dead coordinator left running.

        Args:
            values: from a result to its objective values.
        """
        for trial in self._do(lambda: self._trials((TrialState.RUNNING,))):
            if not is_attempt(trial):
                continue
            attempt = self._attempt(trial)
            if attempt.state is State.RUNNING:
                self.end([(attempt.model_copy(update={"failure": interruption()}), ())])
            else:  # older versions stored a result before they told of it
                values_ = values(attempt.result) if attempt.result else ()
                self._tell(trial._trial_id, values_)

    def _trials(self, states: tuple[TrialState, ...] | None) -> list[FrozenTrial]:
        with believing(self.name, "its trials"):
            return self._storage.get_all_trials(self.study_id, deepcopy=False, states=states)

    def _tell(self, trial_id: int, values: Sequence[float]) -> None:
        state = _state(values)
        with self._still_ours():
            self._do(lambda: self._storage.set_trial_state_values(trial_id, state, values or None))

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
            return as_attempt(trial)


def _state(values: Sequence[float]) -> TrialState:
    return TrialState.COMPLETE if values else TrialState.FAIL


def study_names(storage: Storage) -> list[str]:
    """The studies in a storage."""
    names = (study.study_name for study in at_once(storage, storage.get_all_studies))
    return sorted(name for name in names if name.isprintable())  # others are another program's
