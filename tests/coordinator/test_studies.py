"""Studies are looked at in the storage of their own home, and in no other's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sweep.coordinator.studies import study_list
from sweep.errors import HomeError
from sweep.workspace import Workspace


def test_the_storage_of_another_home_is_refused(copy: Path) -> None:
    """Its studies were not run here, where others were: it is whole, and not this home's."""
    here = Workspace.at(copy, {})
    assert study_list(here) == ["tiny"]
    (copy / "locks/study-tiny.lock").rename(copy / "locks/study-mine.lock")
    with pytest.raises(HomeError, match=r"is another home's: it has tiny, and in .* ran mine"):
        study_list(here)


def test_a_home_without_locks_is_looked_at(copy: Path) -> None:
    """They are only locks: whoever removes them loses nothing."""
    shutil.rmtree(copy / "locks")
    assert study_list(Workspace.at(copy, {})) == ["tiny"]
