"""Studies by name, and running them."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.api.study import LoadedStudy
from sweep.config import StudyConfig, load_config, overridden
from sweep.coordinator.run import run_study
from sweep.coordinator.studies import open_study
from sweep.coordinator.timelimit import TimeLimit
from sweep.coordinator.trials import Snapshot
from sweep.errors import ConfigError
from sweep.home import DEFAULT_HOME
from sweep.workspace import Workspace


def load(name: str, *, home: str | os.PathLike[str] | None = None) -> LoadedStudy:
    """Open a study to look at it; nothing is written, and TensorFlow is not imported.

    Args:
        name: the study's name.
        home: the home that it is in; by default ``SWEEP_HOME``, or ``runs``.

    Raises:
        UnknownStudyError: there is no study of this name.
        HomeError: the home cannot be used.
        DamagedStorageError: something of the study is not what was written.
        OutageError: the studies' storage is out of reach.
    """
    workspace = _workspace(home)
    return LoadedStudy(open_study(workspace, name), workspace)


def run(
    config: str | os.PathLike[str] | StudyConfig,
    /,
    *,
    home: str | os.PathLike[str] | None = None,
    **overrides: Any,
) -> LoadedStudy:
    """Run a study to its target, or go on with it, as ``sweep run`` does.

    It says on stderr what is done. SIGINT, which is also what interrupts a notebook, stops it; the
    same call goes on.

    Args:
        config: the study's YAML file, or its config.
        home: where it is kept; by default ``SWEEP_HOME``, or ``runs``.
        **overrides: values of the config by their paths, as in
            ``**{"representations.vae.trials": 4}``.

    Returns:
        The study as it stands at the end.

    Raises:
        InputError: the config, its data or the home cannot be used, or the study was run with
            another config.
        StudyBusyError: another process is running the study.
        StoppedError: it was interrupted.
        TargetMissedError: it ended before its target.
        OutageError: what it writes to stayed out of reach.
    """
    settings = [f"{path}={_yaml(path, value)}" for path, value in overrides.items()]
    if isinstance(config, StudyConfig):
        study = overridden(config, settings)
    else:
        study = load_config(Path(config), settings)
    workspace = _workspace(home)
    ended = run_study(study, workspace, _tell, TimeLimit())
    for remark in ended.remarks:
        logging.getLogger("sweep").warning(remark)
    ended.check()
    return load(study.name, home=workspace.home.root)


def _workspace(home: str | os.PathLike[str] | None) -> Workspace:
    return Workspace.at(Path(home or os.environ.get("SWEEP_HOME") or DEFAULT_HOME))


def _yaml(path: str, value: Any) -> str:
    """A value as an override has it: JSON is YAML."""

    def plain(other: Any) -> Any:
        if isinstance(other, os.PathLike):
            return os.fspath(other)
        if isinstance(other, Mapping):
            return dict(other)
        if callable(as_number := getattr(other, "item", None)):  # NumPy's numbers
            return as_number()
        raise ConfigError(f"{path}: a {type(other).__name__} is no value of a config")

    return json.dumps(value, default=plain)


def _tell(snapshot: Snapshot) -> None:
    """What is new of a running study, on stderr, as lines."""
    progress = snapshot.progress
    for line in snapshot.news:
        sys.stderr.write(f"[{progress.complete}/{progress.target}] {line}\n")
