"""Samplers: what they see and what they propose."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from sweep.config import Cell
from sweep.errors import HomeError
from sweep.search.sampling import cell_params
from sweep.search.storage import masked, open_storage
from sweep.search.study import Study
from tests.search.builders import FACTS, config, result


def test_tpe_learns(tmp_path: Path) -> None:
    """After its start-up trials, TPE proposes better cells than chance does."""
    best = {}
    for sampler in ("tpe", "random"):
        storage = open_storage(f"sqlite:///{tmp_path}/{sampler}.db")
        study = Study(storage, config(sampler, vae=20), FACTS)
        late = []
        while (attempt := study.begin_next()) is not None:
            # Only the latent dimension matters: 8 is right.
            assert attempt.cell.latent_dim is not None
            study.complete(attempt, result(attempt, accuracy=attempt.cell.latent_dim / 10))
            late.append(attempt.cell.latent_dim)
        best[sampler] = late[10:].count(8)
    assert best["tpe"] >= best["random"]


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
    while (attempt := study.begin_next()) is not None:
        study.complete(attempt, result(attempt))
    neurons = sorted(attempt.cell.hidden_neurons for attempt in study.attempts)
    assert neurons == [*range(1, 13), 20, 30]


@pytest.mark.parametrize("url", ["nonsense", "nodialect://x", "sqlite:////dev/null/optuna.db"])
def test_a_storage_that_cannot_be_opened_is_named(url: str) -> None:
    """As an error with status 2 and a hint."""
    with pytest.raises(HomeError, match="cannot be opened") as raised:
        open_storage(url)
    assert raised.value.exit_status == 2


def test_passwords_are_masked() -> None:
    """A URL is shown without its password."""
    assert masked("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    """SQLite is opened in WAL mode, so that readers such as a dashboard do not hold up writers."""
    url = f"sqlite:///{tmp_path}/optuna.db"
    Study(open_storage(url), config(pixels=1), FACTS)
    import sqlite3

    with sqlite3.connect(tmp_path / "optuna.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert optuna.load_study(study_name="study", storage=url).directions
