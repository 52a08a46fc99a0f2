"""The other commands as processes: what they print, import, and refuse."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from sweep import __version__
from tests.cli.process import REPORT_FILES, TARGET, TINY, environment, report_rows, sweep


def test_version() -> None:
    """The version is the package's."""
    done = sweep("--version")
    assert (done.returncode, done.stdout) == (0, f"sweep {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["status"],
        ["status", "tiny"],
        ["validate", "CONFIG"],
        ["run", "CONFIG", "--dry-run"],
        ["doctor"],
        ["store"],
        ["trials", "tiny"],
        ["trials", "tiny", "--format", "json"],
    ],
)
def test_cheap_commands_import_nothing_heavy(
    arguments: list[str], tiny_config: Path, tmp_path: Path, finished: Path
) -> None:
    """Help, and all that only looks, import neither TensorFlow nor MLflow."""
    home = finished if "tiny" in arguments else tmp_path
    arguments = [str(tiny_config) if a == "CONFIG" else a for a in arguments]
    script = (
        "import sys; from sweep.cli.app import run\n"
        "status = run()\n"
        "heavy = {'tensorflow', 'keras', 'mlflow'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}, status {status}' if heavy or status else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment() | {"SWEEP_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_validate_says_what_would_be_done(tiny_config: Path, tmp_path: Path) -> None:
    """Rows, trials and encoders, and it trains nothing; --dry-run is the same."""
    done = sweep("validate", tiny_config, "--home", tmp_path, "--format", "json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert (plan["rows"], plan["trials"]) == (1, {"vae": 4, "pixels": 3})
    assert (plan["encoders_needed"], plan["encoders_trained"]) == (4, 0)
    assert plan["scored_on"] == "validation"
    assert plan["seconds"] > 0
    assert not (tmp_path / "optuna.db").exists()
    dry = sweep("run", tiny_config, "--home", tmp_path, "--dry-run", "--format", "json")
    assert json.loads(dry.stdout) == plan
    assert "confirming" not in sweep("validate", tiny_config, "--home", tmp_path).stdout
    confirm = ("--set", "confirm={draws: 5, classifiers: 1}")
    told = sweep("validate", tiny_config, "--home", tmp_path, *confirm).stdout
    assert re.search(r"^confirming +10 encoders more at most, and ", told, re.M)


def test_validate_counts_with_the_workers_that_there_will_be(
    tiny_config: Path, tmp_path: Path
) -> None:
    """Whether the command line or the config says how many."""
    times = []
    for options in (["--workers", 1], ["--set", "execution.workers=1"], ["--workers", 4]):
        done = sweep("validate", tiny_config, "--home", tmp_path, "--format", "json", *options)
        times.append(json.loads(done.stdout)["seconds"])
    assert times[0] == times[1] == pytest.approx(4 * times[2])


def test_validate_sees_trained_encoders(finished: Path, tiny_config: Path) -> None:
    """Encoders that are in the home already are counted."""
    done = sweep("validate", tiny_config, "--home", finished, "--format", "json")
    assert json.loads(done.stdout)["encoders_trained"] == 4


def test_status(finished: Path, tmp_path: Path) -> None:
    """All studies or one; an empty home has none."""
    done = sweep("status", "--home", finished, "--format", "json")
    (study,) = json.loads(done.stdout)["studies"]
    assert (study["study"], study["target"], study["complete"]) == ("tiny", TARGET, TARGET)
    assert (study["failed"], study["running"], study["waiting"]) == (0, 0, 0)
    assert study["best"]["accuracy"] == max(row["accuracy"] for row in report_rows(finished))
    assert "tiny" in sweep("status", "tiny", "--home", finished).stdout
    empty = sweep("status", "--home", tmp_path, "--format", "json")
    assert json.loads(empty.stdout) == {"studies": []}
    assert list(tmp_path.iterdir()) == []


def test_trials(copy: Path) -> None:
    """A line each, whatever became of them; JSON and CSV have the same, by stable keys."""
    study = optuna.load_study(study_name="tiny", storage=f"sqlite:///{copy}/optuna.db")
    begun = study.trials[0].user_attrs
    kept = {key: begun[key] for key in ("spec", "cell", "started_at")}
    failure = {"cause": "diverged", "message": "a loss, 'nan'", "finished_at": 1}
    for more in ({"attempt": 2, "failure": failure}, {"attempt": 3}):
        state = optuna.trial.TrialState.FAIL if "failure" in more else None
        study.add_trial(
            optuna.trial.create_trial(
                state=state or optuna.trial.TrialState.RUNNING, user_attrs=kept | more
            )
        )
    done = sweep("trials", "tiny", "--home", copy, "--format", "json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert (listed["study"], len(listed["trials"])) == ("tiny", TARGET + 2)
    assert list(listed["trials"][0]) == [
        "trial", "attempt", "representation", "latent_dim", "hidden_neurons", "varied",
        "label_budget",
        "state", "accuracy", "classifier_parameters", "inference_parameters", "train_seconds",
        "cause", "message",
    ]  # fmt: skip
    assert [each["trial"] for each in listed["trials"]] == list(range(TARGET + 2))
    *complete, failed, running = listed["trials"]
    rows = {(row["representation"], row["latent_dim"], row["hidden_neurons"]): row["accuracy"]
            for row in report_rows(copy)}  # fmt: skip
    for each in complete:
        cell = each["representation"], each["latent_dim"], each["hidden_neurons"]
        assert (each["state"], each["accuracy"]) == ("complete", rows[cell])
        assert each["inference_parameters"] >= each["classifier_parameters"] > 0
        assert each["train_seconds"] > 0
        assert each["cause"] is each["message"] is None
    assert (failed["state"], failed["attempt"], failed["cause"]) == ("failed", 2, "diverged")
    assert (running["state"], running["accuracy"], running["cause"]) == ("running", None, None)
    printed = sweep("trials", "tiny", "--home", copy, "--format", "csv").stdout
    of_csv = list(csv.DictReader(io.StringIO(printed)))
    assert of_csv == [
        {key: "" if value in (None, {}) else str(value) for key, value in each.items()}
        for each in listed["trials"]
    ]
    table = sweep("trials", "tiny", "--home", copy).stdout
    for each in listed["trials"]:
        assert sum(line.split()[:1] == [str(each["trial"])] for line in table.splitlines()) == 1
    assert "diverged: a loss, 'nan'" in table
    misspelt = sweep("trials", "tinny", "--home", copy)
    assert (misspelt.returncode, "did you mean 'tiny'?" in misspelt.stderr) == (2, True)


def test_report_formats_agree(finished: Path, tmp_path: Path) -> None:
    """Every format has every row; --out writes them all, and the plots."""
    rows = report_rows(finished, "--out", str(tmp_path))
    assert len(rows) == TARGET
    assert all(row["mlflow_run_ids"] for row in rows)
    assert json.loads((tmp_path / "report.json").read_text())["rows"] == rows
    listed = list(csv.DictReader(io.StringIO((tmp_path / "report.csv").read_text())))
    assert [float(row["accuracy"]) for row in listed] == [row["accuracy"] for row in rows]
    markdown = sweep("report", "tiny", "--home", finished, "--format", "markdown").stdout
    comparison = markdown.partition("\n## ")[0]
    assert comparison.count("\n| ") == TARGET + 1
    written = (tmp_path / "report.md").read_text()
    assert set(markdown.splitlines()) <= set(written.splitlines())  # which has pictures besides
    latex = sweep("report", "tiny", "--home", finished, "--format", "latex").stdout
    assert set(latex.splitlines()) <= set((tmp_path / "report.tex").read_text().splitlines())
    origin = json.loads((tmp_path / "provenance.json").read_text())
    assert (origin["seed"], origin["attempts"]["complete"]) == (3, TARGET)
    assert origin["environments"][0]["packages"]["tensorflow"]
    assert {path.name for path in tmp_path.iterdir()} == REPORT_FILES


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["run", "missing.yaml"], 2, "missing.yaml cannot be read"),
        (["run", "CONFIG", "--set", "foo=1"], 2, "foo: unknown key"),
        (["run", "CONFIG", "--set", "seed=a"], 2, "seed: must be a valid integer"),
        (["run", "CONFIG", "--set", "name=../elsewhere"], 2, "name: must be of letters"),
        (
            ["run", "CONFIG", "--set", "name=!!python/object/apply:os.getcwd []"],
            2,
            "not valid YAML",
        ),
        (["run", "CONFIG", "--set", "dataset={path: missing.npz}"], 2, "missing.npz"),
        (["run", "CONFIG", "--home", "/dev/null/home"], 2, "cannot be written"),
        (["run", "CONFIG", "--bogus"], 2, "No such option"),
        (["run"], 2, "Missing argument"),
        (["status", "nothing"], 2, "there is no study"),
        (["report", "nothing"], 2, "there is no study"),
        (["validate", "CONFIG", "--set", "partition={scheme: notebook}"], 2, "leak"),
    ],
)
def test_mistakes_are_one_clear_message(
    arguments: list[str], status: int, message: str, tiny_config: Path, tmp_path: Path
) -> None:
    """No traceback, the exit status of the contract, and what to mend."""
    arguments = [str(tiny_config) if a == "CONFIG" else a for a in arguments]
    done = sweep(*arguments, cwd=tmp_path)
    assert done.returncode == status
    assert message in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_storage_that_cannot_be_opened(tiny_config: Path, tmp_path: Path) -> None:
    """A wrong SWEEP_STORAGE is named, without its password."""
    url = "postgresql://user:secret@127.0.0.1:1/studies"
    done = sweep("run", tiny_config, "--home", tmp_path, env={"SWEEP_STORAGE": url})
    assert done.returncode == 2
    assert "SWEEP_STORAGE" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_yaml_that_would_run_code(tmp_path: Path) -> None:
    """It is refused, and does not run."""
    marker = tmp_path / "ran"
    config = tmp_path / "evil.yaml"
    config.write_text(TINY + f"\nevil: !!python/object/apply:pathlib.Path.touch [{marker}]\n")
    done = sweep("validate", config, "--home", tmp_path)
    assert done.returncode == 2
    assert "not valid YAML" in done.stderr
    assert not marker.exists()
