"""Disks that are read-only, small and full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def mounted(directory: Path, *options: str) -> Iterator[Path]:
    """Mount something at a directory for the length of a block."""
    directory.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, str(directory)], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextmanager
def full(directory: Path) -> Iterator[None]:
    """Take all the space that is left where a directory lies, for the length of a block."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):  # until there is no more
        while True:
            file.write(bytes(100_000))
    try:
        yield
    finally:
        ballast.unlink()
