"""What can be done for a study without running it: sync, and queueing failed trials again."""

from __future__ import annotations

from sweep.coordinator.mirror import Mirror, Shown
from sweep.coordinator.run import open_for_writing
from sweep.coordinator.studies import open_study
from sweep.lease import lease
from sweep.search.attempt import Attempt
from sweep.workspace import Workspace


def sync_study(workspace: Workspace, name: str) -> Shown:
    """Bring MLflow into agreement with a study, as a run does at its start and its end.

    Raises:
        UnknownStudyError: there is no study of this name.
        StudyBusyError: another process is running the study.
    """
    stored = open_study(workspace, name)
    with lease(workspace, name):
        study = open_for_writing(workspace, stored.config, stored.data)
        mirror = Mirror(study, workspace)
        mirror.begin()
        return mirror.finish(stopped=study.shortfall > 0)


def retry_study(workspace: Workspace, name: str) -> list[Attempt]:
    """Queue a study's failed trials again, each with the same spec; those that were queued.

    Raises:
        UnknownStudyError: there is no study of this name.
        StudyBusyError: another process is running the study.
    """
    stored = open_study(workspace, name)
    with lease(workspace, name):
        return open_for_writing(workspace, stored.config, stored.data).retry_failed()
