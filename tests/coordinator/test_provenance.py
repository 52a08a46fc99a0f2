"""Where numbers come from, as a study's ledger has it."""

from __future__ import annotations

import pytest

from sweep.config import Cell
from sweep.coordinator.provenance import provenance
from sweep.machine import early_variables, environment
from sweep.results import numeric_kinds
from sweep.search.attempt import Attempt, Cause
from sweep.search.recorded import Recorded
from tests.search.builders import FACTS, config, failure, result


def test_what_was_run_where_and_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts by their state, durations and this very machine; other versions' notes are read.

    Variables that act before Python begins are noted, and make another kind of machine.
    """
    for name in early_variables():
        monkeypatch.delenv(name)
    plain = environment()
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    cell = Cell(representation="pixels", hidden_neurons=5)
    begun = Attempt(
        number=0,
        spec=config().trial_spec(cell, FACTS.sha256),
        cell=cell,
        attempt=1,
        started_at=500,
    )
    attempts = [
        begun.model_copy(update={"result": result(begun)}),
        begun.model_copy(update={"failure": failure(Cause.ERROR)}),
    ]
    notes = [environment(), plain, {"cpu": "another", "gpu": "of a later version"}]
    recorded = Recorded(config(), FACTS, attempts, frozenset(), notes, {}, {}, {}, list)
    found = provenance(recorded, [])
    assert found.attempts == {"running": 0, "complete": 1, "failed": 1, "interrupted": 0}
    assert (found.began, found.ended) == ("1970-01-01T00:00:00+00:00", "1970-01-01T00:00:02+00:00")
    assert (found.train_seconds, found.encoder_seconds) == (1.0, 0.0)
    this, bare, other = found.environments
    assert this.variables == {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2"}
    assert (bare.variables, other.variables) == ({}, {})
    assert numeric_kinds([this, bare]) == 2
    assert this.packages["optuna"]
    assert this.cores >= 1
    assert (other.cpu, other.packages) == ("another", {})
