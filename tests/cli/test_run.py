"""``sweep run`` as a process: from a config to the table, and through interruptions."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sweep.results import Assessment
from tests.cli.process import (
    REPORT_FILES,
    TARGET,
    accuracies,
    assert_exactly_once,
    mlflow_runs,
    processes,
    report_rows,
    start,
    sweep,
    trials,
    wait_until,
)


def test_a_study_runs_from_its_config_to_its_table(finished: Path) -> None:
    """The table and the link to MLflow's chart are printed, and every trial is there once."""
    out = (finished / "stdout").read_text()
    assert "pixels → 10" in out
    assert "/studies/tiny/chart" in out
    assert_exactly_once(finished)
    kinds = [run.data.tags["sweep.kind"] for run in mlflow_runs(finished)]
    assert kinds.count("encoder") == 4  # two latent dimensions, two draws


def test_the_workers_log_says_what_was_trained(finished: Path) -> None:
    """Each encoder and each draw once, by its content key; not what was scored anew."""
    text = (finished / "logs" / "tiny" / "worker-1.log").read_text()
    trained = re.findall(r"training .* \((?:encoder|draw) ([0-9a-f]{32})\)$", text, re.MULTILINE)
    kept = [path.name for path in (finished / "encoders").iterdir()]
    kept += [path.stem for path in (finished / "draws").iterdir()]
    assert sorted(trained) == sorted(kept)


def test_mlflow_holds_what_the_contract_names(finished: Path) -> None:
    """Tags, params, metrics and curves of a trial's run have the names users rely on."""
    run = next(
        run for run in mlflow_runs(finished) if run.data.params.get("representation") == "vae"
        and run.data.tags["sweep.kind"] == "trial"
    )  # fmt: skip
    tags = {name for name in run.data.tags if name.startswith("sweep.")}
    assert tags == {
        "sweep.kind", "sweep.study", "sweep.key", "sweep.trial", "sweep.attempt",
    }  # fmt: skip
    assert run.data.params.keys() >= {
        "representation", "latent_dim", "hidden_neurons", "labels", "epochs", "batch_size",
        "learning_rate", "precision", "seed",
    }  # fmt: skip
    selected = {"test_accuracy", "test_percent"}  # those are of what was selected
    assert run.data.metrics.keys() - selected == {
        "accuracy", "accuracy_sd", "accuracy_ci_low", "accuracy_ci_high", "replicates",
        "accuracy_percent", "ci_low_percent", "ci_high_percent",
        "classifier_parameters", "representation_parameters", "inference_parameters",
        "log10_classifier_parameters", "log10_inference_parameters", "train_seconds",
        "train_loss", "train_accuracy", "val_loss", "val_accuracy",
    }  # fmt: skip
    assert run.data.params["labels"] == "1000"
    assert run.data.metrics["replicates"] == 4


def test_pixels_have_no_latent_dim(finished: Path) -> None:
    """Absent in MLflow, null in JSON; their representation has no parameters."""
    pixels = [r for r in mlflow_runs(finished) if r.data.params.get("representation") == "pixels"]
    assert pixels
    assert not any("latent_dim" in run.data.params for run in pixels)
    rows = [row for row in report_rows(finished) if row["representation"] == "pixels"]
    assert all(row["latent_dim"] is None for row in rows)
    assert all(row["representation_parameters"] == 0 for row in rows)


def test_what_was_selected_is_scored_on_the_test_partition(finished: Path) -> None:
    """Both fronts, and nothing else; the rest of the study never sees that partition."""
    rows = json.loads(sweep("report", "tiny", "--home", finished, "--format", "json").stdout)[
        "rows"
    ]
    for row in rows:
        assert (row["test_accuracy"] is not None) == (row["pareto"] or row["pareto_inference"])
    assessed = [row for row in rows if row["test_accuracy"] is not None]
    assert len(list((finished / "assessments").glob("*.json"))) == len(assessed) > 0
    assert all(
        row["test_ci_low"] <= row["test_accuracy"] <= row["test_ci_high"] for row in assessed
    )
    best = max(rows, key=lambda row: row["accuracy"])
    assert best["test_accuracy"] == pytest.approx(best["accuracy"], abs=0.1)


