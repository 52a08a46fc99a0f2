"""The workspace: all the places that commands work on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sweep.artifacts import ArtifactStore
from sweep.database import check_url, creation_lock
from sweep.home import Home, expanded, locked


@dataclass(frozen=True)
class Workspace:
    """A home, the storage and the tracking server beside it, and where data is looked for."""

    home: Home
    storage: str
    """URL of Optuna's storage."""
    tracking: str
    """MLflow's tracking URI."""
    data: Path | None
    """Looked into before any download."""

    @staticmethod
    def at(path: Path, environment: Mapping[str, str] = os.environ) -> Workspace:
        """The workspace of a home, as the environment's variables say; nothing is created.

        ``SWEEP_STORAGE`` and ``MLFLOW_TRACKING_URI`` stand in for the SQLite files in the home;
        ``SWEEP_DATA_DIR`` names the data.

        Raises:
            HomeError: there can be no home at this path; or see :func:`check_url`.
            InputError: the data's path begins in the home directory (``~name``) of nobody.
        """
        home = Home.at(path)
        data = environment.get("SWEEP_DATA_DIR")
        for variable in ("SWEEP_STORAGE", "MLFLOW_TRACKING_URI"):
            check_url(variable, environment.get(variable, ""))
        return Workspace(
            home=home,
            storage=environment.get("SWEEP_STORAGE") or f"sqlite:///{home.optuna_db}",
            tracking=environment.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home.mlflow_db}",
            data=expanded(Path(data)) if data else None,
        )

    @property
    def store(self) -> ArtifactStore:
        """What the home keeps by content."""
        return ArtifactStore(self.home)

    @contextmanager
    def making_tables(self) -> Iterator[None]:
        """Hold a lock while the storage's tables may be made: two may not make them at once.

        Neither two processes of this home, nor two hosts that share a database.

        Raises:
            HomeError: the lock cannot be taken, or the database cannot be reached.
        """
        with locked(self.home.locks / "optuna.db.lock"), creation_lock(self.storage):
            yield

    @property
    def keeps_storage(self) -> bool:
        """Whether the home itself holds the studies."""
        return self.storage == f"sqlite:///{self.home.optuna_db}"

    @property
    def keeps_tracking(self) -> bool:
        """Whether the home itself holds MLflow's runs."""
        return self.tracking == f"sqlite:///{self.home.mlflow_db}"
