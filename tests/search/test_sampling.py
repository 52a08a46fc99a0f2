"""Samplers: what they see and what they propose."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.config import Cell, parse_config
from sweep.errors import ConfigError, HomeError
from sweep.search.sampling import check_sampler, startup_trials
from sweep.search.sequences import quasi_random
from sweep.search.space import SearchSpace, cell_params
from sweep.search.storage import open_storage
from sweep.search.study import Study
from tests.search.builders import (
    FACTS,
    LEARNING_SAMPLERS,
    SAMPLERS,
    begin,
    complete,
    config,
    result,
)


@pytest.mark.parametrize("sampler", LEARNING_SAMPLERS)
def test_samplers_that_learn_do(tmp_path: Path, sampler: str) -> None:
    """Their later proposals are better than chance's."""
    trials = 30 if sampler == "gp" else 80
    late = {}
    for name in (sampler, "random"):
        storage = open_storage(f"sqlite:///{tmp_path}/{name}.db")
        wide = config(name, search={"objectives": ["accuracy"]}, pixels=trials).model_dump()
        wide["representations"]["pixels"]["space"]["hidden_neurons"] = {"low": 1, "high": 10_000}
        study = Study(storage, parse_config(wide, "test"), FACTS)
        distances = []
        while (attempt := begin(study)) is not None:
            distance = abs(attempt.cell.hidden_neurons - 3000) / 10_000
            complete(study, attempt, result(attempt, accuracy=1 - distance))
            distances.append(distance)
        late[name] = float(np.median(distances[2 * trials // 3 :]))
    assert late[sampler] < 0.5 * late["random"]


def test_a_sampler_that_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As an error with status 2, before anything is trained."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match="needs PyTorch") as raised:
        check_sampler(config("gp", vae=1))
    assert "--extra gp" in (raised.value.hint or "")


@given(st.data())
def test_a_space_counts_its_cells(data: st.DataObject) -> None:
    """Its size is the number of the cells that it lists, all different and all its own."""
    neurons = data.draw(
        st.one_of(
            st.builds(
                lambda low, more: {"low": low, "high": low + more},
                st.integers(1, 30),
                st.integers(0, 9),
            ),
            st.lists(st.integers(1, 40), min_size=1, max_size=6, unique=True).map(
                lambda choices: {"choices": choices}
            ),
        )
    )
    bound = data.draw(st.none() | st.integers(2000, 30_000))
    tree = config(vae=1).model_dump()
    tree["representations"]["vae"]["space"]["hidden_neurons"] = neurons
    tree["search"]["max_parameters"] = bound
    space = SearchSpace(parse_config(tree, "test"), "vae")
    cells = list(space.cells())
    assert space.size == len(cells) == len(set(cells))
    assert all(space.has(cell) for cell in cells)
    assert all(space.cell(space.params(cell)) == cell for cell in cells)


@given(st.integers(0, 2**32), st.integers(1, 10))
def test_quasi_random_cells_fill_the_space_evenly(seed: int, blocks: int) -> None:
    """Of every 64 points, each of three latent dimensions and each octave gets its share."""
    space = SearchSpace(config(vae=1), "vae")
    cells = list(quasi_random(space, seed, 64 * blocks))
    assert len(cells) == 64 * blocks
    for start in range(0, len(cells), 64):
        dims = Counter(cell.latent_dim for cell in cells[start : start + 64])
        assert all(20 <= dims[d] <= 23 for d in (2, 4, 8))
        neurons = Counter(cell.hidden_neurons for cell in cells[start : start + 64])
        assert all(7 <= neurons[n] <= 9 for n in range(3, 11))


def test_a_row_outside_the_space_shows_its_representation_alone() -> None:
    """Optuna is told no value that its distributions could not have given."""
    study = config(vae=1)
    inside = Cell(representation="vae", latent_dim=4, hidden_neurons=3)
    outside = Cell(representation="vae", latent_dim=3, hidden_neurons=3)
    assert cell_params(study, inside)[0] == {
        "representation": "vae",
        "vae.latent_dim": 4,
        "vae.hidden_neurons": 3,
    }
    assert cell_params(study, outside)[0] == {"representation": "vae"}


def test_rows_outside_the_space_do_not_use_it_up(tmp_path: Path) -> None:
    """They stand beside the cells of the space, which are all tried."""
    rows = [{"representation": "pixels", "hidden_neurons": n} for n in (20, 30, 5)]
    storage = open_storage(f"sqlite:///{tmp_path}/optuna.db")
    study = Study(storage, config(rows=rows, pixels=40), FACTS)
    while (attempt := begin(study)) is not None:
        complete(study, attempt, result(attempt))
    neurons = sorted(attempt.cell.hidden_neurons for attempt in study.attempts)
    assert neurons == [*range(1, 13), 20, 30]


@pytest.mark.parametrize("url", ["nonsense", "nodialect://x", "sqlite:////dev/null/optuna.db"])
def test_a_storage_that_cannot_be_opened_is_named(url: str) -> None:
    """As an error with status 2 and a hint."""
    with pytest.raises(HomeError, match="cannot be opened") as raised:
        open_storage(url)
    assert raised.value.exit_status == 2


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    """SQLite is opened in WAL mode, so that readers such as a dashboard do not hold up writers."""
    url = f"sqlite:///{tmp_path}/optuna.db"
    Study(open_storage(url), config(pixels=1), FACTS)
    import sqlite3

    with sqlite3.connect(tmp_path / "optuna.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert optuna.load_study(study_name="study", storage=url).directions


def proposals(path: Path, sampler: str, trials: int, **search: Any) -> list[Cell]:
    """The cells of the vae that a study tries, each ending before the next begins."""
    study = Study(
        open_storage(f"sqlite:///{path}"), config(sampler, vae=trials, search=search), FACTS
    )
    while (attempt := begin(study)) is not None:
        complete(study, attempt, result(attempt))
    return [attempt.cell for attempt in study.attempts]


@pytest.mark.parametrize("sampler", LEARNING_SAMPLERS)
def test_a_sampler_that_learns_starts_evenly(tmp_path: Path, sampler: str) -> None:
    """A quarter of the trials, four at least, are those of the quasi-random sequence."""
    learned = proposals(tmp_path / "learned.db", sampler, 12)
    even = proposals(tmp_path / "even.db", "qmc", 12)
    assert learned[:4] == even[:4]
    assert learned[4:] != even[4:]
    chance = proposals(tmp_path / "chance.db", "random", 12)
    assert all(cell not in chance[4:5] for cell in learned[4:5])
    longer = proposals(tmp_path / "longer.db", sampler, 12, startup_trials=8)
    assert longer[:8] == even[:8]


def test_start_ups_fit_the_budget() -> None:
    """From four to ten trials, or as many as the config says."""
    assert [startup_trials(config(vae=n), "vae") for n in (1, 16, 24, 40, 400)] == [4, 4, 6, 10, 10]
    assert startup_trials(config(vae=40, search={"startup_trials": 3}), "vae") == 3
    assert startup_trials(config(vae=40, search={"startup_trials": "auto"}), "vae") == 10


VARIED: dict[str, Any] = {
    "beta": {"low": 0.1, "high": 4.0, "log": True},
    "classifier.learning_rate": {"low": 0.0001, "high": 0.01, "log": True, "points": 7},
    "hidden_neurons": {"low": 10, "high": 1000, "log": True, "step": 10},
}


@pytest.mark.parametrize("sampler", [s for s in SAMPLERS if s != "grid"])
def test_any_setting_is_searched(tmp_path: Path, sampler: str) -> None:
    """Every cell once, each of its space; a study that is resumed goes on as one that was not."""
    tree = config(sampler, vae=9).model_dump()
    tree["representations"]["vae"]["space"] |= VARIED
    study_config = parse_config(tree, "test")
    space = SearchSpace(study_config, "vae")
    cells = []
    for name, restarts in (("whole", False), ("resumed", True)):
        url = f"sqlite:///{tmp_path}/{name}.db"
        study = Study(open_storage(url), study_config, FACTS)
        while (attempt := begin(study)) is not None:
            complete(study, attempt, result(attempt))
            if restarts:
                study = Study(open_storage(url), study_config, FACTS)
        cells.append([attempt.cell for attempt in study.attempts])
    whole, resumed = cells
    assert whole == resumed
    assert len(set(whole)) == 9
    assert all(space.has(cell) for cell in whole)
    assert all(cell.hidden_neurons % 10 == 0 for cell in whole)
    params, distributions = cell_params(study_config, whole[0])
    assert params["vae.beta"] == dict(whole[0].varied)["beta"]
    assert params.keys() == distributions.keys()


def test_a_grid_covers_ranges_from_the_beginning(tmp_path: Path) -> None:
    """Both ends of the neurons with every latent dimension, then the middle: no corner alone."""
    cells = proposals(tmp_path / "grid.db", "grid", 9)
    assert {(cell.latent_dim, cell.hidden_neurons) for cell in cells[:6]} == {
        (latent_dim, neurons) for latent_dim in (2, 4, 8) for neurons in (3, 10)
    }
    assert {cell.hidden_neurons for cell in cells[6:]} == {6}
