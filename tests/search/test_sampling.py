"""Samplers: what they see and what they propose."""

from __future__ import annotations

import sys
import time
from collections import Counter
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from sweep.classifier import parameters
from sweep.config import Cell, parse_config
from sweep.errors import ConfigError, HomeError
from sweep.search.attempt import Attempt
from sweep.search.sampling import Proposer, _Search, check_sampler, startup_trials
from sweep.search.sequences import quasi_random, spread_out
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
    assert all(space.cell(space.drawn(cell)) == cell for cell in cells)


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
    longer = proposals(tmp_path / "longer.db", sampler, 12, startup_trials=8)
    assert longer[:8] == even[:8]


@pytest.mark.parametrize("sampler", LEARNING_SAMPLERS)
def test_a_sampler_that_learns_is_not_chance(sampler: str) -> None:
    """From the start-up on, whatever the seed, next to no proposal is what chance would propose.

    Optuna's samplers draw by chance where they have nothing to learn from, and nobody sees it;
    NSGA-II does where it mutates everything, once in a hundred times.
    """
    same = []
    for seed in range(5):
        learned, chance = (
            [attempt.cell for attempt in tried(name, 20, seed)[1]] for name in (sampler, "random")
        )
        same += [one == other for one, other in zip(learned[5:], chance[5:], strict=True)]
    assert sum(same) <= len(same) // 20


@pytest.mark.parametrize(("trials", "size"), [(6, 4), (40, 8), (60, 12)])
def test_generations_fit_the_number_of_trials(trials: int, size: int) -> None:
    """A fifth of the trials breeds the next: NSGA-II learns several times in a small study, too."""
    search, attempts = tried("nsga2", trials, seed=0)
    memory = search._memory
    generations = Counter(
        search._generations.get_trial_generation(memory, trial)
        for trial in memory.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    )
    assert sum(generations.values()) == len(attempts) == trials
    whole = trials // size
    assert [generations[number] for number in range(whole)] == [size] * whole
    assert len(generations) >= min(5, whole)


