"""What a shell and a narrow terminal get: completion, help, tables of 80 columns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.cli.listing import attempts_table
from sweep.cli.standing import print_standing, print_statuses
from sweep.coordinator.studies import statuses
from sweep.workspace import Workspace
from tests.cli.process import environment
from tests.cli.test_display import Terminal


def completed(words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """What bash is told of the last of some words; and what heavy was imported for it."""
    code = (
        "import atexit, sys\n"
        "heavy = {'tensorflow', 'keras', 'mlflow'}\n"
        "atexit.register(lambda: print(heavy & set(sys.modules), file=sys.stderr))\n"
        "sys.argv[0] = 'sweep'\n"
        "from sweep.cli.app import run\n"
        "run()\n"
    )
    count = len(words.split(" ")) - 1
    asked = {"_SWEEP_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment() | {"SWEEP_HOME": str(home), **asked},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sweep st", ["status", "store"]),
        ("sweep status t", ["tiny"]),
        ("sweep compare tiny x", []),
    ],
)
def test_a_shell_completes(words: str, found: list[str], finished: Path) -> None:
    """Commands, studies and choices, without TensorFlow and MLflow."""
    done = completed(words, finished)
    assert done.stdout.split() == found
    assert done.stderr == "set()\n"


def test_an_empty_home_completes_nothing(tmp_path: Path) -> None:
    """And is not made."""
    done = completed("sweep report ", tmp_path / "home")
    assert (done.stdout.split(), done.stderr) == ([], "set()\n")
    assert list(tmp_path.iterdir()) == []


def test_the_script_for_a_shell_is_shown() -> None:
    """For those who want no file changed."""
    done = CliRunner().invoke(app, ["--show-completion", "bash"], prog_name="sweep")
    assert "_SWEEP_COMPLETE=complete_bash" in done.stdout


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
    found = statuses(workspace, "tiny")
    all_of_them = printed(lambda out: print_statuses(out, found, as_json=False))
    one = printed(lambda out: print_standing(out, found[0], workspace.home))
    trials = printed(lambda out: out.print(attempts_table(found[0].latest)))
    for line in (*all_of_them, *one, *trials):
        assert "…" not in line
        assert len(line) <= 80 or len(line.split()) == 1 or "--home" in line
    for part in ("vae", "pixels", "pca"):
        assert any(line.startswith(part) for line in one)
    assert any("4 encoders were trained" in line for line in one)
    assert any(line.endswith("/report.html") for line in one)
    assert set(trials) <= set(one)
