"""Studies on a head and two nodes, which share no files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.artifacts import ArtifactStore
from sweep.home import Home
from sweep.machine import environment
from tests.cli.process import TARGET, TINY, accuracies, assert_exactly_once, mlflow_runs, sweep
from tests.cluster.nodes import Cluster, cluster
from tests.cluster.study import Run

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

QUICKSTART = Path(__file__).parents[2] / "study_configs/quickstart.yaml"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with cluster(2) as started:
        yield started


def test_a_study_is_the_one_that_this_machine_makes(
    nodes: Cluster, tiny_config: Path, finished: Path, tmp_path: Path
) -> None:
    """From its config to its table: equal to the last bit, each thing once, and nothing is left."""
    run = Run(nodes, tiny_config, tmp_path / "home")
    assert run.end() == 0, run.said
    assert accuracies(run.home) == accuracies(finished)
    assert_exactly_once(run.home)
    assert len(accuracies(run.home)) == TARGET
    encoders = [
        line for line in run.said.splitlines() if "] encoder vae" in line and "loss" in line
    ]
    assert len(encoders) == len(set(encoders)) == 4  # two latent dimensions, two draws
    here, there = (ArtifactStore(Home.at(home)) for home in (finished, run.home))
    for key in here.encoders.published():
        local, sent = here.encoders.record(key), there.encoders.record(key)
        assert local is not None
        assert sent is not None
        assert local.history == sent.history
    assert there.half_trained() == []
    for node in nodes.nodes:
        assert not [
            each
            for each in (node.place / "tmp").rglob("*")
            if each.is_dir() and each.parent.name.startswith("latent-sweep")
        ]
        assert node.pids("spawn_main") == []
    for home in (finished, run.home):
        printed = sweep("report", "tiny", "--home", home, "--format", "json").stdout
        (machine,) = json.loads(printed)["provenance"]["environments"]
        assert machine["packages"] == environment()["packages"]
    logs = [each.read_text() for each in (run.home / "logs/tiny").glob("*.log")]
    assert len(logs) == 2


def test_a_cluster_is_started_for_a_run(tiny_config: Path, finished: Path, tmp_path: Path) -> None:
    """Without an address, with what the asked for workers need; its results are the same."""
    done = sweep(
        *("run", tiny_config, "--home", tmp_path / "home", "--engine", "ray", "--workers", 2),
        *("--set", "execution.ray={cpus_per_task: 2, resources: {fast: 1}}"),
    )
    assert done.returncode == 0, done.stderr
    assert accuracies(tmp_path / "home") == accuracies(finished)
    assert len(list((tmp_path / "home/logs/tiny").glob("*.log"))) == 2


def test_the_quickstart_is_the_one_that_this_machine_makes(nodes: Cluster, tmp_path: Path) -> None:
    """As it is shipped, and equal to the last bit."""
    here = tmp_path / "here"
    done = sweep("run", QUICKSTART, "--home", here, timeout=600)
    assert done.returncode == 0, done.stderr
    run = Run(nodes, QUICKSTART, tmp_path / "there")
    assert run.end(600) == 0, run.said
    expected = accuracies(here, "quickstart")
    assert accuracies(run.home, "quickstart") == expected
    assert_exactly_once(run.home, len(expected), "quickstart")


def test_two_studies_at_once_train_an_encoder_once(nodes: Cluster, tmp_path: Path) -> None:
    """Of one home: both have the very same encoders, each of one training."""
    runs = []
    for name in ("one", "two"):
        config = tmp_path / f"{name}.yaml"
        config.write_text(TINY.replace("name: tiny", f"name: {name}"))
        runs.append(Run(nodes, config, tmp_path / "home", "--workers", 1))
    assert [run.end() for run in runs] == [0, 0], runs[0].said
    for name in ("one", "two"):
        assert_exactly_once(tmp_path / "home", study=name)
    seconds = [
        {
            run.data.tags["sweep.key"]: run.data.metrics["train_seconds"]
            for run in mlflow_runs(tmp_path / "home", study)
            if run.data.tags["sweep.kind"] == "encoder"
        }
        for study in ("one", "two")
    ]
    assert len(seconds[0]) == 4
    assert seconds[0] == seconds[1]
