"""Datasets: what was asked for, from where it lies, checked, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sweep.data import datasets
from sweep.data.datasets import DEBIAN_FASHION_MNIST, DatasetFile, DatasetName, DatasetSource
from sweep.errors import DataError
from sweep.home import Home
from tests.data.damage import IMAGES, LABELS, idx, write_idx

MNIST_5K = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.create()
    return home


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


def test_mnist_5k_is_parsed_once(home: Home) -> None:
    """5,000 digits, 500 a class; the copy in the home is the same to the last bit."""
    source = DatasetSource.of("mnist-5k", home, None)
    parsed, cached = source.load(), source.load()
    assert len(list(home.datasets.glob("mnist-5k-*.npz"))) == 1
    assert parsed.sha256 == cached.sha256 == MNIST_5K
    assert np.bincount(cached.labels).tolist() == [500] * 10
    assert not cached.facts.is_mnist


def test_a_damaged_copy_of_mnist_5k_is_made_anew(home: Home) -> None:
    """What it is a copy of is at hand: nobody has to remove it."""
    source = DatasetSource.of("mnist-5k", home, None)
    source.load()
    (copy,) = home.datasets.iterdir()
    whole = copy.read_bytes()
    copy.write_bytes(whole[:-1000])
    assert source.load().sha256 == MNIST_5K
    assert len(copy.read_bytes()) == len(whole)


def test_looking_at_mnist_5k_writes_nothing(tmp_path: Path) -> None:
    """A home that does not exist is not created by reading."""
    assert len(DatasetSource.of("mnist-5k", Home.at(tmp_path / "none"), None).load().labels) == 5000
    assert not (tmp_path / "none").exists()


def test_a_file_of_one_s_own_has_its_name(home: Home, tmp_path: Path) -> None:
    """And is taken for what it holds, even where it is called as a dataset of ours."""
    source = DatasetSource.of(DatasetFile(path=str(write_npz(tmp_path))), home, None)
    assert source.local_file() == tmp_path / "mnist.npz"
    assert source.load().name == "mnist"
    assert source.load().facts.is_mnist is False


def test_a_home_directory_of_nobody_is_refused(home: Home) -> None:
    """A path is the user's: what is wrong with it is said."""
    with pytest.raises(DataError, match=r"there is no file ~nobody-of-this-name/mine\.npz"):
        DatasetSource.of(DatasetFile(path="~nobody-of-this-name/mine.npz"), home, None)


@pytest.mark.parametrize("write", [write_npz, write_four])
def test_what_is_not_mnist_is_not_taken_for_it(
    write: Callable[[Path], Path], home: Home, tmp_path: Path
) -> None:
    """Files of its names with other labels are refused, with where they lie."""
    found = write(tmp_path / "data")
    source = DatasetSource.of("mnist", home, tmp_path / "data")
    assert source.local_file() == found
    with pytest.raises(DataError, match=r"/data.* is not MNIST"):
        source.load()


def test_what_is_not_fashion_mnist_is_not_taken_for_it(home: Home, tmp_path: Path) -> None:
    """MNIST's files, say, which have the same names."""
    write_four(tmp_path / "data")
    with pytest.raises(DataError, match="/data is not Fashion-MNIST") as raised:
        DatasetSource.of("fashion-mnist", home, tmp_path / "data").load()
    assert "SWEEP_DATA_DIR" in str(raised.value.hint)


@pytest.mark.skipif(not DEBIAN_FASHION_MNIST.exists(), reason="wants dataset-fashion-mnist")
def test_fashion_mnist_from_debian_s_package(home: Home) -> None:
    """70,000 images, 7,000 a class, and their content the published one."""
    source = DatasetSource.of("fashion-mnist", home, None)
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
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The user's own before the system's, and a directory of the dataset's name before all."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(datasets, "DEBIAN_FASHION_MNIST", tmp_path / "debian")
    source = DatasetSource.of(name, home, tmp_path / "data")
    assert source.local_file() is None
    for place in reversed(places):
        found = write(tmp_path / place)
        assert source.local_file() == found


def test_a_place_that_cannot_be_looked_at_is_named(home: Home, tmp_path: Path) -> None:
    """Rather than passed over, or shown as a traceback."""
    impossible = tmp_path / ("long" * 100)
    with pytest.raises(DataError, match=r"longlong.* cannot be searched for mnist: .*too long"):
        DatasetSource.of("mnist", home, impossible).local_file()
