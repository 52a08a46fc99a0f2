"""Files and directories that appear whole or not at all, and their checksums.

They are written under a temporary name, flushed to the disk, and renamed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def published_file(path: Path) -> Iterator[Path]:
    """Yield the path at which to write a file that becomes ``path`` when the block ends well."""
    temporary = _temporary(path)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_directory(path.parent)


def publish_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader sees all of it or nothing."""
    with published_file(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def published_directory(path: Path) -> Iterator[Path]:
    """Yield an empty directory that becomes ``path`` when the block ends well.

    A ``path`` that exists by then is left alone: whoever published first wins.
    """
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.iterdir():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
        _flush_directory(temporary)
        if not path.exists():
            temporary.rename(path)
            _flush_directory(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}")


def checksum(content: bytes | memoryview) -> str:
    """SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def set_aside(path: Path) -> None:
    """Move what cannot be believed out of the way, under a name that nothing reads."""
    path.rename(path.with_name(f"{path.name}.damaged-{time.time_ns()}"))


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed left of publishing ``path``; none may be doing so."""
    for leftover in path.parent.glob(f".{path.name}-*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def leftovers(places: Sequence[Path]) -> list[Path]:
    """What interrupted writes have left in some directories, and what was set aside as damaged.

    A write that goes on at this moment looks the same.
    """
    return [
        path
        for place in places
        for path in sorted(place.glob("*"))
        if re.search(r"^\..+-[0-9a-f]{8}$|\.damaged-\d+$", path.name)
    ]


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
