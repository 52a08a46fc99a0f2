"""Files and directories that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from sweep.files import publish_bytes, published_directory


def test_publish_bytes_leaves_all_or_nothing(tmp_path: Path) -> None:
    """A failure leaves the old content, and no temporary file."""
    path = tmp_path / "file"
    publish_bytes(path, b"old")
    with pytest.raises(TypeError):
        publish_bytes(path, cast(Any, "not bytes"))
    assert path.read_bytes() == b"old"
    publish_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_appears_at_the_end(tmp_path: Path) -> None:
    """Not before its block has ended well; and the first to publish wins."""
    path = tmp_path / "directory"

    def publish(content: str) -> None:
        with published_directory(path) as directory:
            (directory / "file").write_text(content)
            if content == "fails":
                raise RuntimeError(content)

    with pytest.raises(RuntimeError, match="fails"):
        publish("fails")
    assert list(tmp_path.iterdir()) == []
    publish("first")
    publish("second")
    assert (path / "file").read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
