"""Datasets as idx files: the four files in which MNIST and Fashion-MNIST were published.

An idx file is a magic number (two zero bytes, the type, the number of dimensions), the dimensions
as big-endian 32-bit integers, and the values; it may be packed with gzip.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sweep.data.images import (
    IMAGE_SIDE,
    MOST_IMAGES,
    Dataset,
    checked_labels,
    read_exactly,
    stack,
    unreadable,
)
from sweep.errors import DataError

_PARTS = ("train", "t10k")
_UNSIGNED_BYTES = 8


def idx_files(directory: Path) -> Mapping[str, Path] | None:
    """The four files by what they hold (``train-images``, ...), or None unless all are there.

    Each may be packed (``.gz``), and spelled with a dot, as in ``train-images.idx3-ubyte``.

    Raises:
        OSError: the directory cannot be looked at.
    """
    found = {}
    for part in _PARTS:
        for kind in (f"{part}-images", f"{part}-labels"):
            ending = "idx3-ubyte" if kind.endswith("images") else "idx1-ubyte"
            names = (f"{kind}{mark}{ending}{gz}" for mark in "-." for gz in ("", ".gz"))
            path = next((p for p in map(directory.joinpath, names) if p.is_file()), None)
            if path is None:
                return None
            found[kind] = path
    return found


def read_idx(directory: Path, name: str) -> Dataset:
    """Read the four idx files of a directory, training images first.

    Raises:
        DataError: a file is missing, unreadable or not what it should be.
    """
    files = idx_files(directory)
    if files is None:
        raise DataError(f"{directory} does not hold the four idx files of {name}")
    images, labels, room = [], [], MOST_IMAGES
    for part in _PARTS:
        image_file, label_file = files[f"{part}-images"], files[f"{part}-labels"]
        images.append(_read(image_file, (IMAGE_SIDE, IMAGE_SIDE), room))
        labels.append(checked_labels(str(label_file), _read(label_file, (), room)))
        if len(images[-1]) != len(labels[-1]):
            raise DataError(
                f"{image_file} has {len(images[-1])} images, "
                f"and {label_file.name} beside it {len(labels[-1])} labels"
            )
        room -= len(images[-1])
    return stack(name, directory, images, labels)


def _read(path: Path, item: tuple[int, ...], most: int) -> NDArray[np.uint8]:
    """Read at most ``most`` items of the shape ``item``: uint8, ``(n, *item)``."""
    dimensions = 1 + len(item)
    magic = bytes((0, 0, _UNSIGNED_BYTES, dimensions))
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(len(magic) + 4 * dimensions)
            if len(header) < len(magic) + 4 * dimensions or not header.startswith(magic):
                raise DataError(f"{path} is not an idx file of bytes in {dimensions} dimensions")
            shape = tuple(np.frombuffer(header, ">u4", offset=len(magic)).tolist())
            if shape[1:] != item or shape[0] > most:
                wanted = ", ".join(map(str, ("n", *item)))
                raise DataError(f"{path} has the shape {shape} and not ({wanted}), n up to {most}")
            size = math.prod(shape)
            if path.stat().st_size > 2 * size + 1000:  # gzip skips zeros at its end one by one
                raise DataError(f"{path} is far longer than the {size:,} bytes it promises")
            content = read_exactly(file, size)
    except (OSError, EOFError, ValueError, zlib.error, MemoryError) as error:
        raise unreadable(path, "idx", error) from error
    return np.frombuffer(content, np.uint8).reshape(shape)
