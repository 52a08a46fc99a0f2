"""Datasets as a home keeps them for machines that have none of their own."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from sweep.data.images import Dataset
from sweep.files import publish_bytes

_NAME, _IMAGES, _LABELS = "name", "images", "labels"


class Datasets:
    """Datasets, a ``<sha256>.npz`` each, named by the hash of their content."""

    def __init__(self, place: Path) -> None:
        """Nothing is read or made yet."""
        self._place = place

    def path(self, sha256: str) -> Path:
        """Where a dataset lies or would lie."""
        return self._place / f"{sha256}.npz"

    def get(self, sha256: str) -> Dataset | None:
        """The dataset of this content; None if there is nothing that can be believed."""
        try:
            return self._read(sha256, self.path(sha256).read_bytes())
        except OSError:
            return None

    def keep(self, dataset: Dataset) -> None:
        """Keep a dataset, unless it is kept already."""
        if self.get(dataset.sha256) is not None:
            return
        content = io.BytesIO()
        name = np.array(dataset.name)
        arrays = {_NAME: name, _IMAGES: dataset.images, _LABELS: dataset.labels}
        np.savez_compressed(content, allow_pickle=False, **arrays)
        self._place.mkdir(exist_ok=True)
        publish_bytes(self.path(dataset.sha256), content.getvalue())

    def agrees(self, sha256: str, content: bytes) -> bool:
        """Whether the content of a file is that of this dataset."""
        return self._read(sha256, content) is not None

    def _read(self, sha256: str, content: bytes) -> Dataset | None:
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                dataset = Dataset(str(stored[_NAME]), stored[_IMAGES], stored[_LABELS])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None
        return dataset if dataset.sha256 == sha256 else None
