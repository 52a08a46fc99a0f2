"""The home: where it can be, and where not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweep.errors import HomeError, InputError
from sweep.home import Home


def test_create_makes_a_home(tmp_path: Path) -> None:
    """Its directories are there, and making it again changes nothing."""
    home = Home.at(tmp_path / "a" / "b")
    home.create()
    home.create()
    assert home.encoders.is_dir()
    assert home.root.is_absolute()


def test_a_home_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """With status 2, and the way to name another."""
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="cannot be written") as raised:
        Home.at(tmp_path / "file" / "home").create()
    assert raised.value.exit_status == 2
    assert "--home" in (raised.value.hint or "")


def test_a_home_that_no_url_can_name_is_refused(tmp_path: Path) -> None:
    """Rather than a database that appears at a cut-off path."""
    with pytest.raises(HomeError, match=r"has % and \? in its path"):
        Home.at(tmp_path / "what?" / "100%")


def test_a_home_that_cannot_be_looked_at_is_refused(tmp_path: Path) -> None:
    """Links that lead to themselves, names that are too long, the directory of nobody."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", tmp_path / ("long" * 100)):
        with pytest.raises(HomeError, match=r"cannot be (looked at|written)"):
            Home.at(path).create()
    with pytest.raises(InputError, match=r"there is no ~nobody-of-this-name/home"):
        Home.at(Path("~nobody-of-this-name/home"))
