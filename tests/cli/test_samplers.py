"""Whole studies by sampler, as processes that are killed."""

from __future__ import annotations

import itertools
import signal
import time
from pathlib import Path

import pytest

from tests.cli.process import assert_exactly_once, start, sweep, trials

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

GRID = [
    "replicates.draws=1",
    "replicates.classifiers=1",
    "rows=[]",
    "representations.vae.trials=0",
    "representations.pixels.trials=0",
    "representations.pca.space.latent_dim.choices=[2, 3, 5]",
    "representations.pca.space.hidden_neurons={low: 3, high: 10}",
]


def arguments(config: Path, home: Path, sampler: str, asked: int) -> list[object]:
    """A study over 24 cells of pca."""
    settings = [*GRID, f"search.sampler={sampler}", f"representations.pca.trials={asked}"]
    options = itertools.chain.from_iterable(("--set", setting) for setting in settings)
    return ["run", config, "--home", home, *options]


def cells(home: Path) -> list[tuple[int, int]]:
    """The cells of a study's complete trials, by number."""
    return [
        (trial.params["pca.latent_dim"], trial.params["pca.hidden_neurons"])
        for trial in trials(home)
        if trial.values is not None
    ]


def test_a_grid_that_is_killed_covers_each_cell_once(tiny_config: Path, tmp_path: Path) -> None:
    """Three kills change nothing: 24 cells, each complete once."""
    command = arguments(tiny_config, tmp_path, "grid", 24)
    for after in (8, 10, 12):
        process = start(*command)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    done = sweep(*command)
    assert done.returncode == 0, done.stderr
    assert sorted(cells(tmp_path)) == [(d, h) for d in (2, 3, 5) for h in range(3, 11)]
    assert_exactly_once(tmp_path, target=24)


def test_a_used_up_space_ends_the_study_and_says_why(tiny_config: Path, tmp_path: Path) -> None:
    """40 trials of 24 cells end at 24, with status 0 and the reason."""
    done = sweep(*arguments(tiny_config, tmp_path, "tpe", 40))
    assert done.returncode == 0, done.stderr
    assert "The space of pca is used up: every cell has been tried." in done.stderr
    assert len(set(cells(tmp_path))) == len(trials(tmp_path)) == 24


def test_a_quasi_random_study_goes_on_with_its_sequence(tiny_config: Path, tmp_path: Path) -> None:
    """Interrupted twice or not at all: the same cells in the same order."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert sweep(*arguments(tiny_config, whole, "qmc", 12), "--workers", 1).returncode == 0
    command = [*arguments(tiny_config, parts, "qmc", 12), "--workers", 1]
    for after, number in ((8, signal.SIGKILL), (11, signal.SIGINT)):
        process = start(*command)
        time.sleep(after)
        process.send_signal(number)
        process.communicate(timeout=60)
    assert sweep(*command).returncode == 0
    # An attempt that was interrupted ran again under a later number; cells are begun in order.
    begun = [(t.params["pca.latent_dim"], t.params["pca.hidden_neurons"]) for t in trials(parts)]
    assert list(dict.fromkeys(begun)) == cells(whole)
    assert_exactly_once(parts, target=12)
