"""What goes wrong with single trials, caused for real: each is a failed trial with its reason."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.artifacts import load_text
from optuna.trial import FrozenTrial

from sweep.search.attempt import Cause
from tests.cli.process import sweep, trials
from tests.guarantee import runs

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

# The VAE's learning rate makes it diverge. 20 classifiers of the PCA row need 8 GB for what lies
# between their layers: TensorFlow raises or dies. The weights of the first row of pixels are twice
# 3.8 GB while they are stacked, which NumPy refuses with an exception.
FAULTS = """
name: faults
dataset: mnist-5k
partition: {scheme: fractions, encoder: .1, classifier: .4, validation: .4, test: .1}
replicates: {draws: 1, classifiers: 20}
representations:
  vae:
    {epochs: 2, batch_size: 100, learning_rate: 1000000, labels_from: classifier,
     classifier: {epochs: 2, batch_size: 256, learning_rate: 0.001}}
  pca: {labels_from: classifier, classifier: {epochs: 2, batch_size: 2000, learning_rate: 0.001}}
  pixels: {labels_from: classifier, classifier: {epochs: 2, batch_size: 256, learning_rate: 0.001}}
rows:
  - {representation: vae, latent_dim: 2, hidden_neurons: 8}
  - {representation: pca, latent_dim: 2, hidden_neurons: 50000}
  - {representation: pixels, hidden_neurons: 60000}
  - {representation: pixels, hidden_neurons: 9}
"""
_MEMORY = 7_000_000_000  # of addresses, of which TensorFlow takes some for itself


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def by_neurons(home: Path, study: str) -> dict[int, list[FrozenTrial]]:
    """The attempts at each row, by its hidden neurons."""
    found: dict[int, list[FrozenTrial]] = {}
    for trial in trials(home, study):
        found.setdefault(trial.user_attrs["spec"]["hidden_neurons"], []).append(trial)
    return found


def cause(trial: FrozenTrial) -> Cause:
    return Cause(trial.user_attrs["failure"]["cause"])


def test_each_fault_is_told_from_the_others(tmp_path: Path) -> None:
    """NaN, too little memory and an exception: their causes, tracebacks and number of attempts.

    ``retry`` queues each once more.
    """
    config, home = tmp_path / "faults.yaml", tmp_path / "home"
    config.write_text(FAULTS)
    done = sweep("run", config, "--home", home, "--workers", 1, preexec_fn=limit_memory)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    attempts = by_neurons(home, "faults")
    assert [cause(trial) for trial in attempts[8]] == [Cause.DIVERGED]
    assert {cause(trial) for trial in attempts[50000]} <= {Cause.WORKER_DIED, Cause.ERROR}
    assert len(attempts[50000]) == 1
    assert [trial.state.name for trial in attempts[9]] == ["COMPLETE"]
    (exception,) = attempts[60_000]
    assert cause(exception) is Cause.ERROR
    assert "MemoryError" in exception.user_attrs["failure"]["traceback"]

    client = MlflowClient(f"sqlite:///{home}/mlflow.db")
    shown = {run.data.tags.get("sweep.trial"): run for run in runs(client, "faults")}
    for trial in trials(home, "faults"):
        run = shown[str(trial.number)]
        if trial.state.name == "FAIL":
            assert run.info.status == "FAILED"
            text = load_text(f"{run.info.artifact_uri}/failure.txt")
            assert trial.user_attrs["failure"]["message"] in text
    failed = load_text(f"{shown[str(exception.number)].info.artifact_uri}/failure.txt")
    assert "MemoryError" in failed

    assert sweep("retry", "faults", "--home", home).returncode == 0
    again = sweep("run", config, "--home", home, "--workers", 1, preexec_fn=limit_memory)
    assert again.returncode == 1
    for neurons, trials_of in by_neurons(home, "faults").items():
        states = [trial.state.name for trial in trials_of]
        assert states == (["COMPLETE"] if neurons == 9 else ["FAIL", "FAIL"])


def test_a_trial_that_takes_too_long(tmp_path: Path) -> None:
    """It is ended, and is not tried again."""
    config, home = tmp_path / "faults.yaml", tmp_path / "home"
    config.write_text(FAULTS)
    done = sweep(
        *("run", config, "--home", home, "--workers", 1),
        *("--set", "rows=[{representation: pixels, hidden_neurons: 500}]"),
        *("--set", "representations.pixels.classifier.epochs=10000"),
        *("--set", "execution.trial_timeout=3"),
    )
    assert done.returncode == 1, done.stderr
    (attempt,) = trials(home, "faults")
    assert cause(attempt) is Cause.TIMED_OUT
    assert "took longer than 3 seconds" in done.stderr
    status = sweep("status", "faults", "--home", home)
    assert "trial 0: pixels → 500: timed out: took longer than 3 seconds" in status.stdout
