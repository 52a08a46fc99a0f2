"""Names that are not ours reach neither the terminal as commands nor a page as links."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import numpy as np
import optuna
import pytest
from markdown_it import MarkdownIt
from mlflow import MlflowClient

from sweep.data.datasets import DatasetSource
from tests.cli.process import free_port, mlflow_runs, printed_until, start, sweep

COMMANDS = "\x1b]0;owned\x07\x1b[2J\x9b2J\x08\u202e"
"""Gives a terminal another title, clears it twice, moves in it, and turns what follows around."""
REFUSED = 2


def said(*arguments: object, status: int = 0) -> str:
    """All that a command says, when it has been seen to command no terminal."""
    done = sweep(*arguments)
    assert done.returncode == status, done.stderr
    printed = done.stdout + done.stderr
    assert "Traceback" not in printed
    assert_harmless(printed)
    return printed


def assert_harmless(printed: str) -> None:
    assert [each for each in printed if not (each.isprintable() or each == "\n")] == []


def test_a_home_may_not_command_the_terminal(tmp_path: Path) -> None:
    """Its path is refused, and shown with what is in it."""
    for command in (("status",), ("doctor",), ("ui",)):
        printed = said(*command, "--home", tmp_path / f"home{COMMANDS}", status=REFUSED)
        assert r"\x1b]0;owned" in printed
        assert "--home DIR" in printed
    assert not list(tmp_path.iterdir())


def test_a_dataset_may_not_command_the_terminal(tmp_path: Path) -> None:
    """Nor may the config that names it, whose own name says where the mistake is."""
    config = tmp_path / f"mine{COMMANDS}.yaml"
    path = COMMANDS.encode("unicode_escape").decode()
    rows = "rows: [{representation: pixels, hidden_neurons: 5}]"
    config.write_text(f'name: mine\ndataset: {{path: "{path}.npz"}}\n{rows}\n')
    printed = said("validate", config, "--home", tmp_path, status=REFUSED)
    assert "line 2: dataset.path" in printed
    assert "control character" in printed


def test_what_lies_in_a_home_may_not_command_the_terminal(copy: Path, tmp_path: Path) -> None:
    """Studies of a shared storage, files of the home, and a directory to write to."""
    optuna.create_study(study_name=f"theirs{COMMANDS}", storage=f"sqlite:///{copy}/optuna.db")
    for place in ("encoders", "models", "checkpoints", "draws"):
        (copy / place / f"theirs{COMMANDS}").mkdir()
        (copy / place / f".theirs{COMMANDS}-01234567").touch()
    assert "tiny" in said("status", "--home", copy)
    assert "tiny" in said("doctor", "--home", copy)
    said("store", "--home", copy)
    assert "never begun" in said("trials", f"theirs{COMMANDS}", "--home", copy, status=REFUSED)
    written = said("report", "tiny", "--home", copy, "--out", tmp_path / f"out{COMMANDS}")
    assert r"out\x1b]0;owned" in written


@pytest.mark.slow
def test_experiments_may_not_command_the_terminal(copy: Path) -> None:
    """What another program has called them, in MLflow's database of the home."""
    client = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    tag = "mlflow.sharedViewState.accuracy-vs-parameters"
    client.create_experiment(f"theirs{COMMANDS}", tags={tag: "{}", "sweep.study": "theirs"})
    process = start("ui", "--home", copy, "--port", free_port())
    printed = printed_until(process, "of tiny")
    process.send_signal(signal.SIGINT)
    assert_harmless(printed + "".join(process.communicate(timeout=120)))
    assert r"of theirs\x1b]0;owned" in printed


def test_a_host_is_called_as_hosts_are(finished: Path) -> None:
    """What cannot be one is refused in a sentence."""
    for option, name, status in (
        ("--host", f"me{COMMANDS}", 1),
        ("--allow-host", f"me{COMMANDS}", REFUSED),
        ("--allow-host", "a" * 80 + ".test", REFUSED),
    ):
        said("ui", option, name, "--home", finished, status=status)


LINK = "[click](javascript:alert(1)) <img src=x onerror=alert(2)> ![x](javascript:alert(3))"


@pytest.mark.slow
def test_a_report_leads_nowhere_by_a_dataset_s_name(tmp_path: Path) -> None:
    """Neither as Markdown, nor as a page, nor in MLflow's notes, whatever reads the Markdown."""
    file, config = tmp_path / f"{LINK}.npz", tmp_path / "linked.yaml"
    digits = DatasetSource.of("mnist-5k", None).load()
    np.savez(file, images=digits.images[:1000], labels=digits.labels[:1000])
    config.write_text(
        f"name: linked\ndataset: {{path: '{file}'}}\n"
        "rows: [{representation: pixels, hidden_neurons: 5}]\n"
        "representations: {pixels: {classifier: {epochs: 1}}}\n"
    )
    home, out = tmp_path / "home", tmp_path / "out"
    said("run", config, "--home", home, "--workers", 1)
    said("report", "linked", "--home", home, "--out", out)
    notes = [run.data.tags.get("mlflow.note.content", "") for run in mlflow_runs(home, "linked")]
    texts = [(out / "report.md").read_text(encoding="utf-8"), *notes]
    assert "javascript:alert" in texts[0]  # its name stands there, as text
    pages = [MarkdownIt("commonmark", {"html": True}).enable("table").render(t) for t in texts]
    pages.append((out / "report.html").read_text(encoding="utf-8"))
    for page in pages:
        assert not re.search(r"(?:href|src)\s*=\s*[\"']?\s*javascript:", page)
        assert "<img src=x" not in page
