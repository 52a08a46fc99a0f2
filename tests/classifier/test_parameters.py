"""The classifier's closed-form parameter count."""

from __future__ import annotations

import pytest

from sweep import classifier


@pytest.mark.parametrize(
    ("inputs", "hidden", "count"),
    [(784, 20, 15_910), (784, 200, 159_010), (10, 200, 4_210), (2, 100, 1_310), (16, 400, 10_810)],
)
def test_published_counts(inputs: int, hidden: int, count: int) -> None:
    """The counts of the notebook's table, its misprint put right."""
    assert classifier.parameters(inputs, hidden) == count
