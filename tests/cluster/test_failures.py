"""What is lost on a cluster, and what is not: nodes, their workers, the head, the coordinator."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.cli.process import assert_exactly_once, wait_until
from tests.cluster.nodes import cluster
from tests.cluster.study import EPOCHS, NAME, ONE_ENCODER, ROWS, Run, workers
from tests.execution.test_local import is_alive

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / f"{NAME}.yaml"
    path.write_text(ONE_ENCODER)
    return path


def test_a_worker_and_a_node_that_are_killed(config: Path, tmp_path: Path) -> None:
    """In the middle of an encoder: it goes on, the second time elsewhere, from where it was."""
    with cluster(2) as nodes:
        run = Run(nodes, config, tmp_path / "home")
        run.until_epoch(3)
        (worker, *_) = workers(run.node_that_trains())
        os.kill(worker, signal.SIGKILL)
        at_death = run.epochs()
        assert run.until_epoch(at_death + 3) >= at_death
        node = run.node_that_trains()
        before = run.epochs()
        killed = time.monotonic()
        node.kill()  # its raylet, its courier, its worker
        fewest = run.until_epoch(before + 1)
        print(f"a node's encoder went on {time.monotonic() - killed:.0f} s after it was killed")
        assert fewest >= before
        assert run.end() == 0, run.said
        assert "begins again" in run.said
        assert_exactly_once(run.home, ROWS, NAME)


def test_no_node_for_a_while(config: Path, tmp_path: Path) -> None:
    """Neither at the beginning nor in between does the study end; a node that joins is used."""
    with cluster(0) as nodes:
        run = Run(nodes, config, tmp_path / "home")
        wait_until(lambda: (run.home / "optuna.db").exists(), 60)
        time.sleep(5)
        assert run.process.poll() is None, run.said
        first = nodes.add()
        run.until_epoch(3)
        first.kill()
        before = run.epochs()
        time.sleep(20)
        assert run.process.poll() is None, run.said
        assert before <= run.epochs() < EPOCHS
        joined = time.monotonic()
        nodes.add()
        assert run.until_epoch(before + 1) >= before
        print(f"a node was used {time.monotonic() - joined:.0f} s after it was started")
        assert run.end() == 0, run.said
        assert_exactly_once(run.home, ROWS, NAME)


def test_the_coordinator_is_killed(config: Path, tmp_path: Path) -> None:
    """Its workers end with it, wherever they are, and the same command goes on."""
    with cluster(1) as nodes:
        run = Run(nodes, config, tmp_path / "home")
        run.until_epoch(3)
        left = workers(nodes.nodes[0])
        assert left
        run.process.kill()
        run.end()
        killed = time.monotonic()
        wait_until(lambda: not any(map(is_alive, left)), 30)
        print(f"workers were gone {time.monotonic() - killed:.1f} s after the coordinator")
        before = run.epochs()
        assert before >= 3
        again = Run(nodes, config, run.home)
        assert again.until_epoch(before + 1) >= before
        os.kill(again.process.pid, signal.SIGINT)
        assert again.end() == 130
        wait_until(lambda: not workers(nodes.nodes[0]), 10)
        assert again.epochs() >= before
        last = Run(nodes, config, run.home)
        assert last.end() == 0, last.said
        assert_exactly_once(run.home, ROWS, NAME)
        assert not list((nodes.nodes[0].place / "tmp").glob("latent-sweep-*/*-*"))


def test_the_head_is_killed(config: Path, tmp_path: Path) -> None:
    """The study ends in good order, and on another cluster the same command goes on."""
    with cluster(1) as nodes:
        run = Run(nodes, config, tmp_path / "home")
        run.until_epoch(3)
        killed = time.monotonic()
        nodes.head.kill("gcs_server")
        status = run.end()
        print(f"status {status}, {time.monotonic() - killed:.0f} s after the head was killed")
        assert status == 1, run.said
        assert "the head of the Ray cluster is out of reach" in run.said
        before = run.epochs()
        assert before >= 3
        assert "Traceback" not in run.said
    with cluster(1) as nodes:
        again = Run(nodes, config, run.home)
        assert again.until_epoch(before + 1) >= before
        assert again.end() == 0, again.said
        assert again.epochs() == EPOCHS
        assert_exactly_once(run.home, ROWS, NAME)
