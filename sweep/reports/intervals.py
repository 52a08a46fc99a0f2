"""Intervals of the one-way random-effects layout: a outer draws of n classifiers each.

Replicates of one draw share its partition and encoder, and so are not independent: all intervals
here stand on the a draws, and never treat the a·n replicates as if each were a draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """Both ends of an interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Layout:
    """Accuracies as ``(a, n)``: row i holds the members of draw i."""

    values: NDArray[np.float64]

    @staticmethod
    def of(replicates: Sequence[tuple[int, float]]) -> Layout:
        """From (draw, accuracy) pairs; every draw must have the same number of members."""
        draws = sorted({draw for draw, _ in replicates})
        return Layout(np.array([[y for d, y in replicates if d == draw] for draw in draws]))

    @property
    def draws(self) -> int:
        return int(self.values.shape[0])

    @property
    def members(self) -> int:
        return int(self.values.shape[1])

    @property
    def mean(self) -> float:
        return float(self.values.mean())

    @property
    def sd(self) -> float | None:
        """Standard deviation of all replicates; None for a single one."""
        return float(self.values.std(ddof=1)) if self.values.size > 1 else None

    @property
    def mean_square_between(self) -> float:
        """MSA, with a - 1 degrees of freedom: how much draws differ."""
        return float(self.members * self.values.mean(axis=1).var(ddof=1))

    @property
    def mean_square_within(self) -> float:
        """MSE, with a (n - 1) degrees of freedom: how much members of a draw differ."""
        return float(self.values.var(axis=1, ddof=1).mean()) if self.members > 1 else 0.0

    def mean_interval(self) -> Interval | None:
        """95 % interval of the mean: mean ± t(0.975, a-1) sqrt(MSA / (a n)); None for one draw.

        Searle, Casella, McCulloch 1992, "Variance Components", section 3.5 (balanced data).
        """
        if self.draws < 2:
            return None
        error = math.sqrt(self.mean_square_between / self.values.size)
        return _around(self.mean, _t(self.draws - 1) * error)

    def prediction_interval(self, rounding: float = 0.0) -> Interval | None:
        """95 % interval for one new run (one draw, one member); None for one draw.

        mean ± (t(0.975, ν) sqrt(V) + rounding) with V = ((a+1)/(an)) MSA + ((n-1)/n) MSE, and
        Satterthwaite's ν = V² / {[((a+1)/(an)) MSA]²/(a-1) + [((n-1)/n) MSE]²/(a(n-1))}
        (Satterthwaite 1946, "An approximate distribution of estimates of variance components").

        Args:
            rounding: half a unit of the last digit of the value that is compared.
        """
        if self.draws < 2:
            return None
        a, n = self.draws, self.members
        between = (a + 1) / (a * n) * self.mean_square_between
        within = (n - 1) / n * self.mean_square_within
        variance = between + within
        if variance == 0:
            return _around(self.mean, rounding)
        uncertainty = between**2 / (a - 1) + (within**2 / (a * (n - 1)) if n > 1 else 0)
        freedom = variance**2 / uncertainty
        return _around(self.mean, _t(freedom) * math.sqrt(variance) + rounding)


def _around(centre: float, half_width: float) -> Interval:
    return Interval(centre - half_width, centre + half_width)


def _t(freedom: float) -> float:
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
