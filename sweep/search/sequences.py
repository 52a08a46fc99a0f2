"""A sampler that does not learn: a sequence of cells in an order that is known in advance.

A study takes the first cell of the sequence that it has not tried. Nothing has to be remembered for
that: a study that is resumed, or gets more trials, goes on where it stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sweep.config import Cell
from sweep.search.space import SearchSpace

_BLOCK = 64  # points drawn at a time; Sobol's sequences are balanced over powers of two


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
                    name: dimension.at(float(u))
                    for (name, dimension), u in zip(space.dimensions.items(), point, strict=True)
                }
            )
            if space.has(cell):
                yield cell
