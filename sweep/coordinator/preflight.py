"""What is checked before a study begins or goes on, and before anything of it is created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sweep.config import StudyConfig
from sweep.data.datasets import DatasetSource
from sweep.execution.ray import check_installed
from sweep.lease import check_free
from sweep.results import DataFacts
from sweep.search.changes import check_study
from sweep.search.sampling import check_sampler
from sweep.search.storage import existing_storage
from sweep.workspace import Workspace


@dataclass(frozen=True)
class Checked:
    """A study that can be run, and what was learned of it."""

    config: StudyConfig
    """With all decided that it leaves to us."""
    source: DatasetSource
    data: DataFacts | None
    """None if the dataset is not on this machine and was not to be downloaded."""
    sizes: Mapping[str, int] | None
    """Numbers of images in the parts of the dataset; None with it."""


def preflight(config: StudyConfig, workspace: Workspace, *, download: bool) -> Checked:
    """Refuse what cannot be run, before anything is created: of a refused study nothing is left.

    Args:
        config: what is to be run.
        workspace: where.
        download: whether a dataset that is not on this machine is downloaded, and not left out.

    Raises:
        ConfigError: the sampler's packages are not installed, or a label budget is too large.
        InputError: Ray is to be used, and is not installed.
        DataError: the dataset is missing, not what it should be, or too small for the partition.
        HomeError: the home or the storage cannot be used.
        StudyChangedError: the study was run with another config or other data.
        DamagedStorageError: something of the study is not what was written.
        StudyBusyError: another process is running the study.
    """
    check_sampler(config)
    if config.execution.engine == "ray":
        check_installed()
    workspace.home.check()
    source = DatasetSource.of(config.dataset, workspace.data)
    data, sizes = None, None
    with existing_storage(workspace.storage, workspace.home.root) as storage:
        if download or source.local_file() is not None:
            dataset = source.load()
            data, sizes = dataset.facts, config.part_sizes(dataset.labels)
        settled = check_study(storage, config, data)
    check_free(workspace, config.name)
    return Checked(settled, source, data, sizes)
