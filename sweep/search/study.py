"""A study: what to try next, and when it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.storages import BaseStorage

from sweep.config import Cell, Choices, StudyConfig
from sweep.errors import StudyChangedError, UnknownStudyError
from sweep.search.attempt import Attempt, Cause, Failure, State
from sweep.search.ledger import Ledger
from sweep.search.sampling import Proposer, cell_params, directions, objective_values
from sweep.trial import DataFacts, TrialResult

# Failures of the machinery, not of the configuration, are tried again; this bounds it.
MOST_ATTEMPTS = 3


@dataclass(frozen=True)
class Progress:
    """How far a study is, in specs."""

    target: int
    complete: int
    failed: int
    running: int

    @property
    def waiting(self) -> int:
        return max(0, self.target - self.complete - self.running)

    @property
    def reached(self) -> bool:
        return self.complete >= self.target


class Study:
    """One study under its coordinator: proposes, and records what came of it."""

    def __init__(self, storage: BaseStorage, config: StudyConfig, data: DataFacts) -> None:
        """Open the study of this config, creating it if there is none.

        Args:
            storage: Optuna's storage.
            config: the config of this run.
            data: the dataset's facts.

        Raises:
            StudyChangedError: the study was run with another config or other data.
        """
        self.config = config
        self._data = data
        self._ledger = _open(storage, config, data)
        self.settled = self._ledger.reconcile(self._objectives)
        """Attempts that an earlier coordinator left running, as they now stand."""
        self._attempts = {attempt.number: attempt for attempt in self._ledger.attempts()}
        self._proposer = Proposer(config, list(self._attempts.values()))

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts, by number."""
        return list(self._attempts.values())

    @property
    def progress(self) -> Progress:
        return progress(self.config, self.attempts)

    @property
    def exhausted(self) -> list[str]:
        """Representations whose search ended early because every cell has been tried."""
        return [
            name
            for name, missing in _missing(self.config, self.attempts).items()
            if missing and self._proposer.exhausted(name)
        ]

    def upcoming(self) -> dict[str, tuple[int, int]]:
        """For each representation, how many trials are still to begin, and with how many new
        latent dimensions at the most.
        """
        tried = {attempt.cell for attempt in self._attempts.values()}
        rows = [row for row in self.config.rows if row not in tried]
        missing = _missing(self.config, self.attempts)
        upcoming = {}
        for name, block in self.config.blocks.items():
            known = {cell.latent_dim for cell in tried if cell.representation == name}
            of_rows = [row for row in rows if row.representation == name]
            of_search = max(0, missing.get(name, 0))
            dims = len({row.latent_dim for row in of_rows} - known)
            latent_dim = block.space.latent_dim if block.space else None
            if isinstance(latent_dim, Choices):
                dims += min(of_search, len(set(latent_dim.choices) - known))
            elif latent_dim is not None:
                dims += of_search
            upcoming[name] = (len(of_rows) + of_search, dims)
        return upcoming

    def begin_next(self) -> Attempt | None:
        """Begin the attempt that is due next, or None if there is nothing to begin now.

        First what must run again, then the config's rows, then the search: the representation that
        is furthest from its target proposes.
        """
        latest = self._latest()
        for key, attempt in latest.items():
            if _runs_again(attempt):
                tries = sum(a.spec.key == key for a in self._attempts.values())
                return self._begin(attempt.cell, attempt.from_row, tries + 1)
        tried = {attempt.cell for attempt in latest.values()}
        for row in self.config.rows:
            if row not in tried:
                return self._begin(row, from_row=True, attempt=1)
        missing = _missing(self.config, self.attempts)
        open_ = {
            name: count / self.config.blocks[name].trials
            for name, count in missing.items()
            if count > 0 and not self._given_up(name) and not self._proposer.exhausted(name)
        }
        if not open_:
            return None
        representation = max(open_, key=lambda name: open_[name])
        return self._begin(self._proposer.propose(representation), from_row=False, attempt=1)

    def complete(self, attempt: Attempt, result: TrialResult) -> Attempt:
        """Record a result."""
        return self._note(self._ledger.complete(attempt, result, self._objectives(result)))

    def fail(self, attempt: Attempt, failure: Failure) -> Attempt:
        """Record a failure."""
        return self._note(self._ledger.fail(attempt, failure))

    def _begin(self, cell: Cell, from_row: bool, attempt: int) -> Attempt:
        params, distributions = cell_params(self.config, cell)
        spec = self.config.trial_spec(cell, self._data.sha256)
        return self._note(self._ledger.begin(spec, cell, from_row, attempt, params, distributions))

    def _note(self, attempt: Attempt) -> Attempt:
        self._attempts[attempt.number] = attempt
        self._proposer.learn(attempt)
        return attempt

    def _objectives(self, result: TrialResult) -> list[float]:
        return objective_values(self.config, result)

    def _latest(self) -> dict[str, Attempt]:
        return {attempt.spec.key: attempt for attempt in self._attempts.values()}

    def _given_up(self, representation: str) -> bool:
        """Whether as many configurations failed as were asked for: more would fail, too."""
        failed = sum(
            attempt.state is State.FAILED and not _runs_again(attempt)
            for attempt in self._latest().values()
            if attempt.cell.representation == representation
        )
        return failed >= max(3, self.config.blocks[representation].trials)


