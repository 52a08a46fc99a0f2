"""A home of an older version is taken over: nothing of it is trained again, and nothing changes."""

from __future__ import annotations

import zipfile
from pathlib import Path
from statistics import fmean

import pytest

from sweep.artifacts import ArtifactStore
from sweep.home import Home
from tests.cli.process import TARGET, accuracies, mlflow_runs, sweep

OLD = Path(__file__).with_name("tiny-home-2026-11-25.zip")
"""Of the tiny study, as the version of that day left it: storage, draws, assessments. The draws
have no checksums, and the encoders and MLflow's database are gone."""


@pytest.mark.slow
def test_a_finished_study_stays_as_it_is(tiny_config: Path, tmp_path: Path) -> None:
    """The same config is the same study; its keys are the same, its results are believed, and
    MLflow is told of all of them.
    """
    home = tmp_path / "home"
    with zipfile.ZipFile(OLD) as packed:
        packed.extractall(home)
    draws = {path: path.read_bytes() for path in (home / "draws").iterdir()}
    before = accuracies(home)
    done = sweep("run", tiny_config, "--home", home)
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in (home / "draws").iterdir()} == draws
    assert accuracies(home) == before
    assert len(before) == TARGET
    assert ArtifactStore(Home.at(home)).encoders.published() == []
    kinds = [run.data.tags["sweep.kind"] for run in mlflow_runs(home)]
    assert kinds.count("trial") == TARGET
    for replicates in before.values():
        assert f"{100 * fmean(replicates):.2f}" in done.stdout