@pytest.mark.slow
def test_what_is_assessed_are_the_very_classifiers(tiny_config: Path, tmp_path: Path) -> None:
    """A study of rows is scored on the test partition; training again gives the same scores."""
    ran = sweep("run", tiny_config, "--home", tmp_path, "--trials", 0)
    assert ran.returncode == 0, ran.stderr
    [assessed] = (tmp_path / "assessments").glob("*.json")
    assessment = assessment_in(assessed)
    [trial] = accuracies(tmp_path).values()
    assert [y for draw in assessment.accuracies for y in draw] == pytest.approx(trial, abs=1e-6)
    counts = np.array(assessment.confusion)
    assert counts.trace() / counts.sum() == pytest.approx(assessment.accuracy)
    report = sweep("report", "tiny", "--home", tmp_path, "--format", "json").stdout
    assessed.unlink()  # the ledger has it, too
    assert sweep("run", tiny_config, "--home", tmp_path, "--trials", 0).returncode == 0
    assert sweep("report", "tiny", "--home", tmp_path, "--format", "json").stdout == report


def assessment_in(file: Path) -> Assessment:
    """What a file of the home holds beside its checksum."""
    return Assessment.model_validate(json.loads(file.read_bytes())["result"], strict=False)


def test_the_study_run_carries_the_report(finished: Path) -> None:
    """Config, tables and plots are artifacts of the study's run; its note has the table."""
    run = next(r for r in mlflow_runs(finished) if r.data.tags["sweep.kind"] == "study")
    files = {path.name for path in Path(run.info.artifact_uri.removeprefix("file://")).iterdir()}
    assert files == REPORT_FILES | {"overview.svg"}
    assert "\nconfiguration      accuracy %" in run.data.tags["mlflow.note.content"]
    assert run.info.status == "FINISHED"


def test_a_finished_study_is_left_as_it_is(copy: Path, tiny_config: Path) -> None:
    """The same command again trains nothing, logs nothing twice, and prints the table again.

    A time to stop after changes nothing where there is nothing left to do.
    """
    before = accuracies(copy)
    again = sweep("run", tiny_config, "--home", copy, "--stop-after", "1h", "--format", "json")
    assert again.returncode == 0, again.stderr
    assert len(json.loads(again.stdout)["rows"]) == TARGET
    assert accuracies(copy) == before
    assert len(trials(copy)) == TARGET
    assert_exactly_once(copy)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_interruptions_change_nothing(finished: Path, tiny_config: Path, tmp_path: Path) -> None:
    """Two workers, ended in three ways at 15 moments, give the accuracies of one undisturbed.

    Bit for bit, for the same specs; no encoder is trained twice, and no trial stands there twice.
    """
    arguments = ("run", tiny_config, "--home", tmp_path, "--workers", 2)
    encoders: dict[str, float] = {}
    for interruption in range(15):
        number = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[interruption % 3]
        process = start(*arguments)
        time.sleep(1 + interruption * 0.7)
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode in (-number, 130, 0)
        for path in (tmp_path / "encoders").glob("[0-9a-f]*/record.json"):
            trained = path.stat().st_mtime
            assert encoders.setdefault(path.parent.name, trained) == trained
    done = sweep(*arguments)
    assert done.returncode == 0, done.stderr
    assert_exactly_once(tmp_path)
    assert accuracies(tmp_path) == accuracies(finished)


@pytest.mark.slow
def test_a_running_study_is_refused_and_ctrl_c_says_how_to_go_on(
    tiny_config: Path, tmp_path: Path
) -> None:
    """A second run ends with status 1 and names the owner; the first, interrupted, with 130.

    It says in one line how to go on, and leaves no worker behind.
    """
    first = start("run", tiny_config, "--home", tmp_path, start_new_session=True)
    wait_until(lambda: list(tmp_path.glob("encoders/.*")))  # an encoder that is being trained
    second = sweep("run", tiny_config, "--home", tmp_path)
    assert second.returncode == 1
    assert f"process {first.pid}" in second.stderr
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    _, err = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "the same command goes on" in err
    assert "Traceback" not in err
    # multiprocessing's own resource tracker ends a moment after the last of them.
    wait_until(lambda: not processes(lambda _, group: group == first.pid), seconds=10)


