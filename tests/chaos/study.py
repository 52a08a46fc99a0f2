"""A study to be killed, and the killing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cli.process import processes, start, wait_until

STUDY = "chaos"
_CONFIG = """
name: chaos
dataset: mnist-5k
partition: {{scheme: fractions, encoder: .2, classifier: .4, validation: .3, test: .1}}
seed: 7
replicates: {{draws: 1, classifiers: 2}}
representations:
  vae:
    {{epochs: 3, batch_size: 100, learning_rate: 0.001, labels_from: classifier, trials: {vae},
     space: {{latent_dim: {{choices: [2, 3, 4]}}, hidden_neurons: {{low: 4, high: 400}}}},
     classifier: {{epochs: 20, batch_size: 64, learning_rate: 0.001}}}}
  pixels:
    {{labels_from: classifier, trials: {pixels}, space: {{hidden_neurons: {{low: 4, high: 200}}}},
     classifier: {{epochs: 20, batch_size: 64, learning_rate: 0.001}}}}
search: {{sampler: random}}
"""


def target_for(kills: int) -> int:
    """Trials of the study: enough to last, and 60 at least."""
    return max(60, 2 * kills)


def config_for(kills: int) -> str:
    """The study's config."""
    target = target_for(kills)
    return _CONFIG.format(vae=target - target // 3, pixels=target // 3)


@dataclass(frozen=True)
class Kills:
    """Random moments at which random processes are killed."""

    number: int
    random: random.Random

    def until_killed_often(
        self, config: Path, home: Path, environment: dict[str, str]
    ) -> Iterator[str]:
        """Run the study by the same command again and again, and kill; what was killed each time.

        The victims are the whole process tree, the coordinator alone, or a worker alone, whose
        study goes on.
        """
        done = 0
        while done < self.number:
            process = start("run", config, "--home", home, "--workers", 2, env=environment)
            victim = self._kill_after_a_while(process, home)
            while victim == "worker":
                done += 1
                yield victim
                victim = self._kill_after_a_while(process, home)
            process.communicate(timeout=60)
            assert process.returncode in (0, -signal.SIGKILL), process.returncode
            done += 1
            yield victim

    def _kill_after_a_while(self, process: subprocess.Popen[str], home: Path) -> str:
        """Kill while the study starts, or when it has got on with its work."""
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0.2, 8))
        else:
            before = _trained(home)
            # Long on a busy machine: all that it waits for is that the study gets on at all.
            wait_until(lambda: _trained(home) > before or process.poll() is not None, 300)
            time.sleep(self.random.uniform(0, 3))
        victim = self.random.choice(["tree", "tree", "coordinator", "worker"])
        workers = workers_of(process)
        if victim == "worker" and workers:
            _kill(self.random.choice(workers))
            return "worker"
        for pid in [process.pid, *(workers if victim == "tree" else [])]:
            _kill(pid)
        return "coordinator" if victim == "worker" else victim


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The worker processes of a coordinator."""
    children = processes(lambda parent, _: parent == process.pid)
    return [pid for pid, line in children.items() if "spawn_main" in line]


def _trained(home: Path) -> int:
    """How much is trained so far."""
    return sum(1 for _ in home.glob("draws/*.json"))


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        os.kill(pid, signal.SIGKILL)
