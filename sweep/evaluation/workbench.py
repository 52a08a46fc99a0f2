"""What a worker keeps at hand between tasks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sweep.artifacts import ArtifactStore
from sweep.data.datasets import DatasetSource
from sweep.data.images import Dataset
from sweep.errors import DataError
from sweep.home import Home


@dataclass(frozen=True)
class Workbench:
    """What is kept by content, and the dataset."""

    home: Home
    source: DatasetSource | None
    """None where the home keeps what was given to it."""

    @cached_property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.home)

    @cached_property
    def _loaded(self) -> dict[str, Dataset]:
        """Datasets by their hashes, each loaded once a process."""
        if self.source is None:
            return {}
        dataset = self.source.load()
        return {dataset.sha256: dataset}

    def checked_dataset(self, sha256: str) -> Dataset:
        """The dataset, if it is the one that a spec was made for.

        Raises:
            DataError: it is another, or this machine was not given it.
        """
        known = self._loaded
        if sha256 in known:
            return known[sha256]
        if self.source is not None:
            raise DataError(
                f"the dataset '{self.source.name}' changed while the study was running",
                hint="put the old file back, or start a study of another name",
            )
        dataset = self.store.datasets.get(sha256)
        if dataset is None:
            raise DataError(f"{self.store.datasets.path(sha256)} is not the dataset that was sent")
        known[sha256] = dataset
        return dataset
