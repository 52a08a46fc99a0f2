"""idx files: MNIST's four, however spelled and packed, or a refusal that names the file."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.data.idx import idx_files, read_idx
from sweep.data.images import MOST_IMAGES
from sweep.errors import DataError
from tests.data.damage import (
    FEW_IMAGES,
    FEW_LABELS,
    IMAGES,
    LABELS,
    damaged,
    idx,
    is_valid_or_refused,
    peak_megabytes,
    write_idx,
)

GOOD = {
    "train-images-idx3-ubyte": idx(IMAGES[:30]),
    "train-labels-idx1-ubyte": idx(LABELS[:30]),
    "t10k-images-idx3-ubyte": idx(IMAGES[30:]),
    "t10k-labels-idx1-ubyte": idx(LABELS[30:]),
}


def write(directory: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        write_idx(directory / name, content)
    return directory


def spelled(name: str, dotted: bool, packed: bool) -> str:
    return (name.replace("-idx", ".idx") if dotted else name) + (".gz" if packed else "")


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_the_four_files(dotted: bool, packed: bool, tmp_path: Path) -> None:
    """Packed or not, spelled with a dot or not: training images first."""
    write(tmp_path, {spelled(name, dotted, packed): GOOD[name] for name in GOOD})
    dataset = read_idx(tmp_path, "mine")
    np.testing.assert_array_equal(dataset.images, IMAGES)
    np.testing.assert_array_equal(dataset.labels, LABELS)
    assert dataset.name == "mine"


@pytest.mark.parametrize("missing", GOOD)
def test_three_files_are_none(missing: str, tmp_path: Path) -> None:
    """A directory holds the dataset if it holds all of it."""
    write(tmp_path, {name: content for name, content in GOOD.items() if name != missing})
    assert idx_files(tmp_path) is None
    with pytest.raises(DataError, match="does not hold the four idx files of mine"):
        read_idx(tmp_path, "mine")


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "half a header": lambda content: content[:7],
    "truncated": lambda content: content[:-1],
    "left over": lambda content: content + b"a",
    "other type": lambda content: bytes((0, 0, 13)) + content[3:],
    "other dimensions": lambda content: content[:3] + b"\x02" + content[4:],
    "other lengths": lambda content: content[:7] + bytes((content[7] - 1,)) + content[8:],
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_refused_by_name(
    kind: str, name: str, packed: bool, tmp_path: Path
) -> None:
    """Whichever of the four it is."""
    files = GOOD | {name: BROKEN[kind](GOOD[name])}
    write(tmp_path, {spelled(name, False, packed): content for name, content in files.items()})
    with pytest.raises(DataError, match=name):
        read_idx(tmp_path, "broken")


REFUSED = {
    "small images": ("train-images-idx3-ubyte", idx(IMAGES[:30, :20, :20]), "and not .n, 28, 28"),
    "fewer labels": ("t10k-labels-idx1-ubyte", idx(LABELS[:9]), "has 10 images, and .* 9 labels"),
    "label 10": (
        "t10k-labels-idx1-ubyte",
        idx(LABELS[:10] + 1),
        r"idx1-ubyte has labels outside 0 to 9",
    ),
    "not deflated": (
        "t10k-labels-idx1-ubyte.gz",
        gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20,
        "cannot be read as idx: .*invalid block type",
    ),
    "not gzip": ("t10k-labels-idx1-ubyte.gz", b"no", "cannot be read as idx: Not a gzipped file"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_wrong_is_said(kind: str, tmp_path: Path) -> None:
    """In words that lead to it."""
    name, content, message = REFUSED[kind]
    kept = {file: good for file, good in GOOD.items() if not name.startswith(file)}
    write(tmp_path, kept)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path, "wrong")


def images_header(number: int) -> bytes:
    return bytes((0, 0, 8, 3)) + np.array((number, 28, 28), ">u4").tobytes()


FILLING = {
    "claims all": images_header(MOST_IMAGES),
    "claims more": images_header(MOST_IMAGES + 1),
    "claims terabytes": images_header(2**32 - 1),
    "unpacks to more": idx(IMAGES) + bytes(200_000_000),
}


@pytest.mark.parametrize("kind", FILLING)
def test_what_a_file_claims_takes_no_memory(kind: str, tmp_path: Path) -> None:
    """Neither a header's promise nor what a few kilobytes unpack to."""
    write(tmp_path, {spelled(name, False, True): GOOD[name] for name in GOOD})
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", FILLING[kind])
    assert peak_megabytes(lambda: read_idx(tmp_path, "bomb")) < 10


@pytest.mark.timeout(20)
def test_a_packed_file_with_a_tail_of_zeros_is_refused_at_once(tmp_path: Path) -> None:
    """Zeros may follow what gzip packed; a terabyte of them takes no disk, and a reader weeks."""
    write(tmp_path, {spelled(name, False, True): GOOD[name] for name in GOOD})
    os.truncate(tmp_path / "t10k-images-idx3-ubyte.gz", 2**40)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz is far longer"):
        read_idx(tmp_path, "long")


def test_both_parts_together_are_bounded(tmp_path: Path) -> None:
    """The test images have what room the training images left."""
    files = GOOD | {"t10k-images-idx3-ubyte": images_header(MOST_IMAGES - 29)}
    write(tmp_path, files)
    with pytest.raises(DataError, match=f"n up to {MOST_IMAGES - 30}"):
        read_idx(tmp_path, "large")


SMALL = {name: idx(FEW_IMAGES if "images" in name else FEW_LABELS) for name in GOOD}


@given(
    data=st.data(),
    name=st.sampled_from(sorted(GOOD)),
    where=st.sampled_from(["bytes", "gzip", "bytes in gzip"]),
)
def test_a_damaged_file_is_valid_or_refused(
    data: st.DataObject, name: str, where: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Damaged as idx; as gzip; as idx within a gzip whose checksum is right."""
    directory = tmp_path_factory.getbasetemp() / where
    directory.mkdir(exist_ok=True)
    packed = where != "bytes"
    for file, content in SMALL.items():
        is_it = file == name
        if is_it and where != "gzip":
            content = data.draw(damaged(content))
        content = gzip.compress(content, mtime=0) if packed else content
        if is_it and where == "gzip":
            content = data.draw(damaged(content))
        (directory / spelled(file, False, packed)).write_bytes(content)
    # One file or, where all come together in one class, the directory.
    assert is_valid_or_refused(lambda: read_idx(directory, "damaged"), str(directory))
