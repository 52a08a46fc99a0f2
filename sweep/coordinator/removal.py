"""Removing a study: from MLflow, its logs, and last from Optuna's storage."""

from __future__ import annotations

import shutil

from sweep.coordinator.studies import storage_to_look_at
from sweep.database import masked, reason
from sweep.errors import HomeError, OutageError
from sweep.lease import check_free, lease
from sweep.search.removal import check_removable, delete_study
from sweep.search.storage import open_storage
from sweep.tracking import remove_experiment
from sweep.workspace import Workspace


def check_removal(workspace: Workspace, name: str) -> None:
    """See that a study can be removed; removes nothing.

    Raises:
        UnknownStudyError: there is no study of this name, or another program made it.
        StudyBusyError: another process is running the study.
    """
    check_removable(storage_to_look_at(workspace), name)
    check_free(workspace, name)


def remove_study(workspace: Workspace, name: str) -> None:
    """Remove a study; what the home keeps by content stays.

    Optuna's storage comes last: as long as anything of the study is left anywhere, it is known by
    its name, and the same command goes on.

    Raises:
        UnknownStudyError: there is no study of this name, or another program made it.
        StudyBusyError: another process is running the study.
        OutageError: MLflow or the storage is out of reach.
        HomeError: its logs cannot be removed.
    """
    check_removal(workspace, name)
    with lease(workspace, name) as held:
        try:
            remove_experiment(workspace, name)
        except Exception as error:  # whatever MLflow raises
            raise OutageError(
                f"the study '{name}' is not removed: MLflow ({masked(workspace.tracking)}) cannot "
                f"be written: {reason(error)}",
                hint="mend it, and run the same command again; sweep sync "
                f"{name} brings back what MLflow has lost already",
            ) from error
        held.check()
        logs = workspace.home.logs / name
        try:
            if logs.exists():
                shutil.rmtree(logs)
        except OSError as error:
            raise HomeError(
                f"the study '{name}' is removed from MLflow alone: its logs {logs} cannot be "
                f"removed: {error.strerror or error}",
                hint="mend it, and run the same command again",
            ) from error
        with workspace.making_tables():
            storage = open_storage(workspace.storage)
        delete_study(storage, name)
