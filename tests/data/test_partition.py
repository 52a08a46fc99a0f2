"""Partitions: stratified, seeded, disjoint, exhaustive."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.configuration import FractionsPartition, NotebookPartition
from sweep.data.partition import part_names, partition
from sweep.errors import DataError

MNIST_CLASS_COUNTS = [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958]
NOTEBOOK = NotebookPartition(scheme="notebook")


@st.composite
def fractions(draw: st.DrawFn) -> FractionsPartition:
    weights = draw(st.lists(st.integers(1, 10), min_size=4, max_size=4))
    shares = [weight / sum(weights) for weight in weights]
    return FractionsPartition(
        scheme="fractions",
        encoder=shares[0],
        classifier=shares[1],
        validation=shares[2],
        test=1 - sum(shares[:3]),
    )


@st.composite
def labels(draw: st.DrawFn) -> np.ndarray:
    """Of ten classes or fewer: which ones, and how many of each."""
    count = st.just(0) | st.integers(40, 90)
    counts = draw(st.lists(count, min_size=10, max_size=10).filter(any))
    ordered = np.repeat(np.arange(10, dtype=np.uint8), counts)
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(ordered)


@given(labels(), fractions() | st.just(NOTEBOOK), st.integers(0, 2**63 - 1), st.integers(0, 9))
def test_every_image_is_in_exactly_one_part(
    images: np.ndarray, scheme: FractionsPartition | NotebookPartition, seed: int, draw: int
) -> None:
    """Parts are disjoint, exhaustive, ascending, and named as the scheme says."""
    parts = partition(images, scheme, seed, draw)
    assert tuple(parts) == part_names(scheme)
    together = np.concatenate(list(parts.values()))
    assert sorted(together.tolist()) == list(range(len(images)))
    for indices in parts.values():
        assert (np.diff(indices) > 0).all()


@given(labels(), fractions(), st.integers(0, 1000))
def test_each_class_is_shared_out_alike(
    images: np.ndarray, scheme: FractionsPartition, seed: int
) -> None:
    """In every part, each class has its share, to within one image."""
    parts = partition(images, scheme, seed, 0)
    for label in range(10):
        total = int((images == label).sum())
        for name, indices in parts.items():
            share = getattr(scheme, name)
            deviation = abs((images[indices] == label).sum() - share * total)
            assert deviation <= 1 + 1e-9  # shares are not exact


@given(labels(), fractions() | st.just(NOTEBOOK), st.integers(0, 9))
def test_a_class_is_divided_for_itself(
    images: np.ndarray, scheme: FractionsPartition | NotebookPartition, absent: int
) -> None:
    """Without another class, its images stay in the parts in which they were."""
    kept = np.flatnonzero(images != absent)
    hypothesis.assume(len(kept))
    whole, less = partition(images, scheme, 0, 0), partition(images[kept], scheme, 0, 0)
    for name, indices in less.items():
        np.testing.assert_array_equal(kept[indices], np.intersect1d(whole[name], kept))


@given(labels(), st.integers(0, 1000), st.integers(0, 5))
def test_a_partition_is_a_function_of_seed_and_draw(
    images: np.ndarray, seed: int, draw: int
) -> None:
    """The same for the same; another draw or seed divides the images otherwise."""
    first = partition(images, NOTEBOOK, seed, draw)["encoder"]
    np.testing.assert_array_equal(first, partition(images, NOTEBOOK, seed, draw)["encoder"])
    assert not np.array_equal(first, partition(images, NOTEBOOK, seed, draw + 1)["encoder"])
    assert not np.array_equal(first, partition(images, NOTEBOOK, seed + 1, draw)["encoder"])


@pytest.mark.parametrize("draw", [0, 1])
def test_the_notebook_s_sizes(draw: int) -> None:
    """48,996 / 13,859 / 7,145 on MNIST's classes, in every draw."""
    images = np.repeat(np.arange(10, dtype=np.uint8), MNIST_CLASS_COUNTS)
    sizes = {name: len(part) for name, part in partition(images, NOTEBOOK, 0, draw).items()}
    assert sizes == {"encoder": 48_996, "classifier": 13_859, "test": 7_145}


@pytest.mark.parametrize(
    "scheme",
    [
        NOTEBOOK,
        FractionsPartition(
            scheme="fractions", encoder=0.97, classifier=0.01, validation=0.01, test=0.01
        ),
    ],
)
def test_a_class_that_is_too_small_is_named(
    scheme: FractionsPartition | NotebookPartition,
) -> None:
    """Rather than a part without it; by its own number, though other classes are absent."""
    images = np.repeat(np.array([1, 4, 9], np.uint8), [400, 400, 3])
    with pytest.raises(DataError, match="gets no image of class 9, of which the dataset has 3"):
        partition(images, scheme, 0, 0)
