"""Datasets: what was asked for, checked, or refused by name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.data.datasets import Dataset, DatasetFile, DatasetSource
from sweep.errors import DataError
from sweep.home import Home

MNIST_5K = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 28, 28)).astype(np.uint8)
LABELS = (np.arange(40) % 10).astype(np.uint8)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.create()
    return home


def write(path: Path, **arrays: Any) -> Path:
    good = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:10], "y_test": LABELS[:10]}
    kept = {key: value for key, value in (good | arrays).items() if value is not None}
    np.savez(path, **kept)
    return path


def load(path: Path, home: Home) -> Dataset:
    return DatasetSource.of(DatasetFile(path=str(path)), home, None).load()


def test_mnist_5k_is_parsed_once(home: Home) -> None:
    """5,000 digits, 500 a class; the copy in the home is the same to the last bit."""
    source = DatasetSource.of("mnist-5k", home, None)
    parsed, cached = source.load(), source.load()
    assert len(list(home.datasets.glob("mnist-5k-*.npz"))) == 1
    assert parsed.sha256 == cached.sha256 == MNIST_5K
    assert np.bincount(cached.labels).tolist() == [500] * 10
    assert not cached.facts.is_mnist


def test_looking_at_mnist_5k_writes_nothing(tmp_path: Path) -> None:
    """A home that does not exist is not created by reading."""
    assert len(DatasetSource.of("mnist-5k", Home.at(tmp_path / "none"), None).load().labels) == 5000
    assert not (tmp_path / "none").exists()


def test_a_file_of_one_s_own(home: Home, tmp_path: Path) -> None:
    """Training and test images are stacked; any integer type does for labels."""
    path = write(tmp_path / "mine.npz", y_train=LABELS.astype(np.int64))
    dataset = load(path, home)
    assert dataset.name == "mine"
    np.testing.assert_array_equal(dataset.images, np.concatenate([IMAGES, IMAGES[:10]]))
    assert dataset.labels.dtype == np.uint8
    only = write(tmp_path / "only.npz", x_test=None, y_test=None)
    assert len(load(only, home).labels) == 40


def huge(path: Path) -> None:
    """A header that claims two terabytes, and nothing behind it."""
    write(path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (3_000_000_000, 28, 28)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in ("x_train", "y_train"):
            archive.writestr(f"{key}.npy", header.getvalue())


BROKEN: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "not a zip": lambda path: path.write_bytes(b"hello"),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(write(path).read_bytes()[:-500]),
    "other arrays": lambda path: np.savez(path, a=IMAGES),
    "not .npy inside": lambda path: zipfile.ZipFile(path, "w").writestr("x_train.npy", "no"),
    "flat images": lambda path: write(path, x_train=IMAGES.reshape(40, 784)),
    "small images": lambda path: write(path, x_train=IMAGES[:, :20, :20]),
    "float images": lambda path: write(path, x_train=IMAGES / 255),
    "float labels": lambda path: write(path, y_train=LABELS / 1.0),
    "column labels": lambda path: write(path, y_train=LABELS[:, None]),
    "label 10": lambda path: write(path, y_train=LABELS + 1),
    "negative label": lambda path: write(path, y_train=LABELS.astype(int) - 1),
    "lengths": lambda path: write(path, y_train=LABELS[:30]),
    "no images": lambda path: write(path, x_train=IMAGES[:0], y_train=LABELS[:0], x_test=None),
    "class missing": lambda path: write(path, y_train=LABELS % 9, y_test=LABELS[:10] % 9),
    "objects": lambda path: write(path, y_train=np.array([{}] * 40, dtype=object)),
    "huge": huge,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_refused_by_name(kind: str, home: Home, tmp_path: Path) -> None:
    """As a DataError that names the file, whatever is wrong with it."""
    path = tmp_path / "broken.npz"
    BROKEN[kind](path)
    with pytest.raises(DataError, match=r"broken\.npz") as raised:
        load(path, home)
    assert raised.value.exit_status == 2


def test_what_is_not_mnist_is_not_taken_for_it(home: Home, tmp_path: Path) -> None:
    """A mnist.npz with other labels is refused; as a file of one's own it would do."""
    write(tmp_path / "mnist.npz")
    source = DatasetSource.of("mnist", home, tmp_path)
    assert source.local_file() == tmp_path / "mnist.npz"
    with pytest.raises(DataError, match="is not MNIST"):
        source.load()
    assert load(tmp_path / "mnist.npz", home).facts.is_mnist is False


def test_the_content_decides_the_hash(home: Home, tmp_path: Path) -> None:
    """Not the file's name, nor how its labels are stored."""
    first = load(write(tmp_path / "a.npz"), home)
    second = load(write(tmp_path / "b.npz", y_train=LABELS.astype(np.int32)), home)
    changed = load(write(tmp_path / "c.npz", x_train=IMAGES ^ 1), home)
    assert first.sha256 == second.sha256 != changed.sha256
