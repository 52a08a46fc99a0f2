"""How a search did, against chance, on what it has seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FEWEST_TRIALS = 12
"""Of fewer, half are not enough to tell an order from chance."""
_ORDERS = 200


def hypervolume(points: NDArray[np.float64]) -> float:
    """The area between (0, 0) and what points dominate, both coordinates to be maximised.

    Zitzler and Thiele 1998, "Multiobjective Optimization Using Evolutionary Algorithms", section 3.

    Args:
        points: ``(n, 2)``, from 0 to 1.
    """
    area, best = 0.0, 0.0
    for x, y in points[np.lexsort((-points[:, 1], -points[:, 0]))]:
        if y > best:
            area += x * (y - best)
            best = y
    return float(area)


def unit_square(accuracies: Sequence[float], parameters: Sequence[int]) -> NDArray[np.float64]:
    """Accuracy, and the fewness of parameters by their logarithm, each from 0 to 1 over all.

    Args:
        accuracies: fractions, ``(n,)``.
        parameters: counts, ``(n,)``.

    Returns:
        ``(n, 2)``; 1 is the best of each, and where all are alike all are 1.
    """
    columns = np.array([accuracies, -np.log(np.array(parameters, np.float64))])
    low, high = columns.min(axis=1, keepdims=True), columns.max(axis=1, keepdims=True)
    return np.where(high > low, (columns - low) / np.where(high > low, high - low, 1), 1).T


def search_reading(name: str, points: NDArray[np.float64]) -> str | None:
    """What the order of a search's trials says of it; None of too few.

    A search that learns finds early what all of its trials together found: after half of them it
    has more of the hypervolume than the same trials in a random order would have.

    Args:
        name: of the representation.
        points: see :func:`unit_square`, in the order of the trials.
    """
    whole, half = hypervolume(points), len(points) // 2
    if len(points) < FEWEST_TRIALS or whole == 0:
        return None
    ours = hypervolume(points[:half]) / whole
    generator = np.random.default_rng(0)
    orders = np.array(
        [hypervolume(generator.permutation(points)[:half]) / whole for _ in range(_ORDERS)]
    )
    ahead = (orders < ours).mean() + (orders == ours).mean() / 2
    return (
        f"{name}: with the first half of its {len(points)} trials the search found "
        f"{100 * ours:.0f} % of what all of them found (the hypervolume: the area under the Pareto "
        f"front of accuracy against the logarithm of the classifier's parameters). The same trials "
        f"in random orders found {100 * float(np.median(orders)):.0f} % by then, in the median; "
        f"the search was ahead of {100 * ahead:.0f} % of these orders. One that learns nothing "
        f"from its trials would be ahead of about 50 %."
    )
