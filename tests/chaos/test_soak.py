"""The short form of ``benchmarks.soak``: four studies at once in one home, which are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak import soak

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1200)]

MORE_DESCRIPTORS = 10


def test_four_studies_that_are_looked_at(tmp_path: Path) -> None:
    """They share their encoders, train nothing twice, and nobody meets a lock or a traceback."""
    seen = soak(tmp_path / "home", 40, 12)
    assert seen.wrong == []
    figures = seen.figures()
    for kind in seen.sizes:
        first, *_, last = figures[kind]["descriptors"]
        assert last <= first + MORE_DESCRIPTORS, (kind, figures[kind])
    assert figures["status: times"] >= 1
