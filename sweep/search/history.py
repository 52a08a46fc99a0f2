"""What a study has tried, and what that leaves to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass

from optuna.study import StudyDirection

from sweep.config import Cell, StudyConfig
from sweep.search.attempt import Attempt, Cause, State
from sweep.search.space import directions, is_within_bounds, objective_values


@dataclass(frozen=True)
class Progress:
    """How far a study is, in cells."""

    target: int
    complete: int
    failed: int
    running: int
    waiting: int
    """How many are still to begin."""


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
        self._rows = set(config.cells)
        self._due: dict[Cell, None] = dict.fromkeys(config.cells)
        self._attempts: dict[int, Attempt] = {}
        self._cells: dict[Cell, list[Attempt]] = {}
        self._states: Counter[State] = Counter()
        """Of the cells' last attempts."""
        self._under_way: Counter[str] = Counter()
        """For each representation, the searched cells that are done or may still be."""
        self._due_again: dict[Cell, None] = {}
        self._failed: dict[Cell, None] = {}
        self._encodings: dict[str, set[tuple[object, ...]]] = defaultdict(set)
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
        if cell.encoding is not None:
            self._encodings[cell.representation].add(cell.encoding)
        self._count(cell, 1)
        self._due.pop(cell, None)
        if attempt.state is State.COMPLETE and self._is_proposed(cell):
            for budget in self._config.label_budgets:
                companion = cell.model_copy(update={"label_budget": budget})
                if companion not in self._cells:
                    self._due[companion] = None

    def _is_proposed(self, cell: Cell) -> bool:
        """Whether a cell stands for one trial of the search."""
        return cell not in self._rows and cell.label_budget == self._config.leading_budget

    def _count(self, cell: Cell, by: int) -> None:
        """Count a cell as it stands, or no longer so."""
        tries = self._cells[cell]
        state, again = tries[-1].state, self._is_due_again(tries)
        gone = state is State.FAILED and not again
        self._states[state] += by
        if self._is_proposed(cell) and not gone:
            self._under_way[cell.representation] += by
        for holds, cells in ((again, self._due_again), (gone, self._failed)):
            if holds and by > 0:
                cells[cell] = None
            else:
                cells.pop(cell, None)

    @property
    def due(self) -> Collection[Cell]:
        """What nobody needs to propose and nobody has begun.

        The config's rows; and what a search has found, with the other label budgets.
        """
        return self._due

    def encodings(self, representation: str) -> Set[tuple[object, ...]]:
        """What tells the encoders that were ever tried from each other; see ``Cell.encoding``."""
        return self._encodings[representation]

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts, by number."""
        return list(self._attempts.values())

    @property
    def progress(self) -> Progress:
        """How far the study is."""
        states = self._states
        trials = sum(block.trials for block in self._config.blocks.values())
        target = (len(self._config.rows) + trials) * len(self._config.label_budgets)
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
        """Whether a cell is to be tried again: it was interrupted, or a user wants it."""
        latest = tries[-1]
        if latest.failure is None:
            return False
        return latest.failure.cause is Cause.INTERRUPTED or latest.number in self._retried


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
        if attempt.result is not None and is_within_bounds(config, attempt.cell)
    ]
    return max(candidates, key=value, default=None)
