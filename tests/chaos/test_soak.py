"""The short form of ``benchmarks.soak``: four studies at once in one home, which are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak import WITHOUT_WORKERS, soak, trained_amiss

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1200)]

MORE_DESCRIPTORS = 10
MORE_MEGABYTES = {
    "coordinator of many trials": 10,
    "coordinators of few trials": 10,
    "MLflow's server": 20,
}
"""From the first quarter of the time to the last. Of each trial its coordinator keeps its spec, its
result, and what the sampler and MLflow's mirror know of it: 14 kB and 0.1 kB for each epoch."""
MOST_MEGABYTES = {"workers": 1000, WITHOUT_WORKERS: 450}
"""At any time: a worker grows by its programs, and a coordinator by what draws a report."""


def test_four_studies_that_are_looked_at(tmp_path: Path) -> None:
    """They share their encoders, train nothing twice, and nobody meets a lock or a traceback.

    Nothing grows but as it should.
    """
    seen = soak(tmp_path / "home", 40, 12)
    assert seen.wrong == []
    figures = seen.figures()
    for kind in seen.sizes.keys() - {WITHOUT_WORKERS}:
        first, *_, last = figures[kind]["descriptors"]
        assert last <= first + MORE_DESCRIPTORS, (kind, figures[kind])
    assert set(seen.sizes) == {*MORE_MEGABYTES, *MOST_MEGABYTES}
    for kind, more in MORE_MEGABYTES.items():
        first, *_, last = figures[kind]["MB"]
        assert last <= first + more, (kind, figures[kind])
    for kind, most in MOST_MEGABYTES.items():
        assert max(megabytes for megabytes, _ in seen.sizes[kind]) <= most, (kind, figures[kind])
    assert figures["status: times"] >= 1


def test_what_is_trained_twice_is_seen(tmp_path: Path) -> None:
    """By whichever studies; and what nobody trained."""
    encoder, draw, other = ("e" * 32, "d" * 32, "f" * 32)
    (tmp_path / "encoders" / encoder).mkdir(parents=True)
    (tmp_path / "draws").mkdir()
    for key in (draw, other):
        (tmp_path / "draws" / f"{key}.json").touch()
    for study in ("one", "two"):
        log = tmp_path / "logs" / study / "worker-1.log"
        log.parent.mkdir(parents=True)
        log.write_text(f"2026 training encoder vae 2, draw 1 (encoder {encoder})\nnoise\n")
    log.write_text(f"{log.read_text()}2026 training pixels → 8, draw 1 of 2 (draw {draw})\n")
    assert list(trained_amiss(tmp_path)) == [
        f"the draw {other} was trained 0 times",
        f"the encoder {encoder} was trained 2 times",
    ]
