"""From nothing to a table: short configs, ``sweep init``, and what is said at the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sweep.config import load_config
from sweep.coordinator.plan import plan
from sweep.coordinator.studies import status
from sweep.errors import StudyChangedError
from sweep.workspace import Workspace
from tests.cli.process import sweep

SHORT = """
name: short
dataset: mnist-5k
representations:
  pca: {space: {latent_dim: {choices: [8]}, hidden_neurons: {low: 4, high: 64}}}
  pixels: {space: {hidden_neurons: {low: 4, high: 16}}}
"""
SHORTER_TINY = """
name: tiny
dataset: mnist-5k
partition: {encoder: .1, validation: .6}
seed: 3
replicates: {draws: 2, classifiers: 2}
representations:
  vae:
    {epochs: 1, batch_size: 100, trials: 4, classifier: {epochs: 3},
     space: {latent_dim: {choices: [2, 3]}, hidden_neurons: {low: 4, high: 64, log: true}}}
  pixels:
    {trials: 3, space: {hidden_neurons: {low: 4, high: 64, log: true}}, classifier: {epochs: 3}}
  pca: {classifier: {epochs: 3}}
search: {sampler: random}
rows:
  - {representation: pixels, hidden_neurons: 10}
"""
"""The tiny study, without what has a default."""


@pytest.mark.slow
def test_a_name_a_dataset_and_two_spaces_are_a_study(tmp_path: Path) -> None:
    """It runs, into files although colours are wanted; and says where all of it is.

    The same command again says that it was finished.
    """
    (tmp_path / "short.yaml").write_text(SHORT)
    ran = sweep("run", "short.yaml", cwd=tmp_path, env={"FORCE_COLOR": "1"})
    assert ran.returncode == 0, ran.stderr
    for moving in ("\x1b[?25l", "\x1b[2K", "\x1b[1A", "\r"):
        assert moving not in ran.stdout + ran.stderr
    out, err = (re.sub(r"\x1b\[[0-9;]*m", "", text) for text in (ran.stdout, ran.stderr))
    assert "[1/16] trial" in err
    assert "test %" in out
    assert " * " in out
    assert "finished already" not in out
    (page,) = re.findall(r"^  (\S+/report\.html)$", out, re.M)
    assert (tmp_path / page).exists()
    assert "  uv run sweep ui\n" in out
    assert "  uv run sweep register short\n" in out
    again = sweep("run", "short.yaml", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "The study short was finished already: nothing had to be trained." in again.stdout
    assert page in again.stdout
    found = status(Workspace.at(tmp_path / "runs", {}), "short")
    assert found.page == tmp_path / page
    assert (found.complete, [part.complete for part in found.representations]) == (16, [8, 8])


def test_an_old_home_takes_the_short_config(finished: Path, tmp_path: Path) -> None:
    """It was made with the long one: nothing has changed, and its encoders are known."""
    short = tmp_path / "short.yaml"
    short.write_text(SHORTER_TINY)
    workspace = Workspace.at(finished, {})
    assert plan(load_config(short), workspace, 1).encoders_trained == 4
    with pytest.raises(StudyChangedError, match=r"replicates\.classifiers: 2 became 3"):
        plan(load_config(short, ["replicates.classifiers=3"]), workspace, 1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_init_writes_runs(tmp_path: Path) -> None:
    """As it stands, to its end."""
    made = sweep("init", "mine", cwd=tmp_path)
    assert (made.returncode, made.stdout) == (0, "Written to mine.yaml\n")
    assert "uv run sweep run mine.yaml" in made.stderr
    ran = sweep("run", "mine.yaml", cwd=tmp_path, timeout=500)  # minutes, on a busy machine
    assert ran.returncode == 0, ran.stderr
    assert "vae 10 →" in ran.stdout
