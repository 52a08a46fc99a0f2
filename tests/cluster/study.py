"""A study for a cluster to be broken under, and what is seen of it."""

from __future__ import annotations

from pathlib import Path

from sweep.artifacts import ArtifactStore
from sweep.home import Home
from tests.cli.process import start, wait_until
from tests.cluster.nodes import Cluster, Node

ONE_ENCODER = """
name: one-encoder
dataset: mnist-5k
partition: {scheme: fractions, encoder: .3, classifier: .2, validation: .4, test: .1}
replicates: {draws: 1, classifiers: 2}
representations:
  vae: {epochs: 16, batch_size: 50, classifier: {epochs: 3}}
  pixels: {classifier: {epochs: 3}}
rows:
  - {representation: vae, latent_dim: 2, hidden_neurons: 8}
  - {representation: vae, latent_dim: 2, hidden_neurons: 16}
  - {representation: pixels, hidden_neurons: 8}
  - {representation: pixels, hidden_neurons: 16}
"""
"""One encoder of some twenty seconds, and little beside it."""
NAME, ROWS, EPOCHS = "one-encoder", 4, 16


class Run:
    """``sweep run`` on a cluster."""

    def __init__(self, cluster: Cluster, config: Path, home: Path, *options: object) -> None:
        self.home = home
        self._cluster = cluster
        self._err = home.with_suffix(".err")
        with self._err.open("a") as err:
            self.process = start(
                *("run", config, "--home", home, "--engine", "ray"),
                *("--address", cluster.address, *options),
                env=cluster.environment,
                stderr=err,
            )

    @property
    def said(self) -> str:
        """All that it has said on stderr."""
        return self._err.read_text()

    def epochs(self) -> int:
        """How far the encoder is, by what the home has of it."""
        store = ArtifactStore(Home.at(self.home))
        if store.encoders.published():
            return EPOCHS
        for key in store.half_trained():
            return max(len(curve) for curve in (store.checkpoint(key).history() or {}).values())
        return 0

    def until_epoch(self, number: int) -> int:
        """Wait until so many epochs of the encoder are at home.

        Returns:
            The fewest that were seen there meanwhile: a training that begins anew has few again.
        """
        seen: list[int] = []

        def is_there() -> bool:
            seen.append(self.epochs())
            return seen[-1] >= number or self.process.poll() is not None

        wait_until(is_there, 180)
        assert self.process.poll() is None, self.said
        return min(seen)

    def node_that_trains(self) -> Node:
        """The node whose worker trains the encoder: nothing else takes so long."""
        busy = max(self._cluster.nodes, key=lambda node: sum(map(_seconds, workers(node))))
        assert workers(busy)
        return busy

    def end(self, seconds: float = 240) -> int:
        """Its exit status."""
        self.process.communicate(timeout=seconds)
        return self.process.returncode


def workers(node: Node) -> list[int]:
    """The processes of a node that train."""
    return node.pids("spawn_main")


def _seconds(pid: int) -> int:
    """Time of the processor that a process has had, in the system's ticks."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