@pytest.mark.slow
def test_a_trial_that_diverges_fails_and_the_study_goes_on(
    tiny_config: Path, tmp_path: Path
) -> None:
    """NaN is a failed trial with its reason, in Optuna and MLflow; others complete beside it."""
    done = sweep(
        "run", tiny_config, "--home", tmp_path, "--trials", 0, "--set", "replicates.draws=1",
        "--set", "representations.vae.learning_rate=1e6", "--set",
        "rows=[{representation: vae, latent_dim: 2, hidden_neurons: 4}, "
        "{representation: pixels, hidden_neurons: 4}]",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    failures = [t.user_attrs["failure"] for t in trials(tmp_path) if "failure" in t.user_attrs]
    assert failures
    assert {failure["cause"] for failure in failures} == {"diverged"}
    assert all("its loss is not finite in epoch" in failure["message"] for failure in failures)
    assert len(accuracies(tmp_path)) == 1
    failed = [run for run in mlflow_runs(tmp_path) if run.info.status == "FAILED"]
    assert "diverged" in str([run.data.tags.get("sweep.failure") for run in failed])


@pytest.mark.slow
def test_a_killed_worker_costs_one_try(tiny_config: Path, tmp_path: Path) -> None:
    """It is said, and the task begins again; the trial completes at its first attempt."""
    process = start(
        "run", tiny_config, "--home", tmp_path, "--workers", 1, "--trials", 0,
        "--set", "replicates.draws=1",
        "--set", "rows=[{representation: vae, latent_dim: 2, hidden_neurons: 4}]",
    )  # fmt: skip
    wait_until(lambda: list(tmp_path.glob("encoders/.*")))
    children = processes(lambda parent, _: parent == process.pid)
    (worker,) = [pid for pid, command in children.items() if "spawn_main" in command]
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert_exactly_once(tmp_path, target=1)
    assert "worker died" in err
    assert [trial.user_attrs["attempt"] for trial in trials(tmp_path)] == [1]


@pytest.mark.slow
def test_added_rows_and_trials_go_on_from_what_is_there(tiny_config: Path, tmp_path: Path) -> None:
    """A config that only adds is accepted; one that changes is refused with the difference."""
    arguments = (
        "run", tiny_config, "--home", tmp_path, "--workers", 1, "--trials", 0,
        "--set", "replicates.draws=1",
    )  # fmt: skip
    assert sweep(*arguments).returncode == 0
    rows = ", ".join(f"{{representation: pixels, hidden_neurons: {n}}}" for n in (10, 11))
    more = sweep(*arguments, "--set", f"rows=[{rows}]")
    assert more.returncode == 0, more.stderr
    assert len(trials(tmp_path)) == 2
    changed = sweep(*arguments, "--set", "seed=4")
    assert changed.returncode == 2
    assert "seed: 3 became 4" in changed.stderr


@pytest.mark.slow
def test_label_budgets(tiny_config: Path, tmp_path: Path) -> None:
    """Every configuration with each of them; more than there are labels is refused."""
    budgets = ["--set", "labels=[all, 20]", "--set", "representations.vae.trials=0"]
    home = tmp_path / "budgets"
    ran = sweep("run", tiny_config, "--home", home, *budgets)
    assert ran.returncode == 0, ran.stderr
    rows = report_rows(home)
    assert Counter(row["labels"] for row in rows) == {1000: 4, 20: 4}
    by_labels = {
        labels: {row["hidden_neurons"] for row in rows if row["labels"] == labels}
        for labels in (20, 1000)
    }
    assert by_labels[20] == by_labels[1000]
    assert max(row["accuracy"] for row in rows if row["labels"] == 20) < max(
        row["accuracy"] for row in rows if row["labels"] == 1000
    )
    refused = sweep("run", tiny_config, "--home", home, "--set", "labels=[2000]")
    assert (refused.returncode, "2,000 are more than the 1,000" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_a_study_with_more_draws_takes_those_that_are_there(copy: Path, tiny_config: Path) -> None:
    """By their content: only the new draws are trained, and the old replicates are the same."""
    before = {path.name: path.stat().st_mtime_ns for path in (copy / "draws").iterdir()}
    more = ("--set", "name=more", "--set", "replicates.draws=3")
    done = sweep("run", tiny_config, "--home", copy, *more)
    assert done.returncode == 0, done.stderr
    after = {path.name: path.stat().st_mtime_ns for path in (copy / "draws").iterdir()}
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) * 3 // 2
    found = sorted(values[:4] for values in accuracies(copy, "more").values())
    assert found == sorted(accuracies(copy).values())


@pytest.mark.slow
def test_a_draw_that_was_made_up_is_found_where_bits_are_equal(
    copy: Path, tiny_config: Path
) -> None:
    """However little it is off, in whatever epoch; and also once its file is gone."""
    assert sweep("remove", "tiny", "--home", copy, "--yes").returncode == 0
    for path in (copy / "assessments").iterdir():
        path.unlink()
    for path in (copy / "draws").iterdir():
        content = json.loads(path.read_bytes())["result"]
        content["members"][0]["val_loss"][0] += 1e-12
        path.write_text(json.dumps(content))  # without a checksum, as older versions wrote it
    for _ in range(2):
        done = sweep("run", tiny_config, "--home", copy)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert "is not what it comes to" in done.stderr
        assert re.search(r"draws/[0-9a-f]{32}\.json", done.stderr.replace("\n", ""))
        shutil.rmtree(copy / "draws")
        shutil.rmtree(copy / "assessments")
