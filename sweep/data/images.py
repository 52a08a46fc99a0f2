"""What every dataset is, 28 x 28 grey images of up to ten classes, and reading no more than it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import DataError
from sweep.results import DataFacts

Features = NDArray[np.float32]
"""What a classifier sees of images, ``(n, dimensions)``."""

IMAGE_SIDE = 28
CLASSES = 10
# Bounds what a file may claim before any of it is read into memory (70,000 images are 55 MB).
MOST_IMAGES = 2_000_000

# SHA-256 of the 70,000 labels of MNIST, training labels first; they are the same in every edition.
_MNIST_LABELS = "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27"

_PIECE = 1 << 20


@dataclass(frozen=True)
class Dataset:
    """Images uint8 ``(n, 28, 28)``, 0 (black) to 255, and labels uint8 ``(n,)``, 0 to 9."""

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    @cached_property
    def sha256(self) -> str:
        """Hash of the content: images, then labels."""
        return _sha256(self.images, self.labels)

    @property
    def facts(self) -> DataFacts:
        """What a study remembers of it; MNIST's 70,000 images are told by their labels."""
        is_mnist = _sha256(self.labels) == _MNIST_LABELS
        return DataFacts(name=self.name, sha256=self.sha256, is_mnist=is_mnist)


def checked_labels(where: str, labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Labels of any integer type, ``(n,)``, as uint8.

    Raises:
        DataError: a label is not in 0 to 9; ``where`` says what file and array they are of.
    """
    if len(labels) and (labels.min() < 0 or labels.max() >= CLASSES):
        raise DataError(f"{where} has labels outside 0 to {CLASSES - 1}")
    return labels.astype(np.uint8)


def stack(
    name: str, path: Path, images: Sequence[NDArray[np.uint8]], labels: Sequence[NDArray[np.uint8]]
) -> Dataset:
    """Lay the parts of a dataset below each other.

    Args:
        name: the dataset's name.
        path: where the parts were read, for errors.
        images: uint8 ``(n, 28, 28)`` each.
        labels: uint8 ``(n,)`` each, 0 to 9, as many as the images of the same place.

    Raises:
        DataError: fewer than two classes have images, or the images do not fit into the memory.
    """
    stacked = np.concatenate(labels)
    classes = np.unique(stacked).tolist()
    if len(classes) < 2:
        found = f"images of class {classes[0]} only" if classes else "no images"
        raise DataError(f"{path} has {found}: there is nothing to classify")
    try:
        return Dataset(name, np.concatenate(images), stacked)
    except MemoryError as error:
        raise DataError(f"{path} has more images than fit into the memory") from error


def read_exactly(file: IO[bytes] | gzip.GzipFile, size: int) -> bytearray:
    """Read the rest of a file, which must be ``size`` bytes.

    Memory grows with what there is, never with what was promised, and no more than one byte beyond
    ``size`` is asked for: neither a lying header nor what a small file unpacks to can fill it.

    Raises:
        EOFError: the file ends before.
        ValueError: the file goes on after.
    """
    content = bytearray()
    while len(content) < size:
        piece = file.read(min(size - len(content), _PIECE))
        if not piece:
            raise EOFError(f"it ends after {len(content):,} of {size:,} bytes")
        content += piece
    if file.read(1):
        raise ValueError(f"it goes on after the {size:,} bytes that its header promises")
    return content


def unreadable(path: Path, kind: str, error: Exception) -> DataError:
    """The error that says in one line why a file could not be read as what it should be."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path} cannot be read as {kind}: {reason:.200}")


def _sha256(*arrays: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
