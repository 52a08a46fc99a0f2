"""From the draws of a trial, as they come, to its result."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sweep.evaluation import trial_result
from sweep.results import DrawResult, TrialResult
from sweep.search.attempt import Attempt
from sweep.specs import TrialSpec


@dataclass
class Assembly:
    """A trial whose draws are being made."""

    attempt: Attempt
    spec: TrialSpec
    """The attempt's own, or that of the trial which confirms it."""
    draws: dict[int, DrawResult] = field(default_factory=dict)
    began: tuple[float, float] | None = None
    """When its first draw began, by the clock and by one that does not jump."""

    def begin(self) -> bool:
        """One of its draws begins; whether that is the first."""
        is_first = self.began is None
        self.began = self.began or (time.time(), time.monotonic())
        return is_first

    @property
    def span(self) -> tuple[int, int]:
        """From its first draw's beginning until now, milliseconds since the epoch."""
        clock, steady = self.began or (time.time(), time.monotonic())
        return int(1000 * clock), int(1000 * (clock + time.monotonic() - steady))

    def take(self, draw: DrawResult) -> TrialResult | None:
        """One of its draws has come; the trial's result, if that was the last."""
        self.draws[draw.draw] = draw
        if len(self.draws) < self.spec.draws:
            return None
        draws = [self.draws[number] for number in self.spec.draw_numbers]
        return trial_result(self.spec, draws, *self.span)
