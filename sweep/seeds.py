"""Seeds with namespaces: every random choice of a study derives from the study's one seed.

A choice is named by a namespace and a path, as in ``generator(seed, "order", draw, epoch)``. Two
choices share their random numbers exactly when their names agree: that is what lets trials share an
encoder, and compares representations on the same partitions.

The study's seed and the name are hashed with SHA-256 into the entropy of a
:class:`numpy.random.SeedSequence`, so that streams are independent and no order of calls matters.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np


def sequence(seed: int, namespace: str, *path: int | str) -> np.random.SeedSequence:
    """The seed sequence of one named choice."""
    name = json.dumps([seed, namespace, *path], separators=(",", ":"))
    return np.random.SeedSequence(int.from_bytes(hashlib.sha256(name.encode()).digest(), "big"))


def generator(seed: int, namespace: str, *path: int | str) -> np.random.Generator:
    """A numpy generator (PCG64) for one named choice."""
    return np.random.Generator(np.random.PCG64(sequence(seed, namespace, *path)))


def integer(seed: int, namespace: str, *path: int | str) -> int:
    """One seed in ``[0, 2**31)`` for a library that takes a plain integer."""
    return int(sequence(seed, namespace, *path).generate_state(1, np.uint32)[0] >> 1)
