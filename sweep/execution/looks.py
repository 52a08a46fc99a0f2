"""Counting time by looking again and again."""

from __future__ import annotations

import time


class Looks:
    """The seconds between looks that count: more than the longest, and this process was stopped."""

    def __init__(self, longest: float) -> None:
        """Look for the first time."""
        self._longest = longest
        self._last = time.monotonic()

    def again(self) -> float:
        """Look again: seconds since the last look, the longest at most."""
        now = time.monotonic()
        since, self._last = now - self._last, now
        return min(since, self._longest)
