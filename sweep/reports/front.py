"""Pareto fronts of accuracy against parameters, and how sure a place on one is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 2000
_DIGITS = 9
"""Of accuracies: two that are equal may differ in the last bits of the sums that they come from."""


def on_front(accuracies: NDArray[np.float64], parameters: NDArray[np.int64]) -> NDArray[np.bool_]:
    """What nothing dominates: nothing is at least as good in both, and better in one.

    Args:
        accuracies: ``(..., r)``, of r configurations.
        parameters: ``(r,)``, of the same.

    Returns:
        ``(..., r)``: whether each configuration is on the front.
    """
    if not len(parameters):
        return np.zeros(accuracies.shape, bool)
    accuracies = np.round(accuracies, _DIGITS)
    order = np.argsort(parameters, kind="stable")
    _, starts, group = np.unique(parameters[order], return_index=True, return_inverse=True)
    ordered = accuracies[..., order]
    best = np.maximum.reduceat(ordered, starts, axis=-1)  # of each number of parameters
    smaller = np.maximum.accumulate(best, axis=-1)[..., :-1]
    smaller = np.concatenate([np.full_like(best[..., :1], -np.inf), smaller], axis=-1)
    found = np.empty(ordered.shape, bool)
    found[..., order] = (ordered == best[..., group]) & (ordered > smaller[..., group])
    return found


def front_shares(
    accuracies: NDArray[np.float64], parameters: NDArray[np.int64]
) -> NDArray[np.float64]:
    """How often each configuration is on the front when the draws are drawn anew.

    A bootstrap over draws (Efron and Tibshirani 1993, "An Introduction to the Bootstrap",
    chapter 6): each resample takes as many draws as there are, with replacement, the same for every
    configuration, because the draws are theirs in common.

    Args:
        accuracies: ``(r, a)``: of r configurations, the mean of each of a draws.
        parameters: ``(r,)``.

    Returns:
        ``(r,)``: shares of the resamples, 0 to 1.
    """
    draws = accuracies.shape[1]
    taken = np.random.default_rng(0).multinomial(draws, [1 / draws] * draws, size=_RESAMPLES)
    return np.asarray(on_front(taken @ accuracies.T / draws, parameters).mean(axis=0))
