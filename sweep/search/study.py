"""A study: what to try next, and when it is done."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from optuna import load_study
from optuna.exceptions import ExperimentalWarning

from sweep.config import Cell, StudyConfig
from sweep.errors import UnknownStudyError
from sweep.results import Assessment, DataFacts, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt
from sweep.search.changes import continued
from sweep.search.figures import figures
from sweep.search.history import History, Progress, best_attempt
from sweep.search.ledger import Ledger
from sweep.search.patience import Patience
from sweep.search.recorded import Recorded
from sweep.search.sampling import Proposer
from sweep.search.space import cell_params, constraints, directions, objective_values
from sweep.search.storage import Storage
from sweep.search.trials import Draft


class Study:
    """One study under its coordinator: proposes, and records what came of it."""

    def __init__(
        self,
        storage: Storage,
        config: StudyConfig,
        data: DataFacts,
        stopping: Callable[[], bool] = lambda: True,
    ) -> None:
        """Open the study of this config, creating it if there is none.

        Args:
            storage: Optuna's storage.
            config: the config of this run.
            data: the dataset's facts.
            stopping: says that nobody waits for a storage that is out of reach.

        Raises:
            StudyChangedError: the study was run with another config or other data.
        """
        self._storage = storage
        self._data = data
        self._ledger, self.config = _open(storage, config, data, stopping)
        self._ledger.reconcile(self._objectives)
        self._recall()
        self._encoders = self._ledger.encoders
        self._assessments = self._ledger.assessments
        self._confirmations = self._ledger.confirmations

    @property
    def data(self) -> DataFacts:
        """What it remembers of its dataset."""
        return self._data

    @property
    def recorded(self) -> Recorded:
        """All that its ledger holds."""
        return Recorded(
            config=self.config,
            data=self._data,
            attempts=self.attempts,
            retried=self._ledger.retried,
            environments=self._ledger.environments,
            encoders=self._encoders,
            assessments=self._assessments,
            confirmations=self._confirmations,
            figures=partial(figures, self._storage, self.config),
        )

    @property
    def encoders(self) -> Mapping[str, EncoderRecord]:
        """The encoders that its trials stand on, by key, as far as they are known."""
        return self._encoders

    def note_encoder(self, record: EncoderRecord) -> None:
        """Write down an encoder that its trials stand on."""
        if self._encoders.get(record.spec.key) != record:
            self._ledger.note_encoder(record)
            self._encoders[record.spec.key] = record

    @property
    def assessments(self) -> Mapping[str, Assessment]:
        """What was assessed, by the assessment's key."""
        return self._assessments

    def note_assessment(self, assessment: Assessment) -> None:
        """Write down what was assessed."""
        self._ledger.note_assessment(assessment)
        self._assessments[assessment.key] = assessment

    @property
    def confirmations(self) -> Mapping[str, TrialResult]:
        """Results of the trials that confirm what was selected, by key."""
        return self._confirmations

    def note_confirmation(self, result: TrialResult) -> None:
        """Write down what confirming a configuration gave."""
        self._ledger.note_confirmation(result)
        self._confirmations[result.key] = result

    def note_environment(self, environment: Mapping[str, Any]) -> None:
        """Write down what the study is run with."""
        self._ledger.note_environment(environment)

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts, by number."""
        return self._history.attempts

    @property
    def progress(self) -> Progress:
        """How far the study is."""
        return self._history.progress

    @property
    def best(self) -> Attempt | None:
        """See :func:`best_attempt`."""
        return self._best

    @property
    def exhausted(self) -> list[str]:
        """Representations whose search ended early because every cell has been tried."""
        return [
            name
            for name, missing in self._history.missing.items()
            if missing > 0 and self._proposer.exhausted(name)
        ]

    @property
    def shortfall(self) -> int:
        """How many trials are missing, but for those that a used-up space could not give."""
        missing = self._history.missing
        excused = sum(missing[name] for name in self.exhausted)
        excused *= len(self.config.label_budgets)
        return max(0, self.progress.target - self.progress.complete - excused)

    def upcoming(self) -> dict[str, tuple[int, int]]:
        """For each representation, the trials still to begin, and the new encoders of a draw.

        Of the latter, the largest number that there may be.
        """
        missing = self._history.missing
        upcoming = {}
        for name, block in self.config.blocks.items():
            known = self._history.encodings(name)
            of_rows = [row for row in self._history.due if row.representation == name]
            of_search = max(0, missing.get(name, 0))
            due = {row.encoding for row in of_rows if row.encoding is not None}
            left = block.space.encodings(known | due) if block.space else 0
            encoders = len(due - known) + int(min(of_search, left))
            trials = len(of_rows) + of_search * len(self.config.label_budgets)
            upcoming[name] = (trials, encoders)
        return upcoming

    def begin(self, most: int) -> list[Attempt]:
        """Begin the attempts that are due next: none if there is nothing to begin now.

        First what must run again, then the config's rows, then other label budgets of what was
        found, then the search: the representation that is furthest from its target proposes.

        Args:
            most: how many may begin.
        """
        drafts: list[Draft] = []
        while len(drafts) < most and (due := self._due()) is not None:
            draft = self._draft(*due, self._ledger.next_number + len(drafts))
            self._note(draft.attempt)
            drafts.append(draft)
        if not drafts:
            return []
        begun = self._ledger.begin(drafts)
        if begun != [draft.attempt for draft in drafts]:
            self._recall()  # numbers are others: somebody has added trials with Optuna's own tools
        return begun

    def retry_failed(self) -> list[Attempt]:
        """Queue the failed cells again, each with the same spec; their last attempts."""
        failed = self._history.failed
        self._ledger.retry([attempt.number for attempt in failed])
        return failed

    def end(self, attempts: Sequence[Attempt]) -> None:
        """Record attempts that have a result or a failure."""
        self._ledger.end(
            [(each, self._objectives(each.result) if each.result else ()) for each in attempts]
        )
        for each in attempts:
            self._note(each)

    def _recall(self) -> None:
        """Take what is known of attempts from the ledger."""
        self._history = History(self.config, self._ledger.attempts(), self._ledger.retried)
        self._proposer = Proposer(self.config, self.attempts)
        self._best = best_attempt(self.config, self.attempts)

    def _due(self) -> tuple[Cell, int] | None:
        """What is to begin next: a cell, and which attempt at it this is."""
        again = self._history.due_again()
        if again is not None:
            return again.cell, again.attempt + 1
        due = next(iter(self._history.due), None)
        if due is not None:
            return due, 1
        open_ = {
            name: missing / self.config.blocks[name].trials
            for name, missing in self._history.missing.items()
            if missing > 0
            and not self._proposer.exhausted(name)
            and not self._history.given_up(name)
        }
        if not open_:
            return None
        furthest = max(open_, key=lambda name: open_[name])
        return self._proposer.propose(furthest), 1

    def _draft(self, cell: Cell, attempt: int, number: int) -> Draft:
        params, distributions = cell_params(self.config, cell)
        drafted = Attempt(
            number=number,
            spec=self.config.trial_spec(cell, self._data.sha256),
            cell=cell,
            attempt=attempt,
            started_at=time.time_ns() // 1_000_000,
        )
        return Draft(drafted, params, distributions, constraints(self.config, cell))

    def _note(self, attempt: Attempt) -> None:
        self._history.note(attempt)
        self._proposer.learn(attempt)
        if attempt.result is not None:
            best = [] if self._best is None else [self._best]
            self._best = best_attempt(self.config, [*best, attempt])

    def _objectives(self, result: TrialResult) -> list[float]:
        return objective_values(self.config, result)


def _open(
    storage: Storage, config: StudyConfig, data: DataFacts, stopping: Callable[[], bool]
) -> tuple[Ledger, StudyConfig]:
    """The study's ledger, and the config with all decided that it leaves to us."""
    try:
        ledger = Ledger(storage, config.name, stopping)
    except UnknownStudyError:
        config = config.settled(None)
        Ledger.create(storage, config.name, directions(config), config.identity, data)
        ledger = Ledger(storage, config.name, stopping)
    else:
        config = continued(config, ledger, data)
        ledger.set_config(config.identity, data)
    names = config.search.objectives
    Patience(storage, stopping).until_done(lambda: _name_objectives(storage, config.name, names))
    return ledger, config


def _name_objectives(storage: Storage, study_name: str, names: Sequence[str]) -> None:
    """Tell Optuna's tools what the objectives are called; older versions did not."""
    study = load_study(study_name=study_name, storage=storage)
    if study.metric_names != list(names):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names(list(names))
