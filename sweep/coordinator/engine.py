"""Where a study's tasks run, as its config says."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from sweep.config import THREADS_PER_TASK, StudyConfig
from sweep.data.datasets import DatasetSource
from sweep.errors import OutageError
from sweep.evaluation import prepare_worker
from sweep.execution import Demands, Executor, LocalExecutor, RayExecutor
from sweep.execution.ray import Joined, session
from sweep.machine import available_cores, environment
from sweep.workspace import Workspace


@contextmanager
def joined(config: StudyConfig, address: str | None) -> Iterator[Joined | None]:
    """Be part of the cluster that a study runs on, for the length of a block.

    Args:
        config: of the study.
        address: of the cluster; None for ``RAY_ADDRESS``, or to start one on this machine.

    Yields:
        The session, or None for a study that runs on this machine without a cluster.

    Raises:
        InputError: there is no Ray, or no such cluster for this process.
    """
    if config.execution.engine == "local":
        yield None
        return
    needs, workers = config.execution.ray, _most(config)
    cpus = math.ceil(workers * needs.cpus_per_task) if workers else available_cores()
    tasks = workers or max(1, int(cpus / needs.cpus_per_task))
    resources = {name: tasks * amount for name, amount in needs.resources.items()}
    address = address or os.environ.get("RAY_ADDRESS") or None
    with session(address, cpus, resources) as cluster:
        yield cluster


def open_executor(
    config: StudyConfig,
    workspace: Workspace,
    source: DatasetSource,
    cluster: Joined | None,
    note: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> Executor:
    """Where a study's tasks run; no worker process is started before the first.

    Args:
        config: of the study.
        workspace: whose home takes what workers make.
        source: of the dataset.
        cluster: that this process is part of, if it is of one.
        note: is told the environment of every machine that workers run on.

    Raises:
        DataError: the dataset cannot be read.
        OutageError: the home does not take the dataset, which is sent from there.
    """
    home, execution = workspace.home, config.execution
    logs = home.logs / config.name
    if cluster is None:
        note(environment())
        return LocalExecutor(
            _most(config) or max(1, available_cores() // THREADS_PER_TASK),
            partial(prepare_worker, home, source, THREADS_PER_TASK),
            execution.trial_timeout,
            logs,
        )
    try:
        workspace.store.datasets.keep(source.load())
    except OSError as error:
        raise OutageError(
            f"the home {home.root} does not take the dataset: {error.strerror or error}",
            hint="free some space, or make it writable",
        ) from error
    return RayExecutor(
        cluster.ray,
        workspace.store,
        partial(prepare_worker, source=None, threads=THREADS_PER_TASK),
        execution.trial_timeout,
        logs,
        Demands(**execution.ray.model_dump()),
        _most(config),
        note,
    )


def _most(config: StudyConfig) -> int | None:
    """The configured number of workers; None for as many as there is room for."""
    workers = config.execution.workers
    return None if workers == "auto" else workers
