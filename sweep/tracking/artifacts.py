"""The files of runs: in the home, or where a tracking server puts them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Artifacts:
    """The artifacts of an experiment's runs.

    In the home they are written to where the home is, whatever MLflow's database says meanwhile: a
    home that is mounted in two places may be opened from both.
    """

    def __init__(self, client: MlflowClient, directory: Path | None) -> None:
        """Nothing is looked at yet.

        Args:
            client: reaches a server that keeps them.
            directory: the experiment's, in the home; None if a server keeps them.
        """
        self._client = client
        self._directory = directory

    def add(self, run_id: str, file: Path) -> None:
        """Add a file, in place of one of its name."""
        if self._directory is None:
            self._client.log_artifact(run_id, str(file))
        else:
            shutil.copyfile(file, self._place(run_id) / file.name)

    def add_text(self, run_id: str, name: str, text: str) -> None:
        """Add a file of this name and content."""
        if self._directory is None:
            self._client.log_text(run_id, text, name)
        else:
            (self._place(run_id) / name).write_text(text, encoding="utf-8")

    def names(self, run_id: str) -> set[str]:
        """What a run has; a server is asked."""
        if self._directory is None:
            return {artifact.path for artifact in self._client.list_artifacts(run_id)}
        return {file.name for file in (self._directory / run_id / "artifacts").glob("*")}

    def may_lack(self, run_id: str, names: set[str]) -> bool:
        """Whether any of these is gone, as far as it can be told without asking a server."""
        return bool(names) and self._directory is not None and not names <= self.names(run_id)

    def _place(self, run_id: str) -> Path:
        assert self._directory is not None
        place = self._directory / run_id / "artifacts"
        place.mkdir(parents=True, exist_ok=True)
        return place
