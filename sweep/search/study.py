"""A study: what to try next, and when it is done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from optuna.storages import BaseStorage
from optuna.study import StudyDirection

from sweep.config import Cell, Choices, StudyConfig
from sweep.errors import StudyChangedError, UnknownStudyError
from sweep.search.attempt import Attempt, Cause, Failure, State
from sweep.search.ledger import Ledger
from sweep.search.sampling import Proposer
from sweep.search.space import cell_params, constraints, directions, objective_values
from sweep.trial import DataFacts, TrialResult

# A worker's death is the machinery's failure, not the configuration's, and tried again up to this.
MOST_DEATHS = 3


@dataclass(frozen=True)
class Progress:
    """How far a study is, in cells."""

    target: int
    complete: int
    failed: int
    running: int
    waiting: int
    """How many are still to begin."""


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
        self._ledger.reconcile(self._objectives)
        self._history = History(config, self._ledger.attempts(), self._ledger.retried)
        self._proposer = Proposer(config, self.attempts)
        self._best = best_attempt(config, self.attempts)

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
        return max(0, self.progress.target - self.progress.complete - excused)

    def upcoming(self) -> dict[str, tuple[int, int]]:
        """For each representation, the trials still to begin, and their new latent dimensions.

        Of the latter, the largest number that there may be.
        """
        rows = [row for row in self.config.rows if not self._history.has(row)]
        missing = self._history.missing
        upcoming = {}
        for name, block in self.config.blocks.items():
            known = self._history.latent_dims(name)
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
        again = self._history.due_again()
        if again is not None:
            return self._begin(again.cell, again.attempt + 1)
        for row in self.config.rows:
            if not self._history.has(row):
                return self._begin(row, 1)
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
        return self._begin(self._proposer.propose(furthest), 1)

    def retry_failed(self) -> list[Attempt]:
        """Queue the failed cells again, each with the same spec; their last attempts."""
        failed = self._history.failed
        self._ledger.retry([attempt.number for attempt in failed])
        return failed

    def complete(self, attempt: Attempt, result: TrialResult) -> Attempt:
        """Record a result."""
        return self._note(self._ledger.complete(attempt, result, self._objectives(result)))

    def fail(self, attempt: Attempt, failure: Failure) -> Attempt:
        """Record a failure."""
        return self._note(self._ledger.fail(attempt, failure))

    def _begin(self, cell: Cell, attempt: int) -> Attempt:
        params, distributions = cell_params(self.config, cell)
        spec = self.config.trial_spec(cell, self._data.sha256)
        bounds = constraints(self.config, cell)
        return self._note(self._ledger.begin(spec, cell, attempt, params, distributions, bounds))

    def _note(self, attempt: Attempt) -> Attempt:
        self._history.note(attempt)
        self._proposer.learn(attempt)
        if attempt.result is not None:
            best = [] if self._best is None else [self._best]
            self._best = best_attempt(self.config, [*best, attempt])
        return attempt

    def _objectives(self, result: TrialResult) -> list[float]:
        return objective_values(self.config, result)


class History:
    """The attempts of a study by cell, and what they leave to do.

    Kept up to date attempt by attempt, so that asking costs the same in a study of thousands.
    """

    def __init__(
        self, config: StudyConfig, attempts: Iterable[Attempt], retried: Collection[int]
    ) -> None:
        """Start from the attempts that there are.

        Args:
            config: the study's config.
            attempts: its attempts.
            retried: numbers of the failed attempts whose cells a user wants to run again.
        """
        self._config = config
        self._retried = retried
        self._rows = set(config.rows)
        self._attempts: dict[int, Attempt] = {}
        self._cells: dict[Cell, list[Attempt]] = {}
        self._states: Counter[State] = Counter()
        """Of the cells' last attempts."""
        self._under_way: Counter[str] = Counter()
        """For each representation, the searched cells that are done or may still be."""
        self._due_again: dict[Cell, None] = {}
        self._failed: dict[Cell, None] = {}
        self._latent_dims: dict[str, set[int | None]] = defaultdict(set)
        for attempt in attempts:
            self.note(attempt)

    def note(self, attempt: Attempt) -> None:
        """Take note of an attempt that began or ended."""
        cell = attempt.cell
        tries = self._cells.setdefault(cell, [])
        if tries:
            self._count(cell, -1)
        if tries and tries[-1].number == attempt.number:
            tries.pop()
        tries.append(attempt)
        self._attempts[attempt.number] = attempt
        self._latent_dims[cell.representation].add(cell.latent_dim)
        self._count(cell, 1)

    def _count(self, cell: Cell, by: int) -> None:
        """Count a cell as it stands, or no longer so."""
        tries = self._cells[cell]
        state, again = tries[-1].state, self._is_due_again(tries)
        gone = state is State.FAILED and not again
        self._states[state] += by
        if cell not in self._rows and not gone:
            self._under_way[cell.representation] += by
        for holds, cells in ((again, self._due_again), (gone, self._failed)):
            if holds and by > 0:
                cells[cell] = None
            else:
                cells.pop(cell, None)

    def has(self, cell: Cell) -> bool:
        """Whether a cell was ever tried."""
        return cell in self._cells

    def latent_dims(self, representation: str) -> Set[int | None]:
        """The latent dimensions that were ever tried."""
        return self._latent_dims[representation]

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts, by number."""
        return list(self._attempts.values())

    @property
    def progress(self) -> Progress:
        """How far the study is."""
        states = self._states
        trials = sum(block.trials for block in self._config.blocks.values())
        target = len(self._config.rows) + trials
        to_come = target - states[State.COMPLETE] - states[State.RUNNING]
        return Progress(
            target=target,
            complete=states[State.COMPLETE],
            failed=states[State.FAILED],
            running=states[State.RUNNING],
            waiting=max(len(self._due_again), to_come),
        )

    @property
    def failed(self) -> list[Attempt]:
        """The last attempts at the cells that have failed and are not tried again."""
        return [self._cells[cell][-1] for cell in self._failed]

    @property
    def missing(self) -> dict[str, int]:
        """For each searched representation, how many cells it needs beside those under way."""
        return {
            name: block.trials - self._under_way[name]
            for name, block in self._config.blocks.items()
            if block.trials
        }

    def due_again(self) -> Attempt | None:
        """The last attempt at a cell that is to be tried again, if there is any."""
        return next((self._cells[cell][-1] for cell in self._due_again), None)

    def given_up(self, representation: str) -> bool:
        """Whether as many cells failed as were asked for: others would fail, too."""
        failed = sum(cell.representation == representation for cell in self._failed)
        return failed >= max(3, self._config.blocks[representation].trials)

    def _is_due_again(self, tries: Sequence[Attempt]) -> bool:
        """Whether a cell is to be tried again: it was interrupted, a user wants it, or its worker
        died, a few times.
        """
        latest = tries[-1]
        if latest.failure is None:
            return False
        if latest.failure.cause is Cause.INTERRUPTED or latest.number in self._retried:
            return True
        causes = [attempt.failure.cause for attempt in tries if attempt.failure]
        return latest.failure.cause is Cause.WORKER_DIED and (
            causes.count(Cause.WORKER_DIED) < MOST_DEATHS
        )


def best_attempt(config: StudyConfig, attempts: Iterable[Attempt]) -> Attempt | None:
    """The best complete attempt by the study's first objective; None if there is none.

    One that exceeds a bound of the config is not chosen.
    """
    maximized = directions(config)[0] is StudyDirection.MAXIMIZE

    def value(attempt: Attempt) -> float:
        assert attempt.result is not None
        first = objective_values(config, attempt.result)[0]
        return first if maximized else -first

    candidates = [
        attempt
        for attempt in attempts
        if attempt.result is not None
        and all(excess <= 0 for excess in constraints(config, attempt.cell).values())
    ]
    return max(candidates, key=value, default=None)


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
