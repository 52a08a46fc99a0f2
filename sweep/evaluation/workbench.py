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
    source: DatasetSource

    @cached_property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.home)

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset, loaded once a process."""
        return self.source.load()

    def checked_dataset(self, sha256: str) -> Dataset:
        """The dataset, if it is the one that a spec was made for.

        Raises:
            DataError: it is another.
        """
        if self.dataset.sha256 != sha256:
            raise DataError(
                f"the dataset '{self.source.name}' changed while the study was running",
                hint="put the old file back, or start a study of another name",
            )
        return self.dataset
