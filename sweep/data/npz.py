"""Datasets as one ``.npz`` file: images and labels in whatever arrays they were saved."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

# What zipfile and zlib raise where bytes were lost or changed.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # marked as encrypted
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
# Both unpack no more than is asked for; zipfile's other methods do not, and numpy writes none.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# Longer ones are refused by numpy, but only once it has read as much as they claim, up to 4 GB.
_LONGEST_HEADER = 12 + 10_000
_IMAGE_SHAPES = ((IMAGE_SIDE, IMAGE_SIDE), (IMAGE_SIDE, IMAGE_SIDE, 1))
_LABEL_SHAPES = ((), (1,))


@dataclass(frozen=True)
class _Member:
    """One array, as its header describes it; its values begin ``offset`` bytes into the member."""

    file: str
    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    offset: int

    @property
    def name(self) -> str:
        """The array's name; fit for a message, whatever the file says."""
        return repr(self.file.removesuffix(".npy"))[1:-1][:40]

    @property
    def has_images(self) -> bool:
        return self.shape[1:] in _IMAGE_SHAPES

    @property
    def has_labels(self) -> bool:
        return len(self.shape) > 0 and self.shape[1:] in _LABEL_SHAPES and self.dtype.kind in "iu"

    def __str__(self) -> str:
        return f"{self.name} ({self.dtype!s:.40}, {self.shape!s:.40})"


def read_npz(path: Path, name: str) -> Dataset:
    """Read the images and labels of a ``.npz``.

    Images are the arrays uint8 ``(n, 28, 28)`` or ``(n, 28, 28, 1)``, labels those of integers
    ``(n,)`` or ``(n, 1)``; any others are left alone. They belong together in the order of their
    names, those with "train" in them first: Keras's ``x_train``, ``x_test``, ``y_train`` and
    ``y_test`` are one case of it.

    Raises:
        DataError: the file is missing, unreadable or not what it should be.
    """
    try:
        if not path.is_file():
            raise DataError(f"there is no file {path}")
        with zipfile.ZipFile(path) as archive:
            files = sorted({file for file in archive.namelist() if file.endswith(".npy")})
            images, labels = _layout(path, [_member(archive, path, file) for file in files])
            image_arrays = [_array(archive, member) for member in images]
            label_arrays = [
                checked_labels(f"{path}: {member.name}", _array(archive, member).reshape(-1))
                for member in labels
            ]
    except _DAMAGE as error:
        raise unreadable(path, ".npz", error) from error
    return stack(
        name,
        path,
        [array.reshape(-1, IMAGE_SIDE, IMAGE_SIDE) for array in image_arrays],
        label_arrays,
    )


def _layout(path: Path, members: list[_Member]) -> tuple[list[_Member], list[_Member]]:
    """The image arrays, and the label arrays that belong to them, in the same order."""
    members = sorted(members, key=lambda m: ("train" not in m.file.lower(), m.file))
    images = [member for member in members if member.has_images]
    labels = [member for member in members if member.has_labels]
    for member in images:
        if member.dtype != np.uint8:
            raise DataError(
                f"{path}: the images {member.name} are {member.dtype!s:.40} and not uint8",
                hint="save them as uint8, 0 (black) to 255: images from 0 to 1 times 255, rounded",
            )
    lengths = [member.shape[0] for member in images]
    if not lengths or lengths != [member.shape[0] for member in labels]:
        raise DataError(
            f"{path} holds {', '.join(map(str, members[:8])) or 'no arrays'}; images (uint8, "
            "(n, 28, 28)) and labels (integers, (n,)) do not match in number and length",
            hint="for each array of images save one of labels, named in the same order",
        )
    if min(lengths) < 0 or sum(lengths) > MOST_IMAGES:
        raise DataError(f"{path} claims {lengths!s:.80} images; at most {MOST_IMAGES:,} are read")
    return images, labels


def _member(archive: zipfile.ZipFile, path: Path, file: str) -> _Member:
    """Read an array's header, and nothing of its values."""
    if archive.getinfo(file).compress_type not in _METHODS:
        raise DataError(f"{path} is packed otherwise than numpy packs", hint="save it with numpy")
    with archive.open(file) as opened:
        start = io.BytesIO(opened.read(_LONGEST_HEADER))
    try:
        with warnings.catch_warnings(action="ignore"):  # of Python's parser, for what is no Python
            shape, is_fortran, dtype = _HEADERS[np.lib.format.read_magic(start)](start)
    except Exception as error:  # whatever numpy's parsers meet: of Python, of tokens, of dtypes
        raise unreadable(path, f".npz: {file!r:.40}", error) from error
    return _Member(file, tuple(map(int, shape)), bool(is_fortran), dtype, start.tell())


def _array(archive: zipfile.ZipFile, member: _Member) -> NDArray[Any]:
    """Read an array's values."""
    with archive.open(member.file) as file:
        file.read(member.offset)
        content = read_exactly(file, math.prod(member.shape) * member.dtype.itemsize)
    flat = np.frombuffer(content, member.dtype)
    return np.ascontiguousarray(flat.reshape(member.shape, order="F" if member.is_fortran else "C"))
