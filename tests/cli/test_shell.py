"""What a shell and a narrow terminal get: completion, help, tables of 80 columns."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from sweep.cli.app import app, run
from sweep.cli.listing import attempts_table
from sweep.cli.standing import print_standing, print_statuses
from sweep.coordinator.studies import status
from sweep.workspace import Workspace
from tests.cli.process import environment
from tests.cli.test_display import Terminal

COMPLETION = {"_SWEEP_COMPLETE": "complete_bash", "COMP_CWORD": "2"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sweep status ", ["tiny"]),
        ("sweep report ", ["tiny"]),
        ("sweep compare x", []),
        ("sweep ui t", []),
    ],
)
def test_a_shell_completes_names_of_studies(
    words: str,
    found: list[str],
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where a study is named."""
    for name, value in (COMPLETION | {"COMP_WORDS": words, "SWEEP_HOME": str(finished)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["sweep"])
    assert run() == 0
    assert capsys.readouterr().out.split() == found


def test_an_empty_home_completes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is not made."""
    for name, value in (COMPLETION | {"COMP_WORDS": "sweep report "}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SWEEP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.argv", ["sweep"])
    assert run() == 0
    assert capsys.readouterr().out.strip() == ""
    assert list(tmp_path.iterdir()) == []


def test_completing_imports_nothing_heavy(finished: Path) -> None:
    """A shell waits for it: neither TensorFlow nor MLflow, also for commands."""
    code = (
        "import sys\n"
        "sys.argv[0] = 'sweep'\n"
        "from sweep.cli.app import run\n"
        "run()\n"
        "sys.exit(str({'tensorflow', 'keras', 'mlflow'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment() | COMPLETION | {"COMP_WORDS": "sweep status t", "SWEEP_HOME": finished},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["tiny"], "set()\n")


def test_the_script_for_a_shell_is_shown() -> None:
    """For those who want no file changed."""
    # Which shell it is, typer asks the processes above; those of the tests have none.
    script = "export SHELL=/bin/bash; sweep --show-completion; true"
    bash = subprocess.run(
        ["bash", "-c", script],
        env=environment() | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "_SWEEP_COMPLETE=complete_bash" in bash.stdout, bash.stderr


@pytest.mark.parametrize("command", ["run", "doctor", "store", "remove", "ui", None])
def test_flags_are_shown_as_flags(command: str | None) -> None:
    """Without a type, and without a twin that says no."""
    done = CliRunner().invoke(app, [command, "--help"] if command else ["--help"])
    assert "--help" in done.stdout
    assert "bool" not in done.stdout.lower()
    assert "--no-" not in done.stdout


def test_init_asks_nothing_and_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes one file in the working directory."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["init"]).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["my-study.yaml"]
    assert CliRunner().invoke(app, ["init", "my-study.yaml"]).exit_code != 0


def test_a_value_that_is_none_is_said_in_plain_words() -> None:
    """What there is, without the words of the library that looked at it."""
    said = CliRunner().invoke(app, ["report", "tiny", "--format", "xml"])
    assert said.exit_code == 2
    assert "'xml' is not one of 'table'" in " ".join(said.stderr.split())
    assert "Value error" not in said.stderr


def printed(print_it: Callable[[Console], None]) -> list[str]:
    """What is printed on a terminal of 80 columns, line by line."""
    terminal = Terminal()
    print_it(Console(file=terminal, width=80, color_system=None))
    return terminal.getvalue().splitlines()


def test_how_studies_stand_fits_80_columns(finished: Path) -> None:
    """All studies, one of them, and its trials: no line is longer, and no word is cut.

    But for what is to be copied whole.
    """
    workspace = Workspace.at(finished, {})
    found = [status(workspace, "tiny")]
    all_of_them = printed(lambda out: print_statuses(out, found, as_json=False))
    one = printed(lambda out: print_standing(out, found[0], workspace))
    trials = printed(lambda out: out.print(attempts_table(found[0].latest)))
    budgets = [
        attempt.model_copy(update={"cell": attempt.cell.model_copy(update={"label_budget": count})})
        for attempt in found[0].latest
        for count in (None, 1000)
    ]
    table = printed(lambda out: out.print(attempts_table(budgets)))
    assert table[0].split()[:4] == ["trial", "configuration", "labels", "state"]
    assert [line.split()[-7] for line in table[2:4]] == ["all", "1,000"]
    assert len(table) == 2 + len(budgets)  # nothing is folded
    for line in (*all_of_them, *one, *trials, *table):
        assert "…" not in line
        assert len(line) <= 80 or len(line.split()) == 1 or "--home" in line
    for part in ("vae", "pixels", "pca"):
        assert any(line.startswith(part) for line in one)
    assert any("4 encoders were trained" in line for line in one)
    assert any(line.endswith("/report.html") for line in one)
    assert set(trials) <= set(one)
