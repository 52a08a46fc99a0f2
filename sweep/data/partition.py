"""Stratified, seeded, disjoint and exhaustive partitions of a dataset's images.

Pure functions of labels, scheme, seed and draw.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sweep import seeds
from sweep.configuration import FractionsPartition, NotebookPartition
from sweep.errors import DataError

Indices = NDArray[np.int64]
BUDGET_PART = "classifier"
"""The part that label budgets are taken from, for every representation: the same labels."""


def partition(
    labels: NDArray[np.uint8], scheme: FractionsPartition | NotebookPartition, seed: int, draw: int
) -> Mapping[str, Indices]:
    """Divide the images into the scheme's parts.

    Args:
        labels: class of every image, shape ``(n,)``.
        scheme: how to divide.
        seed: the study's seed.
        draw: the outer draw; each has a partition of its own.

    Returns:
        For each part its image indices, ascending, int64. Every image is in exactly one part.

    Raises:
        DataError: a class has too few images to stand in every part.
    """
    # By its own number, not its place: the numbers of a dataset's classes may have gaps.
    classes = {
        label: np.flatnonzero(labels == label).astype(np.int64)
        for label in np.unique(labels).tolist()
    }
    parts = {
        label: _notebook(members, seed, draw, label)
        if isinstance(scheme, NotebookPartition)
        else _fractions(members, scheme, seed, draw, label)
        for label, members in classes.items()
    }
    for label, part in parts.items():
        for name, members in part.items():
            if not len(members):
                raise DataError(
                    f"the partition's part '{name}' gets no image of class {label}, "
                    f"of which the dataset has {len(classes[label])}",
                    hint="choose larger shares or a larger dataset",
                )
    return {
        name: np.sort(np.concatenate([part[name] for part in parts.values()]))
        for name in part_names(scheme)
    }


def label_subset(
    labels: NDArray[np.uint8], part: Indices, budget: int, seed: int, draw: int
) -> Indices:
    """A stratified subset of a part; a smaller budget's is a subset of a larger one's.

    Each class is shuffled, and its images take their turns evenly: image k of a class of n stands
    at (k + 1/2) / n, and the subset is what stands first.

    Args:
        labels: class of every image, shape ``(n,)``.
        part: indices of the part's images.
        budget: how many to take, at most ``len(part)``.
        seed: the study's seed.
        draw: the outer draw; each has subsets of its own.

    Returns:
        Their indices, ascending, int64.
    """
    order, turns = [], []
    for label in np.unique(labels[part]).tolist():
        members = part[labels[part] == label]
        order.append(seeds.generator(seed, "labels", draw, label).permutation(members))
        turns.append((np.arange(len(members)) + 0.5) / len(members))
    first = np.argsort(np.concatenate(turns), kind="stable")[:budget]
    return np.sort(np.concatenate(order)[first])


def part_names(scheme: FractionsPartition | NotebookPartition) -> tuple[str, ...]:
    """The parts that a scheme makes."""
    if isinstance(scheme, NotebookPartition):
        return ("encoder", "classifier", "test")
    return ("encoder", "classifier", "validation", "test")


def _fractions(
    members: Indices, scheme: FractionsPartition, seed: int, draw: int, label: int
) -> dict[str, Indices]:
    """Shuffle a class and cut it at the rounded cumulative shares."""
    shuffled = seeds.generator(seed, "partition", draw, label).permutation(members)
    names = part_names(scheme)
    shares = [getattr(scheme, name) for name in names]
    cuts = np.rint(np.cumsum(shares)[:-1] * len(members)).astype(int)
    return dict(zip(names, np.split(shuffled, cuts), strict=True))


def _notebook(members: Indices, seed: int, draw: int, label: int) -> dict[str, Indices]:
    """The notebook's two calls of ``train_test_split`` on one class.

    They give 48,996 / 13,859 / 7,145 images on MNIST, which rounding the shares would not.
    """
    from sklearn.model_selection import train_test_split  # takes a second to import

    if len(members) < 4:  # fewer cannot be cut twice with an image in every part
        return {"encoder": members, "classifier": members[:0], "test": members[:0]}
    encoder, rest = train_test_split(
        members, test_size=0.3, random_state=seeds.integer(seed, "partition", draw, label, "rest")
    )
    classifier, test = train_test_split(
        rest, test_size=0.34, random_state=seeds.integer(seed, "partition", draw, label, "test")
    )
    return {"encoder": encoder, "classifier": classifier, "test": test}
