"""A study that was loaded: its numbers as data frames, its report, its encoders."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sweep.api import frames
from sweep.api.encoders import find_encoder
from sweep.config import StudyConfig
from sweep.coordinator.documents import (
    Document,
    document,
    encoder_records,
    mlflow_run_ids,
    write_report,
)
from sweep.coordinator.registration import choose
from sweep.coordinator.studies import is_running
from sweep.errors import HomeError
from sweep.representations import TrainedRepresentation, bind
from sweep.results import Assessment, EncoderRecord
from sweep.search.history import History
from sweep.search.recorded import Recorded
from sweep.specs import AssessmentSpec
from sweep.workspace import Workspace

if TYPE_CHECKING:
    import keras  # imports TensorFlow
    from matplotlib.axes import Axes


class LoadedStudy:
    """A study as it stood when it was loaded; load it again for what has come since.

    Frames have a column ``trial``, or ``encoder``, by which they are joined.
    """

    def __init__(self, recorded: Recorded, workspace: Workspace) -> None:
        """What :func:`sweep.load` gives.

        Args:
            recorded: what its storage holds of it.
            workspace: where it lies.
        """
        self._recorded = recorded
        self._workspace = workspace

    def __repr__(self) -> str:
        progress = History(self.config, self._recorded.attempts, self._recorded.retried).progress
        return f"<study {self.name}: {progress.complete} of {progress.target} trials complete>"

    @property
    def name(self) -> str:
        """Its name."""
        return self.config.name

    @property
    def config(self) -> StudyConfig:
        """The config that it was last run with."""
        return self._recorded.config

    def trials(self) -> pd.DataFrame:
        """A line for each trial, whatever became of it, by Optuna's numbers."""
        return frames.trials(self._recorded)

    def rows(self) -> pd.DataFrame:
        """A line for each row of the report, in its order."""
        return frames.rows(self._document)

    def replicates(self) -> pd.DataFrame:
        """A line for each classifier that was trained."""
        return frames.replicates(self._recorded, self._assessments)

    def curves(self) -> pd.DataFrame:
        """A line for each epoch of a trial, as means over its replicates."""
        return frames.curves(self._recorded)

    def encoders(self) -> pd.DataFrame:
        """A line for each encoder that trials stand on, with the last values of its curves."""
        return frames.encoders(self._encoders)

    def front(self) -> pd.DataFrame:
        """The report's rows that nothing with as many labels dominates, the smallest first.

        Of accuracy against the classifier's parameters; ``pareto_inference`` in :meth:`rows` says
        what is on the other front.
        """
        rows = self.rows()
        return rows[rows["pareto"]].sort_values(["labels", "classifier_parameters"])

    @property
    def best(self) -> pd.Series:
        """The report's row of the most accurate configuration, which ``sweep register`` registers.

        Raises:
            TargetMissedError: no trial is complete.
        """
        chosen = choose(self._recorded, None).attempt.number
        rows = self.rows()
        return rows[rows["trial"] == chosen].iloc[0]

    def report(self, directory: str | os.PathLike[str]) -> list[Path]:
        """Write the report in every format, with its plots; the paths written.

        Args:
            directory: where; created if it is not there.

        Raises:
            SweepError: it cannot be written there.
        """
        from sweep.tracking.connection import ui_address

        return write_report([self._document], Path(directory), ui_address(self._workspace.tracking))

    def plot(self) -> tuple[Axes, ...]:
        """The report's figure, accuracy against parameters, in a new figure of pyplot's.

        Notebooks show it by themselves, scripts with ``pyplot.show()``.

        Returns:
            Its axes: against the classifier's parameters, and against those of inference.
        """
        from sweep.reports.charts import charts
        from sweep.reports.drawing import plot
        from sweep.reports.sheet import TWO_COLUMNS

        first, *_ = charts([self._document.report])
        return tuple(plot(first, TWO_COLUMNS).axes)

    def encoder(
        self,
        latent_dim: int,
        draw: int = 0,
        representation: str | None = None,
        **settings: bool | int | float | str,
    ) -> keras.Model:
        """A trained encoder as a Keras model; imports TensorFlow.

        Args:
            latent_dim: which.
            draw: which, from 0.
            representation: its name, where several have encoders of this latent dimension.
            **settings: what the study varied of it, as in ``beta=0.5``.

        Returns:
            From images uint8 ``(n, 28, 28)`` to features float32 ``(n, latent_dim)``.

        Raises:
            InputError: no encoder is so, or several are; or Keras does not run on TensorFlow.
            HomeError: the home does not have it any more.
        """
        record = find_encoder(self._encoders, latent_dim, draw, representation, settings)
        store = self._workspace.store.encoders
        if not store.is_whole(record.spec.key):
            raise HomeError(
                f"the home {self._workspace.home.root} does not have {record.spec.label} any more, "
                "or not as it was",
                hint="it is trained again when a trial of its configuration is",
            )
        from sweep.evaluation.numerics import keras_as_ours

        found = bind(record.spec.representation)
        assert isinstance(found, TrainedRepresentation)  # it has an encoder
        with keras_as_ours():
            return found.encoder(store.path(record.spec.key)).network()

    @cached_property
    def _encoders(self) -> list[EncoderRecord]:
        """All of them, in an order that does not depend on when they were trained."""
        records = encoder_records(self._recorded, self._workspace.store).values()
        places = {name: place for place, name in enumerate(self.config.blocks)}

        def order(record: EncoderRecord) -> tuple[int, int, int, str]:
            spec = record.spec
            dim = spec.representation.latent_dim or 0
            return places[spec.representation.name], dim, spec.draw, spec.key

        return sorted(records, key=order)

    @cached_property
    def _assessments(self) -> dict[str, Assessment]:
        """What the test partition says, by key; of older versions it is in the home alone."""
        found = dict(self._recorded.assessments)
        for attempt in self._recorded.attempts:
            spec = AssessmentSpec(trial=attempt.spec)
            if spec.key not in found and (kept := self._workspace.store.assessments.get(spec)):
                found[spec.key] = kept
        return found

    @cached_property
    def _document(self) -> Document:
        run_ids = mlflow_run_ids(self._workspace, [self.name])[self.name]
        running = is_running(self._workspace, self.name)
        return document(self._recorded, run_ids, self._workspace.store, is_running=running)
