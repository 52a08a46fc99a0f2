"""Looking at MLflow: nothing is made, nothing is changed, and nobody waits for long."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from sweep.database import masked
from sweep.errors import HomeError
from sweep.tracking.connection import (
    client,
    is_directory,
    is_server,
    prepare,
    schema_mismatch,
    schema_version,
)
from sweep.tracking.deadline import answer_of
from sweep.tracking.runs import standing_runs, trial_run_ids
from sweep.workspace import Workspace


def find_trial_run_ids(workspace: Workspace, studies: Iterable[str]) -> dict[str, dict[int, str]]:
    """Ids of studies' trial runs that have ended, by study and Optuna's trial number.

    May raise what MLflow raises.

    Raises:
        HomeError: see :func:`is_made`.
        TimeoutError: a server, or a database that is reached through a network, keeps us waiting.
    """
    uri = workspace.tracking
    if is_server(uri):
        prepare()
        importlib.import_module("mlflow")  # which takes seconds that are not the server's

    def look() -> dict[str, dict[int, str]]:
        if not is_made(uri):
            return {study: {} for study in studies}
        mlflow = client(uri)
        found = {}
        for study in studies:
            experiment = mlflow.get_experiment_by_name(study)
            runs = standing_runs(mlflow, experiment.experiment_id) if experiment else {}
            found[study] = trial_run_ids(runs)
        return found

    return answer_of(uri, look)


def is_made(uri: str) -> bool:
    """Whether MLflow is there to be asked: opening a database makes what it lacks.

    May raise what a database's driver raises.

    Raises:
        HomeError: the database is of another version of MLflow, and opening it might change it.
    """
    if is_server(uri) or is_directory(uri):
        return True
    version = schema_version(uri)
    if version is None:
        return False
    if mismatch := schema_mismatch(version):
        raise HomeError(
            f"{masked(uri)} is of another version of MLflow: {mismatch}",
            hint="sweep doctor says what mends MLflow",
        )
    return True
