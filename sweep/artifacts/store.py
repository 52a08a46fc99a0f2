"""The one store of all that a home keeps by content."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from sweep.artifacts.checkpoint import Checkpoint
from sweep.artifacts.checks import answers_assessment, answers_draw
from sweep.artifacts.datasets import Datasets
from sweep.artifacts.shelves import Directories, Files
from sweep.files import leftovers
from sweep.home import Home
from sweep.results import Assessment, DrawResult, EncoderRecord, ModelRecord
from sweep.specs import Artifact, AssessmentSpec, DrawSpec, EncoderSpec, ModelSpec, Spec

MODEL_FILE = "model.keras"


class ArtifactStore:
    """What a home keeps, by kind and content key."""

    def __init__(self, home: Home) -> None:
        self._home = home

    @cached_property
    def encoders(self) -> Directories[EncoderSpec, EncoderRecord]:
        """Trained encoders: what their representation writes, and pictures of them."""
        return Directories(self._home.encoders, self._home.locks, "encoder", EncoderRecord)

    @cached_property
    def models(self) -> Directories[ModelSpec, ModelRecord]:
        """Registered classifiers with all that comes before them, as Keras models."""
        return Directories(self._home.models, self._home.locks, "model", ModelRecord)

    @cached_property
    def directories(self) -> Mapping[str, Directories[Any, Any]]:
        """The kinds that are directories: whoever makes one of these holds its lock."""
        return {"encoder": self.encoders, "model": self.models}

    @cached_property
    def datasets(self) -> Datasets:
        """What machines without data of their own are given to train on."""
        return Datasets(self._home.datasets)

    @cached_property
    def draws(self) -> Files[DrawSpec, DrawResult]:
        """Results of single draws."""
        return Files(self._home.draws, DrawResult, answers_draw)

    @cached_property
    def assessments(self) -> Files[AssessmentSpec, Assessment]:
        """Scores on the test partition of what was selected."""
        return Files(self._home.assessments, Assessment, answers_assessment)

    def checkpoint(self, key: str) -> Checkpoint:
        """Where the training of an encoder keeps its state; its seconds count from here."""
        return Checkpoint(self._home.checkpoints / key)

    def path(self, artifact: Artifact) -> Path:
        """Where an artifact lies or would lie."""
        match artifact.kind:
            case "dataset":
                return self.datasets.path(artifact.key)
            case "encoder":
                return self.encoders.path(artifact.key)
            case "checkpoint":
                return self._home.checkpoints / artifact.key
            case "draw":
                return self.draws.path(artifact.key)
            case "assessment":
                return self.assessments.path(artifact.key)
            case "model":
                return self.models.path(artifact.key)

    def result(self, spec: Spec) -> DrawResult | Assessment | None:
        """What a spec's file holds, if that can be believed: then nobody needs to make it.

        None for what is a directory; making that again, when it is whole, is no work.
        """
        if isinstance(spec, DrawSpec):
            return self.draws.get(spec)
        if isinstance(spec, AssessmentSpec):
            return self.assessments.get(spec)
        return None

    def progress(self, spec: Spec) -> int:
        """A number that grows as a training keeps more of itself; 0 if nothing is kept.

        The bytes of its checkpoint: each epoch adds its sums.
        """
        sizes = [0]
        for artifact in spec.writes:
            if artifact.kind == "checkpoint":
                try:
                    sizes.append(self.path(artifact).stat().st_size)
                except OSError:
                    continue
        return max(sizes)

    def pictures(self, key: str) -> list[Path]:
        """The pictures that were drawn of an encoder."""
        return sorted(self.encoders.path(key).glob("*.png"))

    def half_trained(self) -> list[str]:
        """The keys of encoders whose training has left a checkpoint."""
        names = (path.name for path in self._home.checkpoints.glob("[!.]*"))
        return sorted(name for name in names if "." not in name)  # others were set aside

    def remove_encoders(
        self, keys: Iterable[str], needed: Callable[[], Collection[str]]
    ) -> list[str]:
        """Remove encoders, however far they are trained; see :meth:`Directories.remove_unless`."""
        removed = self.encoders.remove_unless(keys, needed)
        for key in removed:
            self.checkpoint(key).remove()
        return removed

    def leftovers(self) -> list[Path]:
        """What interrupted writes have left, and what was set aside as damaged."""
        home = self._home
        return leftovers(
            (home.root, home.encoders, home.checkpoints, home.draws, home.assessments, home.models)
        )
