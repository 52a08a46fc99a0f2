"""Samplers that do not learn: sequences of cells in an order that is known in advance.

A study takes the first cell of the sequence that it has not tried. Nothing has to be remembered for
that: a study that is resumed, or gets more trials, goes on where it stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

from sweep.config import LAST, Cell
from sweep.search.space import SearchSpace

_BLOCK = 64  # points drawn at a time; Sobol's sequences are balanced over powers of two
_OFTEN = 2
"""So many points a cell are drawn before the cells that are left follow in their own order."""


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
        yield from map(space.at, engine.random(_BLOCK).tolist())


def spread_out(space: SearchSpace) -> Iterator[Cell]:
    """Every cell of a space that has an end, in an order whose every beginning covers it.

    The least of everything and the most of everything, then the least of every other dimension with
    the most of the rest, and the other way round: of two dimensions, all corners. Sobol's sequence
    follows, which takes every dimension's middle, its quarters, and so on, together; at last what
    the sequence has not met.

    Args:
        space: what to go through.
    """
    from scipy.stats.qmc import Sobol

    dimensions = len(space.dimensions)
    engine = Sobol(dimensions, scramble=False)
    pairs = ((0.0, 0.0), (LAST, LAST), (0.0, LAST), (LAST, 0.0))
    ends = ([pair[place % 2] for place in range(dimensions)] for pair in pairs)
    blocks = (
        engine.random(_BLOCK).tolist() for _ in range(math.ceil(_OFTEN * space.size / _BLOCK))
    )
    met = set()
    for cell in chain(map(space.at, chain(ends, chain.from_iterable(blocks))), space.cells()):
        if cell not in met:
            met.add(cell)
            yield cell
