"""One real encoder, killed in the middle of its training again and again."""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests import guarantee
from tests.chaos.servers import MlflowServer
from tests.chaos.study import Kills, workers_of
from tests.chaos.test_kills import restarted
from tests.cli.process import start, sweep, wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(7200)]

_CONFIG = """
name: training
dataset: mnist-5k
partition: {{scheme: fractions, encoder: .1, classifier: .2, validation: .6, test: .1}}
seed: 5
replicates: {{draws: 1, classifiers: 1}}
representations:
  vae:
    {{epochs: {epochs}, batch_size: 100, learning_rate: 0.001, labels_from: classifier,
     classifier: {{epochs: 3, batch_size: 256, learning_rate: 0.001}}}}
rows:
  - {{representation: vae, latent_dim: 5, hidden_neurons: 10}}
"""


@pytest.mark.parametrize("place", ["database", "server"])
def test_each_epoch_stands_once_whatever_is_killed(
    kills: Kills, tmp_path: Path, place: str
) -> None:
    """The worker, the coordinator or both, and a server of MLflow besides.

    Every epoch of every curve stands in the encoder's one run, with the value of a training that
    nobody disturbed.
    """
    config, home = tmp_path / "training.yaml", tmp_path / "home"
    config.write_text(_CONFIG.format(epochs=15 * kills.number))
    server = MlflowServer(tmp_path) if place == "server" else None
    environment = {"MLFLOW_TRACKING_URI": server.uri} if server else {}
    if server:
        server.start()
    victims: Counter[str] = Counter()
    try:
        with restarted(server, kills) if server else nullcontext():
            while sum(victims.values()) < kills.number:
                victims[kill_once(config, home, environment, kills.random)] += 1
        print(dict(victims))
        done = sweep("run", config, "--home", home, env=environment, timeout=3600)
        assert done.returncode == 0, done.stderr
        tracking = server.uri if server else f"sqlite:///{home}/mlflow.db"
        storage = f"sqlite:///{home}/optuna.db"
        guarantee.assert_exactly_once(storage, tracking, "training", 1)
        client = MlflowClient(tracking)
        found = [*guarantee.runs(client, "training")]
        (encoder,) = [run for run in found if run.data.tags["sweep.kind"] == "encoder"]
        logged = {
            name: sorted(
                (p.step, p.value) for p in client.get_metric_history(encoder.info.run_id, name)
            )
            for name in ("loss", "reconstruction_loss", "kl", "active_dimensions")
        }
    finally:
        if server:
            server.kill()
    undisturbed = tmp_path / "undisturbed"
    assert sweep("run", config, "--home", undisturbed, timeout=3600).returncode == 0
    (path,) = undisturbed.glob("encoders/*/record.json")
    history = json.loads(path.read_text())["history"]
    assert logged == {name: list(enumerate(curve, start=1)) for name, curve in history.items()}


def kill_once(config: Path, home: Path, environment: dict[str, str], chance: random.Random) -> str:
    """Run the study, and kill something once its training has got on; which it was."""
    before = checkpoint_size(home)
    process = start("run", config, "--home", home, "--workers", 1, env=environment)
    wait_until(lambda: checkpoint_size(home) > before or process.poll() is not None, 300)
    victim = chance.choice(["worker", "coordinator", "tree"])
    workers = workers_of(process)
    if victim != "coordinator":
        for worker in workers:
            kill(worker)
    if victim == "worker":  # whose coordinator is to go on with another
        grown = checkpoint_size(home)
        wait_until(lambda: checkpoint_size(home) > grown or process.poll() is not None, 300)
        workers = workers_of(process)
    kill(process.pid)
    process.communicate(timeout=60)
    return victim


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        os.kill(pid, signal.SIGKILL)


def checkpoint_size(home: Path) -> int:
    sizes = [0]
    for path in home.glob("checkpoints/[0-9a-f]*"):
        with suppress(FileNotFoundError):  # the training is done
            sizes.append(path.stat().st_size)
    return max(sizes)
