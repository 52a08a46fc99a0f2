"""Samplers that do not learn: sequences of cells in an order that is known in advance.

A study takes the first cell of the sequence that it has not tried. Nothing has to be remembered for
that: a study that is resumed, or gets more trials, goes on where it stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sweep.config import Cell, Choices, Dimension
from sweep.search.space import SearchSpace

_BLOCK = 64  # points drawn at a time; Sobol's sequences are balanced over powers of two


def grid(space: SearchSpace) -> Iterator[Cell]:
    """Every cell once."""
    yield from space.cells()


def quasi_random(space: SearchSpace, seed: int, most: int) -> Iterator[Cell]:
    """Cells of a scrambled Sobol sequence, which fills the space more evenly than chance.

    Optuna's own QMC sampler leaves choices to chance, and its first trial, too; here every
    dimension takes part.

    Args:
        space: what to fill.
        seed: of the scrambling; the whole sequence follows from it.
        most: points to draw at the most. Cells may repeat among them.
    """
    from scipy.stats.qmc import Sobol  # takes most of a second to import

    engine = Sobol(len(space.dimensions), rng=seed)
    for _ in range(math.ceil(most / _BLOCK)):
        for point in engine.random(_BLOCK):
            cell = space.cell(
                {
                    name: _value(dimension, float(u))
                    for (name, dimension), u in zip(space.dimensions.items(), point, strict=True)
                }
            )
            if space.has(cell):
                yield cell


def _value(dimension: Dimension, u: float) -> int:
    """The value at ``u``, from 0 to just below 1; each has its share of that interval."""
    if isinstance(dimension, Choices):
        return dimension.choices[int(u * dimension.size)]
    if not dimension.log:
        return dimension.low + int(u * dimension.size)
    # As Optuna does it: a value's share is the logarithm's from half below it to half above it.
    low, high = math.log(dimension.low - 0.5), math.log(dimension.high + 0.5)
    return min(max(round(math.exp(low + u * (high - low))), dimension.low), dimension.high)
