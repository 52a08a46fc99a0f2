"""What a model of the past is shown of it: so much that a proposal always costs the same.

Optuna's TPE describes the good trials, 25 at the most, and all the others by a kernel each. The
others only say where not to look, and the older they are the less they weigh; but each costs as
much as the next. So it is shown the latest trials and, of the older ones, the best: those that the
fewest dominate (Fonseca and Fleming 1993, "Genetic Algorithms for Multiobjective Optimization"),
and of equals those that stand alone (the crowding distance of Deb et al. 2002, "A Fast and Elitist
Multiobjective Genetic Algorithm: NSGA-II", section III.B).

What is shown follows from the trials in the order of their numbers alone, and so is the same in a
study that was resumed.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Container, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

LATEST = 200
BEST = 50
"""Twice as many as Optuna models as good."""


class Recollection(InMemoryStorage):
    """A storage in memory that remembers the latest trials of its one study, and the best."""

    def __init__(self, latest: int = LATEST, best: int = BEST) -> None:
        """Begin with nothing; it will remember so many of the latest, and of the older ones."""
        super().__init__()
        self._most = latest, best
        self._latest: deque[int] = deque()
        """Ids, in the order of their numbers."""
        self._best: list[int] = []
        self._running: dict[int, None] = {}
        """Ids of those that run, in the order of their numbers."""
        self._shown: list[FrozenTrial] | None = None
        """None after a change."""

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """A trial; only what was begun elsewhere, and has its template, is remembered."""
        trial_id = super().create_new_trial(study_id, template_trial)
        if template_trial is not None:
            self._latest.append(trial_id)
            if template_trial.state is TrialState.RUNNING:
                self._running[trial_id] = None
            self._shown = None
        return trial_id

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """See Optuna; what is proposed and not used is no change."""
        if trial_id in self._running:
            del self._running[trial_id]
            self._shown = None
        return super().set_trial_state_values(trial_id, state, values)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """What is remembered, by number."""
        if self._shown is None:
            self._forget(self.get_study_directions(study_id))
            self._shown = [self.get_trial(trial_id) for trial_id in sorted(self._best)]
            self._shown += self._latest_of_each()
        found = [trial for trial in self._shown if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def _latest_of_each(self) -> list[FrozenTrial]:
        """The latest that have ended, and the latest that run: many more may wait to be forgotten.

        With a thousand workers, a thousand run.
        """
        most, running = self._most[0], self._running
        ended = (trial_id for trial_id in reversed(self._latest) if trial_id not in running)
        found = [*islice(reversed(running), most), *islice(ended, most)]
        return [self.get_trial(trial_id) for trial_id in sorted(found)]

    def _forget(self, directions: list[StudyDirection]) -> None:
        """Keep of the older trials the best; one that still runs is waited for."""
        most_latest, most_best = self._most
        signs = [-1 if each is StudyDirection.MAXIMIZE else 1 for each in directions]
        while len(self._latest) > most_latest:
            oldest = self.get_trial(self._latest[0])
            if oldest.state is TrialState.RUNNING:
                return
            self._latest.popleft()
            if oldest.state is TrialState.COMPLETE:
                self._best.append(oldest._trial_id)
            if len(self._best) > most_best:
                values = [self.get_trial(trial_id).values for trial_id in self._best]
                del self._best[worst(np.multiply(values, signs))]


def worst(losses: NDArray[np.float64]) -> int:
    """The point that the most others dominate; of several, the one in the densest crowd.

    Args:
        losses: ``(n, k)``, of n points.
    """
    no_worse = (losses[:, np.newaxis] <= losses).all(axis=2)
    better = (losses[:, np.newaxis] < losses).any(axis=2)
    dominators = (no_worse & better).sum(axis=0)
    last = np.flatnonzero(dominators == dominators.max())
    return int(last[np.argmin(crowding_distances(losses[last]))])


def crowding_distances(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far apart each point's neighbours lie, all objectives added; infinite at the ends.

    Args:
        losses: ``(n, k)``, of n points.

    Returns:
        ``(n,)``, each objective in units of its range.
    """
    distances = np.zeros(len(losses))
    for values in losses.T:
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        spread = ordered[-1] - ordered[0]
        distances[order[[0, -1]]] = np.inf
        if spread:
            distances[order[1:-1]] += (ordered[2:] - ordered[:-2]) / spread
    return distances
