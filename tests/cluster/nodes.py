"""A Ray cluster of processes on this machine: each node with a home and temporary files of its own.

Nodes see nothing of each other's files, as on machines without a shared file system. Paths are
short, because the system limits those of sockets.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from sweep.execution.ray.session import SETTINGS, TOKEN_PATH
from sweep.ui import free_address
from tests.cli.process import processes, wait_until

_START = (sys.executable, "-m", "ray.scripts.scripts", "start", "--block")


class Node:
    """One node: the processes of ``ray start --block``, in a session of their own."""

    def __init__(self, place: Path, environment: dict[str, str], *arguments: str) -> None:
        self.place = place
        for name in ("home", "tmp"):
            (place / name).mkdir(parents=True)
        self._environment = environment | {
            "HOME": str(place / "home"),
            "TMPDIR": str(place / "tmp"),
        }
        self._log = place / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*_START, f"--temp-dir={place}/ray", *arguments],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it has started."""
        wait_until(lambda: "Ray runtime started" in self.log or self.process.poll() is not None, 90)
        assert self.process.poll() is None, self.log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def pids(self, *parts: str) -> list[int]:
        """Processes that this node has started, whose command lines have all these parts."""
        found, parents = dict[int, str](), {self.process.pid}
        while parents:
            children = processes(partial(_is_child, frozenset(parents)))
            found |= children
            parents = set(children)
        return [pid for pid, line in found.items() if all(part in line for part in parts)]

    def kill(self, *parts: str) -> None:
        """Kill processes of this node, all of them at once."""
        for pid in self.pids(*parts):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Cluster:
    """A head without a slot, and nodes."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.token = place / "token"
        self.token.touch(0o600)
        self.token.write_text(secrets.token_hex(32))
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        self.environment = {**inherited, **SETTINGS, TOKEN_PATH: str(self.token)}
        self.address = f"127.0.0.1:{free_address('127.0.0.1', 0).port}"
        self.nodes: list[Node] = []

    def start(self, nodes: int = 2) -> None:
        """Start the head, and nodes with one CPU each."""
        port = self.address.partition(":")[2]
        self.head = Node(
            self.place / "head",
            self.environment,
            *("--head", "--include-dashboard=false", "--num-cpus=0"),
            *(f"--port={port}", "--node-ip-address=127.0.0.1"),
        )
        self.head.wait()
        for node in [self.add() for _ in range(nodes)]:
            node.wait()

    def add(self) -> Node:
        """Start one more node; it joins when it has started."""
        number = len(self.nodes) + 1
        node = Node(
            self.place / f"node{number}",
            self.environment,
            *(f"--address={self.address}", "--num-cpus=1"),
            f"--node-ip-address=127.0.0.{number + 1}",
        )
        self.nodes.append(node)
        return node

    def end(self) -> None:
        for node in [*self.nodes, self.head]:
            pids = [node.process.pid, *node.pids()]
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            node.process.wait()


def _is_child(parents: frozenset[int], parent: int, _group: int) -> bool:
    return parent in parents


@contextmanager
def cluster(nodes: int = 2) -> Iterator[Cluster]:
    """A cluster for the length of a block."""
    place = Path(tempfile.mkdtemp(prefix="c-", dir="/tmp"))
    made = Cluster(place)
    try:
        made.start(nodes)
        yield made
    finally:
        made.end()
        shutil.rmtree(place, ignore_errors=True)
