"""``sweep sync``, ``retry`` and ``compare`` as processes, on copies of a finished study."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.process import TARGET, assert_exactly_once, report_rows, sweep, trials


@pytest.mark.slow
def test_sync_brings_back_what_mlflow_lost(copy: Path) -> None:
    """All runs, each once, with their report; an unknown study is refused with status 2."""
    for path in copy.glob("mlflow.db*"):
        path.unlink()
    shutil.rmtree(copy / "mlartifacts")
    done = sweep("sync", "tiny", "--home", copy)
    assert done.returncode == 0, done.stderr
    assert_exactly_once(copy)
    assert list(copy.glob("mlartifacts/tiny/*/artifacts/accuracy_vs_parameters.png"))
    assert list(copy.glob("mlartifacts/tiny/*/artifacts/latent_space.png"))
    unknown = sweep("sync", "tinny", "--home", copy)
    assert unknown.returncode == 2
    assert "there is no study 'tinny'" in unknown.stderr


@pytest.mark.slow
def test_compare_sets_studies_side_by_side(copy: Path, tiny_config: Path, tmp_path: Path) -> None:
    """One table, one plot, every row of both under its study's name."""
    other = sweep(
        "run", tiny_config, "--home", copy, "--trials", 0, "--workers", 1, "--set", "name=other",
        "--set", "rows=[{representation: pixels, hidden_neurons: 10}]",
    )  # fmt: skip
    assert other.returncode == 0, other.stderr
    found = sweep(
        "compare", "tiny", "other", "--home", copy, "--format", "json", "--out", tmp_path / "out"
    )
    assert found.returncode == 0, found.stderr
    assert "report.html, and " in found.stderr
    studies = {study["study"]: study["rows"] for study in json.loads(found.stdout)["studies"]}
    assert studies["tiny"] == report_rows(copy)
    assert [row["hidden_neurons"] for row in studies["other"]] == [10]
    table = sweep("compare", "tiny", "other", "--home", copy).stdout
    ours, _, others = table.partition("Study tiny")[2].partition("Study other")
    assert (ours.count("→"), others.count("→")) == (TARGET, 1)
    assert (tmp_path / "out" / "accuracy_vs_parameters.svg").stat().st_size > 10_000
    assert "other: pixels" in (tmp_path / "out" / "accuracy_vs_parameters.svg").read_text()


@pytest.mark.slow
def test_a_time_limit_fails_a_trial_and_retry_runs_it_again(
    tiny_config: Path, tmp_path: Path
) -> None:
    """With the same spec, as the next attempt; what has not failed is left alone."""
    arguments = (
        "run", tiny_config, "--home", tmp_path, "--workers", 1, "--trials", 0,
        "--set", "replicates.draws=1",
        "--set", "rows=[{representation: vae, latent_dim: 2, hidden_neurons: 4}]",
    )  # fmt: skip
    assert sweep(*arguments, "--set", "execution.trial_timeout=1").returncode == 1
    (failed,) = trials(tmp_path)
    assert failed.user_attrs["failure"]["cause"] == "timed out"
    queued = sweep("retry", "tiny", "--home", tmp_path)
    assert queued.returncode == 0, queued.stderr
    assert "1 failed trials are queued again" in queued.stdout
    assert "timed out" in queued.stderr
    status = json.loads(sweep("status", "tiny", "--home", tmp_path, "--format", "json").stdout)
    assert status["studies"][0]["waiting"] == 1
    done = sweep(*arguments)
    assert done.returncode == 0, done.stderr
    first, second = trials(tmp_path)
    assert first.user_attrs["spec"] == second.user_attrs["spec"]
    assert (first.user_attrs["attempt"], second.user_attrs["attempt"]) == (1, 2)
    assert "no failed trial" in sweep("retry", "tiny", "--home", tmp_path).stdout
