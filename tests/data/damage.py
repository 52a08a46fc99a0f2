"""Files whose bytes were lost or changed, and files that would fill the memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from sweep.data.images import Dataset
from sweep.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 28, 28)).astype(np.uint8)
LABELS = (np.arange(40) % 10).astype(np.uint8)

# For damage: little besides structure, which is where bytes matter.
FEW_IMAGES = np.zeros((2, 28, 28), np.uint8)
FEW_LABELS = np.array([3, 7], np.uint8)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Truncated, or with bits flipped, or with stretches replaced by other bytes, or all of it."""
    result = bytearray(content)
    position = st.integers(0, len(content) - 1)
    for at, bit in draw(st.lists(st.tuples(position, st.integers(0, 7)), max_size=3)):
        result[at] ^= 1 << bit
    for at, other in draw(st.lists(st.tuples(position, st.binary(max_size=9)), max_size=3)):
        result[at : at + draw(st.integers(0, 9))] = other
    return bytes(result[: draw(st.none() | position)])


def is_valid_or_refused(load: Callable[[], Dataset], file: str) -> bool:
    """Whether loading gives a dataset that is one, or a DataError that names the file.

    Whatever else it raises goes through.
    """
    try:
        dataset = load()
    except DataError as error:
        message = error.message
        return file in message and message.isprintable() and len(message) < 500 + len(file)
    images, labels = dataset.images, dataset.labels
    return (
        images.dtype == labels.dtype == np.uint8
        and images.shape == (len(labels), 28, 28)
        and int(labels.max()) < 10
        and len(np.unique(labels)) > 1
    )


def peak_megabytes(load: Callable[[], Dataset]) -> float:
    """The most memory that Python and numpy hold at once while ``load`` is refused."""
    tracemalloc.start()
    try:
        load()
    except DataError:
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    raise AssertionError("it was not refused")


def write_idx(path: Path, content: bytes) -> None:
    """Write an idx file, packed if its name says so."""
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def idx(array: np.ndarray) -> bytes:
    """An array of bytes as idx."""
    shape = np.array(array.shape, ">u4").tobytes()
    return bytes((0, 0, 8, array.ndim)) + shape + array.astype(np.uint8).tobytes()
