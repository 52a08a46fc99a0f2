"""Subsets of labels: stratified, nested, and the same for every representation."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sweep.data.partition import label_subset

LABELS = st.lists(st.integers(0, 9), min_size=30, max_size=200).map(
    lambda labels: np.array([*labels, *range(10)], np.uint8)
)


@given(LABELS, st.data())
def test_subsets_are_stratified_and_nested(labels: np.ndarray, data: st.DataObject) -> None:
    """Less is part of more, all is the part, and each class has its share.

    To within half an image, and as much again for each class where all are of one size.
    """
    part = np.flatnonzero(
        data.draw(st.lists(st.booleans(), min_size=len(labels), max_size=len(labels)))
    )
    if not len(part):
        return
    small, large = sorted(data.draw(st.integers(1, len(part))) for _ in range(2))
    few, more = (label_subset(labels, part, budget, 0, 0) for budget in (small, large))
    assert len(few) == small == len(np.unique(few))
    assert np.isin(few, more).all()
    assert np.isin(more, part).all()
    for label in np.unique(labels[part]):
        weight = np.mean(labels[part] == label)
        classes = len(np.unique(labels[part]))
        assert abs((labels[more] == label).sum() - large * weight) <= 0.5 + classes * weight / 2
    assert label_subset(labels, part, len(part), 0, 0).tolist() == part.tolist()


def test_draws_and_seeds_have_subsets_of_their_own() -> None:
    """As they have partitions of their own."""
    labels = np.tile(np.arange(10, dtype=np.uint8), 50)
    part = np.arange(500)
    subsets = {tuple(label_subset(labels, part, 50, *it)) for it in [(0, 0), (0, 1), (1, 0)]}
    assert len(subsets) == 3
    assert label_subset(labels, part, 50, 0, 0).tolist() in map(list, subsets)
