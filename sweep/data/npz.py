"""Datasets as one ``.npz`` file: reading its arrays, of which ``arrays`` says what they are."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.arrays import WHATEVER_IS_CLEAR, Array, Wanted, as_labels, layout
from sweep.data.images import IMAGE_SIDE, Dataset, read_exactly, stack, unreadable
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
    (3, 0): np.lib.format.read_array_header_2_0,  # differs in the names of fields, which none has
}
# Longer ones are refused by numpy, but only once it has read as much as they claim, up to 4 GB.
_LONGEST_HEADER = 12 + 10_000


def read_npz(path: Path, name: str, wanted: Wanted = WHATEVER_IS_CLEAR) -> Dataset:
    """Read the images and labels of a ``.npz``; see :func:`sweep.data.arrays.layout`.

    Args:
        path: of the file.
        name: the dataset's name.
        wanted: which arrays to read, if the user says so.

    Raises:
        DataError: the file is missing, unreadable, not what it should be, or ambiguous.
    """
    try:
        if not path.is_file():
            raise DataError(f"there is no file {path}")
        with zipfile.ZipFile(path) as archive:
            files = sorted({file for file in archive.namelist() if _is_array(file)})
            arrays = [_header(archive, path, file) for file in files]
            parts = [
                (_values(archive, images), as_labels(path, labels, _values(archive, labels)))
                for images, labels in layout(path, arrays, wanted)
            ]
    except _DAMAGE as error:
        raise unreadable(path, ".npz", error) from error
    images = [array.reshape(-1, IMAGE_SIDE, IMAGE_SIDE) for array, _ in parts]
    return stack(name, path, images, [labels for _, labels in parts])


def _is_array(file: str) -> bool:
    """Whether it is an array, and not one of the notes that macOS packs beside each file."""
    return file.endswith(".npy") and not file.startswith("__MACOSX/")


def _header(archive: zipfile.ZipFile, path: Path, file: str) -> Array:
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
    return Array(file, tuple(map(int, shape)), bool(is_fortran), dtype, start.tell())


def _values(archive: zipfile.ZipFile, array: Array) -> NDArray[Any]:
    """Read an array's values."""
    with archive.open(array.file) as file:
        file.read(array.offset)
        content = read_exactly(file, math.prod(array.shape) * array.dtype.itemsize)
    flat = np.frombuffer(content, array.dtype)
    return np.ascontiguousarray(flat.reshape(array.shape, order="F" if array.is_fortran else "C"))