def progress(config: StudyConfig, attempts: list[Attempt]) -> Progress:
    """How far a study with these attempts is."""
    latest = {attempt.spec.key: attempt for attempt in attempts}.values()
    states = Counter(attempt.state for attempt in latest)
    return Progress(
        target=len(config.rows) + sum(block.trials for block in config.blocks.values()),
        complete=states[State.COMPLETE],
        failed=states[State.FAILED],
        running=states[State.RUNNING],
    )


def _missing(config: StudyConfig, attempts: list[Attempt]) -> dict[str, int]:
    """For each searched representation, how many more specs it needs, beside those under way."""
    latest = {attempt.spec.key: attempt for attempt in attempts if not attempt.from_row}.values()
    under_way = Counter(
        attempt.cell.representation
        for attempt in latest
        if attempt.state is not State.FAILED or _runs_again(attempt)
    )
    return {
        name: block.trials - under_way[name]
        for name, block in config.blocks.items()
        if block.trials
    }


def _runs_again(attempt: Attempt) -> bool:
    """Whether an attempt's spec is due again: what was interrupted, and what its worker failed."""
    if attempt.failure is None:
        return False
    if attempt.failure.cause is Cause.WORKER_DIED:
        return attempt.attempt < MOST_ATTEMPTS
    return attempt.failure.cause is Cause.INTERRUPTED


def _open(storage: BaseStorage, config: StudyConfig, data: DataFacts) -> Ledger:
    identity = config.identity
    try:
        ledger = Ledger(storage, config.name)
    except UnknownStudyError:
        return Ledger.create(storage, config.name, directions(config), identity, data)
    if ledger.config is not None:
        changes = _forbidden_changes(ledger.config, identity)
        if ledger.data is not None and ledger.data.sha256 != data.sha256:
            changes.append(
                f"the dataset's content: sha256 {ledger.data.sha256} became {data.sha256}"
            )
        if changes:
            listed = "\n".join(f"  {change}" for change in changes)
            raise StudyChangedError(
                f"the study '{config.name}' was run with another config:\n{listed}",
                hint="undo the change, or give the new study a name of its own (--set name=...)",
            )
    ledger.set_config(identity, data)
    return ledger


def _forbidden_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What changed, but for trials and rows that were added."""
    before, after = _flat(old), _flat(new)
    changes = []
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        if path == "rows" and all(row in (now or []) for row in (was or [])):
            continue
        if path.endswith(".trials") and (now or 0) >= (was or 0):
            continue
        changes.append(f"{path}: {_shown(was)} became {_shown(now)}")
    return changes


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _shown(value: Any) -> str:
    return "(not set)" if value is None else str(value)
