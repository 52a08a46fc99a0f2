"""Removing a study from MLflow, so that its name is free for another one."""

from __future__ import annotations

from sweep.tracking.connection import client
from sweep.tracking.deadline import answer_of
from sweep.tracking.looking import is_made
from sweep.workspace import Workspace

_SECONDS = 60.0


def remove_experiment(workspace: Workspace, study: str) -> None:
    """Delete a study's experiment with its runs, in time; may raise what MLflow raises.

    MLflow keeps what it deletes, under its name, until ``mlflow gc``: so it is renamed first. What
    was stopped between the two is gone on with. Models that were registered from it can be served
    until then.
    """
    uri = workspace.tracking
    answer_of(uri, lambda: _remove(uri, study), _SECONDS)


def _remove(uri: str, study: str) -> None:
    if not is_made(uri):
        return
    mlflow = client(uri)
    found = mlflow.get_experiment_by_name(study)
    if found is not None:
        if found.lifecycle_stage == "deleted":  # by hand; MLflow renames none of these
            mlflow.restore_experiment(found.experiment_id)
        # No study's name has a space in it, and no two experiments have one number.
        mlflow.rename_experiment(found.experiment_id, f"{_renamed(study)} {found.experiment_id})")
    token = None
    left: list[str] = []
    while True:
        page = mlflow.search_experiments(page_token=token)
        left += [each.experiment_id for each in page if each.name.startswith(_renamed(study))]
        token = page.token
        if not token:
            break
    for experiment_id in left:
        mlflow.delete_experiment(experiment_id)


def _renamed(study: str) -> str:
    return f"{study} (removed:"
