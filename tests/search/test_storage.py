"""Opening the studies' storage: made once, looked at by anyone, with real processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.errors import OutageError
from sweep.home import Home
from sweep.search.ledger import study_names
from sweep.search.storage import find_storage, open_storage
from sweep.workspace import Workspace

LOOK = """
import sys
from sweep.search.ledger import study_names
from sweep.search.storage import find_storage
print("ready", flush=True)
while True:
    for url in sys.argv[1:]:
        storage = find_storage(url)
        assert storage is None or study_names(storage) == []
"""


def test_looking_creates_nothing(tmp_path: Path) -> None:
    """Neither where there is no file, nor in one that has no tables yet."""
    url = f"sqlite:///{tmp_path}/optuna.db"
    assert find_storage(url) is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "optuna.db").touch()
    assert find_storage(url) is None
    assert (tmp_path / "optuna.db").stat().st_size == 0
    open_storage(url)
    found = find_storage(url)
    assert found is not None
    assert study_names(found) == []


def test_a_damaged_page_is_named_with_its_file(tmp_path: Path) -> None:
    """Opening looks at other pages; the command that meets it says which file to mend."""
    file = tmp_path / "optuna.db"
    open_storage(f"sqlite:///{file}")
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'studies'")
        ((size,),) = database.execute("PRAGMA page_size")
    with file.open("r+b") as content:
        content.seek((page[0] - 1) * size)
        content.write(b"\xff" * size)
    storage = find_storage(f"sqlite:///{file}")
    assert storage is not None
    with pytest.raises(OutageError, match=f"{file} is out of reach: database disk image"):
        study_names(storage)


@pytest.mark.slow
def test_a_storage_is_made_while_others_look(tmp_path: Path) -> None:
    """Twelve first openings under readers that never rest: all succeed, and so does each look."""
    homes = [Home.at(tmp_path / str(number)) for number in range(12)]
    workspaces = [Workspace(home, f"sqlite:///{home.optuna_db}", "", None) for home in homes]
    for home in homes:
        home.create()
    command = [sys.executable, "-c", LOOK, *(each.storage for each in workspaces)]
    readers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
        for workspace in workspaces:
            with workspace.making_tables():
                open_storage(workspace.storage)
    finally:
        for reader in readers:
            assert reader.poll() is None, reader.communicate()
            reader.kill()
            reader.communicate()