def tried(sampler: str, trials: int, seed: int) -> tuple[_Search, list[Attempt]]:
    """What a search over many neurons has tried, each ending before the next begins."""
    tree = config(sampler, vae=trials).model_dump()
    tree["representations"]["vae"]["space"]["hidden_neurons"] = {"low": 1, "high": 100_000}
    study = parse_config(tree | {"seed": seed}, "test")
    search = _Search(study, "vae")
    attempts = []
    for number in range(trials):
        cell = search.propose()
        spec = study.trial_spec(cell, FACTS.sha256)
        attempt = Attempt(number=number, spec=spec, cell=cell, attempt=1, started_at=0)
        attempt = attempt.model_copy(update={"result": result(attempt)})
        search.learn(attempt)
        attempts.append(attempt)
    return search, attempts


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


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=9, unique=True),
    st.integers(1, 300),
    st.lists(st.floats(0.1, 4.0), min_size=1, max_size=5, unique=True),
)
@example([2, 4, 8, 16, 32], 991, [0.5, 1.0])
def test_every_beginning_of_a_grid_covers_all_dimensions(
    latent_dims: list[int], neurons: int, betas: list[float]
) -> None:
    """Choices and ranges together: the first k cells have about as many values of each, as far as
    there are any; and all cells come, once."""
    tree = config("grid", vae=1).model_dump()
    tree["representations"]["vae"]["space"] = {
        "latent_dim": {"choices": latent_dims},
        "beta": {"choices": betas},
        "hidden_neurons": {"low": 10, "high": 9 + neurons},
    }
    space = SearchSpace(parse_config(tree, "test"), "vae")
    cells = list(islice(spread_out(space), 400))
    assert len(set(cells)) == len(cells) == min(400, space.size)
    params = [space.params(cell) for cell in cells]
    for name, dimension in space.dimensions.items():
        assert dimension.values is not None
        for count in (2, 4, 8, 16, 64, 256):
            first = {each[name] for each in params[:count]}
            assert len(first) >= min(len(dimension.values), max(2, count // 4))


def test_a_grid_begins_at_both_ends(tmp_path: Path) -> None:
    """The least of everything, the most of everything, the other corners, and then what lies
    between."""
    cells = proposals(tmp_path / "grid.db", "grid", 24)
    pairs = [(cell.latent_dim, cell.hidden_neurons) for cell in cells]
    assert pairs[:5] == [(2, 3), (8, 10), (2, 10), (8, 3), (4, 7)]
    assert set(pairs) == set(product((2, 4, 8), range(3, 11)))


def test_a_grid_goes_on_after_another_order(tmp_path: Path) -> None:
    """Whatever a study has tried, the cells that are left follow."""
    storage = open_storage(f"sqlite:///{tmp_path}/optuna.db")
    rows = [
        {"representation": "vae", "latent_dim": latent_dim, "hidden_neurons": neurons}
        for latent_dim in (2, 4, 8)
        for neurons in (3, 10)
    ]
    study = Study(storage, config("grid", rows, vae=24), FACTS)
    while (attempt := begin(study)) is not None:
        complete(study, attempt, result(attempt))
        study = Study(storage, config("grid", rows, vae=24), FACTS)
    assert len({attempt.cell for attempt in study.attempts}) == len(study.attempts) == 24


CHANCE = [*("random", "qmc", "tpe", "nsga2"), *LEARNING_SAMPLERS[2:]]
LATENT_DIMS = st.sampled_from(
    [{"choices": [8, 2, 60]}, {"low": 2, "high": 90}, {"low": 3, "high": 3}, None]
)
NEURONS = st.sampled_from(
    [
        {"low": 1, "high": 100_000},
        {"low": 2, "high": 5000, "log": True},
        {"low": 2, "high": 5000, "log": True, "step": 3},
        {"low": 1, "high": 900, "points": 40},
        {"choices": [7, 3, 5000, 40]},
    ]
)


@pytest.mark.parametrize("sampler", CHANCE)
@settings(max_examples=25)
@given(LATENT_DIMS, NEURONS, st.booleans(), st.integers(0, 99), st.integers(0, 3000))
def test_a_bound_refuses_nothing_that_is_drawn(
    sampler: str,
    latent_dims: dict[str, Any] | None,
    neurons: dict[str, Any],
    is_real: bool,
    seed: int,
    beyond: int,
) -> None:
    """Whatever the space, every proposal is allowed and new, and comes at once: until all cells
    were tried, or after a dozen where there is no end of them."""
    space: dict[str, Any] = {"hidden_neurons": neurons}
    if latent_dims is not None:
        space["latent_dim"] = latent_dims
    if is_real:
        space["classifier.learning_rate"] = {"low": 1e-4, "high": 1e-2, "log": True}
    name = "vae" if latent_dims else "pixels"
    least = min(neurons.get("choices", [neurons.get("low")]))
    inputs = min(latent_dims.get("choices", [latent_dims.get("low")])) if latent_dims else 784
    tree = config(sampler).model_dump()
    tree["representations"][name] |= {"space": space, "trials": 12}
    tree["search"]["max_parameters"] = parameters(inputs, least) + beyond
    study = parse_config(tree | {"seed": seed}, "test")
    proposer = Proposer(study, [])
    known = SearchSpace(study, name)
    cells: list[Cell] = []
    begun = time.process_time()
    while len(cells) < 12 and not proposer.exhausted(name):
        cell = proposer.propose(name)
        assert known.has(cell)
        assert known.cell(known.drawn(cell)) == cell
        attempt = Attempt(
            number=len(cells),
            spec=study.trial_spec(cell, FACTS.sha256),
            cell=cell,
            attempt=1,
            started_at=0,
        )
        proposer.learn(attempt)
        proposer.learn(attempt.model_copy(update={"result": result(attempt)}))
        cells.append(cell)
    assert len(set(cells)) == len(cells) == min(12, known.size)
    if sampler != "gp":  # a Gaussian process takes a second to fit
        assert time.process_time() - begun < 12


@pytest.mark.parametrize("sampler", [*CHANCE, "grid"])
def test_a_large_space_is_not_listed(sampler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a bound excludes most of it, where cells are hardly met by chance any more, and where
    the bound leaves latent dimensions none."""
    tree = config(sampler, vae=40).model_dump()
    tree["representations"]["vae"]["space"] = {
        "latent_dim": {"low": 2, "high": 10_000},
        "hidden_neurons": {"low": 1, "high": 100_000},
    }
    tree["search"]["max_parameters"] = 500
    study = parse_config(tree, "test")
    if sampler != "grid":  # which ends with the cells that its sequence has not met
        monkeypatch.delattr(SearchSpace, "cells")
    proposer = Proposer(study, [])
    cells = set()
    for number in range(40):
        cell = proposer.propose("vae")
        spec = study.trial_spec(cell, FACTS.sha256)
        attempt = Attempt(number=number, spec=spec, cell=cell, attempt=1, started_at=0)
        proposer.learn(attempt.model_copy(update={"result": result(attempt)}))
        assert study.classifier_parameters(cell) <= 500
        cells.add(cell)
    assert len(cells) == 40
