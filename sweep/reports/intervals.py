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
from scipy.special import nctdtr, stdtrit

CONFIDENCE = 0.95
POWER = 0.8
"""How often a difference is to be noticed that counts as one that could be."""
FEWEST_DRAWS = 5
"""Below these, prediction intervals cover less than they promise with several members a draw
(``benchmarks.coverage``), and shares of resamples mean nothing."""


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
    def draw_sd(self) -> float | None:
        """Standard deviation of the draws' means; None for one draw."""
        return float(self.values.mean(axis=1).std(ddof=1)) if self.draws > 1 else None

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
        freedom, sd = self._new_run()
        return _around(self.mean, _t(freedom) * sd + rounding if sd else rounding)

    def flagged(self, offset: float, rounding: float = 0.0) -> float | None:
        """How often a new run that is off by ``offset`` lies outside of that interval, 0 to 1.

        The power of the comparison, by the noncentral t distribution with the interval's degrees of
        freedom and with its estimate of the standard deviation in place of the true one; None for
        one draw.
        """
        if self.draws < 2:
            return None
        freedom, sd = self._new_run()
        if sd == 0:
            return float(abs(offset) > rounding)
        return _power(freedom, max(abs(offset) - rounding, 0.0) / sd)

    def detectable(self, rounding: float = 0.0) -> float | None:
        """The smallest offset that is flagged in 80 % of cases; None for one draw."""
        if self.draws < 2:
            return None
        freedom, sd = self._new_run()
        low, high = 0.0, 1.0
        while _power(freedom, high) < POWER:
            low, high = high, 2 * high
        while high - low > 1e-6 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if _power(freedom, middle) >= POWER else (middle, high)
        return rounding + sd * high

    def _new_run(self) -> tuple[float, float]:
        """ν and sqrt(V) of :meth:`prediction_interval`."""
        a, n = self.draws, self.members
        between = (a + 1) / (a * n) * self.mean_square_between
        within = (n - 1) / n * self.mean_square_within
        variance = between + within
        if variance == 0:
            return a - 1, 0.0
        uncertainty = between**2 / (a - 1) + (within**2 / (a * (n - 1)) if n > 1 else 0)
        return variance**2 / uncertainty, math.sqrt(variance)


def _around(centre: float, half_width: float) -> Interval:
    return Interval(centre - half_width, centre + half_width)


def _power(freedom: float, noncentrality: float) -> float:
    """P(|T| > t(0.975)) of the noncentral t distribution."""
    bound = _t(freedom)
    # SciPy's series gives out where next to nothing is below a bound.
    lower, upper = np.nan_to_num(nctdtr(freedom, noncentrality, [-bound, bound]))
    return float(1.0 - upper + lower)


def _t(freedom: float) -> float:
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
