"""Starts that are refused: alike by ``run`` and ``validate``, and leaving nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from sweep.cli.app import run
from sweep.files import checksum
from sweep.lease import lease
from sweep.workspace import Workspace

Call = Callable[..., tuple[int, str]]
SMALL = "partition={scheme: fractions, encoder: .0001, classifier: .2, validation: .6, test: .1999}"
BUDGET = "labels=[2000]"
GP = pytest.param(
    ["--set", "search.sampler=gp"],
    "needs PyTorch",
    marks=pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is installed"),
)
MISTAKES = [
    GP,
    (["--set", SMALL], "gets no image of class"),
    (["--set", BUDGET], "2,000 are more than the 1,000"),
    (["--set", "dataset={path: missing.npz}"], "missing.npz"),
    (["--set", "dataset={path: damaged.npz}"], "damaged.npz"),
    (["--set", "name=../elsewhere"], "name: must be of letters"),
    (["--trials", "5", "--set", "seed=-1"], "seed: "),
]
CHANGES = [
    (["--set", "seed=4"], "seed: 3 became 4"),
    (["--set", "replicates.draws=1"], "replicates.draws: 2 became 1"),
    (["--trials", "1"], "representations.vae.trials: 4 became 1"),
    (["--set", "dataset={path: other.npz}"], "the dataset's content: sha256"),
]
STORAGES = [
    "postgresql://user:secret@127.0.0.1:1/studies",
    "sqlite:////nowhere/studies.db",
    "nosuchdatabase://host/studies",
    "sqlite:///DIR/damaged.npz",
]


@pytest.fixture
def call(
    tmp_path: Path,
    tiny_config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    """Calls the command line on the tiny study, in a directory with some files of data."""
    for name in ("SWEEP_STORAGE", "SWEEP_DATA_DIR", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.chdir(data)
    (data / "damaged.npz").write_bytes(b"no archive and no database" * 100)
    labels = np.repeat(np.arange(10), 20).astype(np.uint8)
    np.savez(data / "other.npz", x=np.zeros((200, 28, 28), np.uint8), y=labels)

    def called(command: str, home: Path, *options: str) -> tuple[int, str]:
        """The exit status, and what is said on stderr."""
        arguments = ["sweep", command, str(tiny_config), "--home", str(home), *options]
        monkeypatch.setattr("sys.argv", arguments)
        status = run()
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        return status, captured.err

    return called


def tree(directory: Path) -> dict[str, str]:
    """Every file but for locks, with its content's checksum; and every directory.

    SQLite's files beside a database that is open are locks, too.
    """
    return {
        str(path.relative_to(directory)): checksum(path.read_bytes()) if path.is_file() else ""
        for path in directory.rglob("*")
        if path.parent.name != "locks" and not path.name.endswith(("-wal", "-shm"))
    }


@pytest.mark.parametrize(("options", "message"), MISTAKES)
def test_a_mistake_leaves_no_home_behind(
    options: list[str], message: str, call: Call, tmp_path: Path
) -> None:
    """Neither command makes anything of a new home, and both say the same."""
    before = tree(tmp_path)
    ran, validated = (call(each, tmp_path / "home", *options) for each in ("run", "validate"))
    assert ran == validated
    assert (ran[0], message in ran[1].replace("\n", " ")) == (2, True), ran
    assert tree(tmp_path) == before


@pytest.mark.parametrize(("options", "message"), MISTAKES)
def test_a_mistake_leaves_a_home_as_it_is(
    options: list[str], message: str, call: Call, copy: Path
) -> None:
    """A new study's name is free afterwards: no file has changed but for locks."""
    before = tree(copy)
    if not any(option.startswith("name=") for option in options):
        options = [*options, "--set", "name=new"]
    ran, validated = (call(each, copy, *options) for each in ("run", "validate"))
    assert ran == validated
    assert (ran[0], message in ran[1].replace("\n", " ")) == (2, True), ran
    assert tree(copy) == before


@pytest.mark.parametrize(("options", "message"), CHANGES)
def test_another_config_under_an_old_name(
    options: list[str], message: str, call: Call, copy: Path
) -> None:
    """Both commands name the differences, and change nothing."""
    before = tree(copy)
    ran, validated = (call(each, copy, *options) for each in ("run", "validate"))
    assert ran == validated
    assert (ran[0], message in ran[1]) == (2, True), ran
    assert tree(copy) == before


@pytest.mark.parametrize("url", STORAGES)
def test_a_storage_that_cannot_be_opened(
    url: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and no home is made beside it."""
    monkeypatch.setenv("SWEEP_STORAGE", url.replace("DIR", str(tmp_path / "data")))
    before = tree(tmp_path)
    ran, validated = (call(each, tmp_path / "home") for each in ("run", "validate"))
    assert ran == validated
    assert (ran[0], "SWEEP_STORAGE" in ran[1] or "uv sync" in ran[1]) == (2, True), ran
    assert "secret" not in ran[1]
    assert tree(tmp_path) == before


def test_a_storage_elsewhere_is_not_made(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused start creates no database where one would have been."""
    monkeypatch.setenv("SWEEP_STORAGE", f"sqlite:///{tmp_path}/studies.db")
    before = tree(tmp_path)
    assert call("run", tmp_path / "home", "--set", BUDGET)[0] == 2
    assert tree(tmp_path) == before


def test_a_home_that_cannot_be_made(call: Call, tmp_path: Path) -> None:
    """A file stands in its way, or in that of a directory in it."""
    (tmp_path / "file").touch()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "encoders").touch()
    before = tree(tmp_path)
    for home in (tmp_path / "file" / "home", tmp_path / "half"):
        ran, validated = (call(each, home) for each in ("run", "validate"))
        assert ran == validated
        assert (ran[0], "is no directory" in ran[1]) == (2, True), ran
    assert tree(tmp_path) == before


def test_a_study_that_is_being_run(call: Call, copy: Path) -> None:
    """Its owner is named, with status 1, and is not disturbed."""
    with lease(Workspace.at(copy, {}), "tiny") as held:
        before = tree(copy)
        ran, validated = (call(each, copy) for each in ("run", "validate"))
        assert ran == validated
        assert (ran[0], f"process {os.getpid()}" in ran[1]) == (1, True), ran
        assert tree(copy) == before
        assert not held.lost
