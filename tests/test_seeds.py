"""Seeds: a name is a stream, and the derivation never changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sweep import seeds

paths = st.lists(st.integers(0, 100) | st.text(max_size=8), max_size=4)


@given(seed=st.integers(0, 2**63 - 1), namespace=st.text(max_size=8), path=paths)
def test_a_name_is_a_stream(seed: int, namespace: str, path: list[int | str]) -> None:
    """The same name gives the same numbers, whatever was drawn before; another seed, others."""
    first = seeds.generator(seed, namespace, *path).integers(0, 2**63, 4)
    seeds.generator(seed, "other").random(10)
    np.testing.assert_array_equal(
        first, seeds.generator(seed, namespace, *path).integers(0, 2**63, 4)
    )
    assert list(first) != list(seeds.generator(seed + 1, namespace, *path).integers(0, 2**63, 4))
    assert list(first) != list(seeds.generator(seed, namespace, *path, 0).integers(0, 2**63, 4))
    assert 0 <= seeds.integer(seed, namespace, *path) < 2**31


def test_names_are_not_joined() -> None:
    """('a', 'bc') and ('ab', 'c'), 1 and '1' are different names."""
    names: list[tuple[int | str, ...]] = [("a", "bc"), ("ab", "c"), (1,), ("1",), (1, 1), (11,)]
    assert len({seeds.integer(0, "n", *name) for name in names}) == len(names)


def test_the_derivation_does_not_change() -> None:
    """Stored encoders and results stand on it: a change here makes them another study's."""
    assert seeds.integer(0, "partition", 0, 0) == 1_193_324_522
    assert seeds.generator(7, "order", 1, 2).permutation(6).tolist() == [3, 1, 4, 2, 0, 5]
