from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study's home, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "home"))
