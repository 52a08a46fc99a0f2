"""The time that a run may take, and what still fits into it."""

from __future__ import annotations

import math
import time

from sweep.coordinator.estimate import Pace, task_kind
from sweep.specs import Spec

_SHARE_TO_END, _MOST_SECONDS_TO_END = 0.1, 30.0
"""What is kept of the time for the end: workers are stopped, and the report is written."""


class TimeLimit:
    """When a run leaves; until then it begins what would end in time, by the pace so far."""

    def __init__(self, seconds: float = math.inf) -> None:
        """The time begins now; by default it has no end."""
        self._leaves_at = time.monotonic() + seconds
        self._works_until = self._leaves_at - min(_SHARE_TO_END * seconds, _MOST_SECONDS_TO_END)
        self._pace = Pace()
        self.holds_back = False
        """Whether anything was not begun, because it would not have ended in time."""

    @property
    def is_up(self) -> bool:
        """Whether what runs is to be interrupted now."""
        return time.monotonic() >= self._works_until

    @property
    def left(self) -> float:
        """Seconds until the run must have ended; infinite without a limit."""
        return max(0.0, self._leaves_at - time.monotonic())

    def note(self, spec: Spec, seconds: float) -> None:
        """Take note of how long a task took."""
        self._pace.note(task_kind(spec), seconds)

    def allows(self, *kinds: str) -> bool:
        """Whether a task of any of these kinds would end in time; one without a pace may.

        If none would, that is remembered.
        """
        left = self._works_until - time.monotonic()
        fits = any((self._pace.mean(kind) or 0.0) <= left for kind in kinds)
        self.holds_back = self.holds_back or not fits
        return fits
