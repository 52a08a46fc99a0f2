"""``sweep run --stop-after`` as a process."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.process import accuracies, assert_exactly_once, sweep


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_study_leaves_in_time_and_goes_on(
    finished: Path, tiny_config: Path, tmp_path: Path
) -> None:
    """With status 1 and how far it is; in the end its results are those of one undisturbed."""
    home = tmp_path / "home"
    arguments = ("run", tiny_config, "--home", home, "--workers", 1)
    began = time.monotonic()
    stopped = sweep(*arguments, "--stop-after", "10s")
    took = time.monotonic() - began
    assert stopped.returncode == 1, stopped.stderr
    assert "the time of --stop-after 10s is used up; " in stopped.stderr
    assert " of 8 trials are done" in stopped.stderr
    assert "the same command goes on" in stopped.stderr
    assert "error" not in stopped.stderr
    assert took < 10 + 15  # a busy machine takes its time to begin and to end
    done = sweep(*arguments)
    assert done.returncode == 0, done.stderr
    assert_exactly_once(home)
    assert accuracies(home) == accuracies(finished)


def test_a_duration_that_is_none(tiny_config: Path, tmp_path: Path) -> None:
    """It is refused with status 2, before anything is made."""
    refused = sweep("run", tiny_config, "--home", tmp_path / "home", "--stop-after", "soon")
    assert refused.returncode == 2
    assert "--stop-after: 'soon' is no duration" in refused.stderr
    assert not (tmp_path / "home").exists()
