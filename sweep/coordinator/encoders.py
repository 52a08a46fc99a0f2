"""Encoders while they train: their runs in MLflow, epoch by epoch, and what is said of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sweep.artifacts import ArtifactStore
from sweep.coordinator.events import Begun, Broken, Done, Event, Progressed
from sweep.coordinator.labels import Labels
from sweep.coordinator.projector import Projector
from sweep.coordinator.runs import encoder_run, failed_encoder_run, training_run
from sweep.representations.collapse import collapsed
from sweep.results import EncoderHistory, EncoderRecord
from sweep.search.attempt import Failure
from sweep.specs import EncoderSpec, Spec


@dataclass
class _Training:
    """What is known of an encoder that is being trained."""

    spec: EncoderSpec
    started_at: int = field(default_factory=lambda: int(1000 * time.time()))
    progress: int = 0
    """The store's, when it was looked at last."""
    history: EncoderHistory = field(default_factory=dict)


class Encoders:
    """The encoders of a study, from the beginning of their training until MLflow has them."""

    def __init__(
        self,
        store: ArtifactStore,
        projector: Projector,
        say: Callable[[str], None],
        labels: Labels,
    ) -> None:
        """Begin with none.

        Args:
            store: the home's, where trainings leave their checkpoints.
            projector: is given their runs.
            say: is told what happened, a line each.
            labels: what the study calls them.
        """
        self._store = store
        self._projector = projector
        self._say = say
        self._labels = labels
        self._training: dict[str, _Training] = {}
        self._projected: set[str] = set()
        """Those that MLflow has whole, or is about to have."""
        self._told: set[str] = set()
        """Those of whose collapse was told."""

    def has(self, key: str) -> bool:
        """Whether an encoder was handed over, trained."""
        return key in self._projected

    def take(self, event: Event) -> None:
        """Take note of what happens to encoders."""
        match event:
            case Begun(EncoderSpec() as spec):
                self._begin(spec)
            case Progressed(running):
                self._look(each.spec for each in running.values())
            case Done(_, EncoderRecord() as record):
                self.end(record)
            case Broken(EncoderSpec() as spec, failure):
                self._give_up(spec, failure)

    def _begin(self, spec: EncoderSpec) -> None:
        """An encoder's training begins, for the first time or again."""
        training = self._training.setdefault(spec.key, _Training(spec))
        self._project(training)

    def _look(self, running: Iterable[Spec]) -> None:
        """See how far the encoders among what runs have got."""
        for spec in running:
            training = self._training.get(spec.key)
            progress = self._store.progress(spec) if training else 0
            if training is None or progress <= training.progress:
                continue
            history = self._store.checkpoint(spec.key).history()
            if history is not None:
                training.progress, training.history = progress, history
                self._tell_of_collapse(training.spec, history, is_whole=False)
                self._project(training)

    def end(self, record: EncoderRecord) -> None:
        """An encoder is trained, here or for another study."""
        key = record.spec.key
        self._projected.add(key)
        self._projector.project([encoder_run(record, self._store.pictures(key), self._labels)])
        if self._training.pop(key, None):
            ends = [f"{name.replace('_', ' ')} {v[-1]:.5g}" for name, v in record.history.items()]
            label = self._labels(record.spec)
            self._say(f"{label}: {', '.join(ends)}, {record.train_seconds:.0f} s")
            self._tell_of_collapse(record.spec, record.history, is_whole=True)

    def _give_up(self, spec: EncoderSpec, failure: Failure) -> None:
        """An encoder cannot be trained."""
        training = self._training.pop(spec.key)
        run = failed_encoder_run(spec, training.history, training.started_at, self._labels, failure)
        self._projector.project([run])

    def _project(self, training: _Training) -> None:
        run = training_run(training.spec, training.history, training.started_at, self._labels)
        self._projector.project([run])

    def _tell_of_collapse(
        self, spec: EncoderSpec, history: EncoderHistory, *, is_whole: bool
    ) -> None:
        gone = collapsed(spec, history, is_whole=is_whole)
        if not gone or spec.key in self._told:
            return
        self._told.add(spec.key)
        epochs = max(map(len, history.values()))
        when = "at its end" if is_whole else f"after epoch {epochs}"
        of = f"{gone} of {spec.representation.latent_dim} latent dimensions"
        self._say(f"{self._labels(spec)}: {of} have collapsed {when}")
