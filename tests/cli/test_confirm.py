"""Confirming what a search has selected, as a real study of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sweep import load
from tests.cli.process import mlflow_runs, sweep, trials

pytestmark = pytest.mark.slow

CONFIRM = ("--set", "confirm={draws: 2, classifiers: 1}")


def listed(home: Path) -> list[dict[str, Any]]:
    """The study's trials, as the command line lists them."""
    done = sweep("trials", "tiny", "--home", home, "--format", "json")
    found: list[dict[str, Any]] = json.loads(done.stdout)["trials"]
    return found


def history(home: Path, run_id: str) -> list[float]:
    """All test scores that MLflow has of a run."""
    points = MlflowClient(f"sqlite:///{home}/mlflow.db").get_metric_history(run_id, "test_accuracy")
    return [point.value for point in points]


@pytest.fixture(scope="module")
def confirmed(tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("confirmed")
    done = sweep("run", tiny_config, "--home", home, "--workers", 2, *CONFIRM)
    assert done.returncode == 0, done.stderr
    return home


def test_the_report_stands_on_draws_that_the_search_has_not_seen(confirmed: Path) -> None:
    """Rows, fronts and intervals; what the search saw stands beside, and nothing is mixed."""
    done = sweep("report", "tiny", "--home", confirmed, "--format", "json")
    report = json.loads(done.stdout)
    seen = {draw for row in report["searched"] for draw, _, _ in row["replicates"]}
    fresh = {draw for row in report["rows"] for draw, _, _ in row["replicates"]}
    assert fresh
    assert seen.isdisjoint(fresh)
    assert report["scored_on"] == "test"
    assert 0 < len(report["rows"]) < len(report["searched"]) == len(trials(confirmed))
    searched = {row["mlflow_run_ids"][0]: row for row in report["searched"]}
    for row in report["rows"]:
        own = searched[row["mlflow_run_ids"][0]]
        assert row["searched_accuracy"] == pytest.approx(own["accuracy"])
        assert own["pareto"] or own["pareto_inference"]  # by what the search saw, and that alone
    text = sweep("report", "tiny", "--home", confirmed).stdout
    assert "trained again on draws that it had not seen" in " ".join(text.split())


def test_data_frames_tell_what_confirms_from_what_was_searched(confirmed: Path) -> None:
    """Replicates and curves of both; the best row is the best of what was confirmed."""
    study = load("tiny", home=confirmed)
    rows, replicates, curves = study.rows(), study.replicates(), study.curves()
    fresh = replicates[replicates["scored_on"] == "test"]
    assert set(fresh["trial"]) == set(rows["trial"])
    assert fresh["draw"].min() == 2  # the search has seen 0 and 1
    means = fresh.groupby("trial")["accuracy"].mean()
    assert rows.set_index("trial")["accuracy"].to_dict() == pytest.approx(means.to_dict())
    assert set(curves["scored_on"]) == {"validation", "test"}
    assert study.best["accuracy"] == rows["accuracy"].max()
    (latent_dim, draw), *_ = study.encoders()[["latent_dim", "draw"]].query("draw > 1").to_numpy()
    assert study.encoder(latent_dim, draw).output_shape == (None, latent_dim)


def test_mlflow_has_the_test_scores_of_what_was_selected(confirmed: Path) -> None:
    """Beside the scores that selected it; and every encoder of the fresh draws."""
    report = json.loads(sweep("report", "tiny", "--home", confirmed, "--format", "json").stdout)
    runs = {run.info.run_id: run for run in mlflow_runs(confirmed)}
    for row in report["rows"]:
        metrics = runs[row["mlflow_run_ids"][0]].data.metrics
        assert metrics["test_accuracy"] == pytest.approx(row["accuracy"])
        assert metrics["accuracy"] == pytest.approx(row["searched_accuracy"])
    kinds = [run.data.tags["sweep.kind"] for run in runs.values()]
    assert kinds.count("encoder") == len(list((confirmed / "encoders").iterdir()))


def test_a_confirmed_study_is_left_as_it_is(confirmed: Path, tiny_config: Path) -> None:
    """The same command trains nothing again, and prints the same."""
    before = sweep("report", "tiny", "--home", confirmed, "--format", "json").stdout
    files = {path: path.stat().st_mtime_ns for path in (confirmed / "draws").iterdir()}
    done = sweep("run", tiny_config, "--home", confirmed, *CONFIRM)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in (confirmed / "draws").iterdir()} == files
    assert sweep("report", "tiny", "--home", confirmed, "--format", "json").stdout == before


def test_confirming_may_be_added_later(copy: Path, tiny_config: Path) -> None:
    """It changes none of a study's trials, and MLflow shows what fresh draws say of them instead
    of what those of the search did; taking it away again is refused."""
    before = {run.info.run_id: run.data.metrics for run in mlflow_runs(copy)}
    tested = {run_id for run_id, metrics in before.items() if "test_accuracy" in metrics}
    searched = listed(copy)
    assert sweep("validate", tiny_config, "--home", copy, *CONFIRM).returncode == 0
    done = sweep("run", tiny_config, "--home", copy, "--workers", 2, *CONFIRM)
    assert done.returncode == 0, done.stderr
    assert listed(copy) == searched
    report = json.loads(sweep("report", "tiny", "--home", copy, "--format", "json").stdout)
    rows = {row["mlflow_run_ids"][0]: row for row in report["rows"]}
    assert rows.keys() == tested
    for _ in range(2):
        runs = {run.info.run_id: run for run in mlflow_runs(copy)}
        for run_id, row in rows.items():
            assert runs[run_id].data.metrics["test_accuracy"] == pytest.approx(row["accuracy"])
            assert len(history(copy, run_id)) == 2
        assert sweep("sync", "tiny", "--home", copy).returncode == 0
    refused = sweep("run", tiny_config, "--home", copy)
    assert refused.returncode == 2
    assert "confirm.draws: 2 became (not set)" in refused.stderr


def test_a_bundle_holds_what_confirms(confirmed: Path, tmp_path: Path) -> None:
    """Its report stands on the fresh draws, and follows from them."""
    done = sweep("bundle", "tiny", "--home", confirmed, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(sweep("report", "tiny", "--home", confirmed, "--format", "json").stdout)
    assert json.loads((tmp_path / "out/report.json").read_text()) == report
    assert sweep("verify", tmp_path / "out").returncode == 0
