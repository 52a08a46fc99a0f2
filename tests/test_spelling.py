"""Guessing what was meant."""

from __future__ import annotations

import pytest

from sweep.spelling import did_you_mean

KNOWN = ["seed", "dataset", "pixels", "mnist-5k", "mnist"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("sed", "seed"), ("Pixels", "pixels"), ("pixel", "pixels"), ("mnist5k", "mnist-5k")],
)
def test_a_near_name_is_meant(word: str, meant: str) -> None:
    """A letter that is missing, and another case."""
    assert did_you_mean(word, KNOWN) == f"did you mean '{meant}'?"


@pytest.mark.parametrize("word", ["", "umap", "x" * 100_000])
def test_nothing_is_made_up(word: str) -> None:
    """Where no name is near; and comparing takes no time with what is no name."""
    assert did_you_mean(word, KNOWN) == ""
    assert did_you_mean("sed", []) == ""
