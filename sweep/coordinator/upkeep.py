"""What can be done for a study without running it: sync, and queueing failed trials again."""

from __future__ import annotations

from sweep.coordinator.inspect import open_study
from sweep.coordinator.run import open_for_writing
from sweep.coordinator.showing import Showing, Shown
from sweep.home import Home
from sweep.lease import lease
from sweep.search.attempt import Attempt


def sync_study(home: Home, storage_url: str, name: str) -> Shown:
    """Bring MLflow into agreement with a study, as a run does at its start and its end.

    Raises:
        UnknownStudyError: there is no study of this name.
        StudyBusyError: another process is running the study.
    """
    stored = open_study(home, storage_url, name)
    with lease(home, storage_url, name):
        study = open_for_writing(home, storage_url, stored.config, stored.data)
        showing = Showing(study, stored.data, home)
        showing.begin()
        return showing.finish(stopped=study.shortfall > 0)


def retry_study(home: Home, storage_url: str, name: str) -> list[Attempt]:
    """Queue a study's failed trials again, each with the same spec; those that were queued.

    Raises:
        UnknownStudyError: there is no study of this name.
        StudyBusyError: another process is running the study.
    """
    stored = open_study(home, storage_url, name)
    with lease(home, storage_url, name):
        return open_for_writing(home, storage_url, stored.config, stored.data).retry_failed()
