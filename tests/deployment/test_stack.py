"""The services of ``docker-compose.yml`` run a study: their commands, environments and volumes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.servers import PG
from tests.cli.process import TARGET, TINY, sweep
from tests.deployment.test_compose import SECRETS

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        os.getuid() != 0 or not (PG / "initdb").exists() or shutil.which("unshare") is None,
        reason="wants root, and PostgreSQL",
    ),
]


def test_a_study_runs_through_all_services(finished: Path, tmp_path: Path) -> None:
    """Its table is this machine's to the last bit, on every page, and no secret is an argument."""
    (tmp_path / "study_configs").mkdir()
    (tmp_path / "study_configs/tiny.yaml").write_text(TINY)
    alone = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    done = subprocess.run(
        [*alone, sys.executable, "-m", "tests.deployment.stack", tmp_path],
        input=json.dumps(SECRETS | {"STUDY": "study_configs/tiny.yaml"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["status"] == 0, seen["log"]
    here = json.loads(sweep("report", "tiny", "--home", finished, "--format", "json").stdout)
    there = json.loads(seen["report"])
    same = ("representation", "latent_dim", "hidden_neurons", "replicates", "accuracy")
    rows = [[{name: row[name] for name in same} for row in each["rows"]] for each in (here, there)]
    assert rows[0] == rows[1]
    runs = [run for row in there["rows"] for run in row["mlflow_run_ids"]]
    assert len(runs) == len(set(runs)) == TARGET
    assert f"{TARGET} of {TARGET}" in seen["pages"]["studies at the end"]
    assert "accuracy" in seen["pages"]["report"]
    assert "mlflow server" in seen["arguments"]
    assert not [name for name, secret in SECRETS.items() if secret in seen["arguments"]]
