"""A study on a cluster, with Optuna in PostgreSQL and a real MLflow server, which come and go."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.chaos.disks import full, mounted
from tests.chaos.servers import PG, MlflowServer, postgres
from tests.cli.process import wait_until
from tests.cluster.nodes import cluster
from tests.cluster.study import NAME, ONE_ENCODER, ROWS, Run
from tests.guarantee import assert_exactly_once

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")
def test_a_node_s_disk_is_full_for_a_while(tmp_path: Path) -> None:
    """The study waits for space there, says where, and goes on from the last checkpoint."""
    config = tmp_path / f"{NAME}.yaml"
    config.write_text(ONE_ENCODER)
    small = ("-t", "tmpfs", "-o", "size=60m", "tmpfs")
    with cluster(1) as nodes, mounted(nodes.nodes[0].place / "tmp", *small) as scratch:
        run = Run(nodes, config, tmp_path / "home")
        run.until_epoch(3)
        before = run.epochs()
        with full(scratch):
            wait_until(lambda: "does not take what is written" in run.said, 120)
            assert run.process.poll() is None, run.said
        assert run.until_epoch(before + 1) >= before
        assert run.end() == 0, run.said
        assert "Traceback" not in run.said
        assert_exactly_once(
            f"sqlite:///{run.home}/optuna.db", f"sqlite:///{run.home}/mlflow.db", NAME, ROWS
        )


@pytest.mark.skipif(not (PG / "initdb").exists(), reason="wants PostgreSQL")
def test_both_servers_come_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an encoder is trained: that goes on, and the run ends by itself, each thing once.

    MLflow keeps its runs in the same PostgreSQL, and hands artifacts on.
    """
    config = tmp_path / f"{NAME}.yaml"
    config.write_text(ONE_ENCODER)
    with postgres() as server, cluster(2) as nodes:
        mlflow = MlflowServer(tmp_path, server.url("mlflow"))
        mlflow.start()
        monkeypatch.setitem(nodes.environment, "SWEEP_STORAGE", server.url("optuna"))
        monkeypatch.setitem(nodes.environment, "MLFLOW_TRACKING_URI", mlflow.uri)
        try:
            run = Run(nodes, config, tmp_path / "home")
            run.until_epoch(2)
            mlflow.kill()
            before = run.epochs()
            run.until_epoch(before + 2)
            server.kill()
            run.until_epoch(before + 4)
            server.start()
            mlflow.start()
            run.until_epoch(before + 6)
            server.kill()
            time.sleep(5)
            server.start()
            assert run.end() == 0, run.said
            assert_exactly_once(server.url("optuna"), mlflow.uri, NAME, ROWS)
            assert "MLflow cannot be written" in run.said
            assert "Traceback" not in run.said
            assert "a-secret" not in run.said
        finally:
            mlflow.kill()
