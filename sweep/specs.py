"""What goes out to workers: what a trial is, and the pieces of work that it is made of.

A result is a function of its spec: everything that changes a number is in the spec, and so in its
key, and nothing else is (no path, no host, no number of workers).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from sweep.configuration import ClassifierTraining, LabelsFrom, Partition, RepresentationSpec
from sweep.values import Value, content_key

Device = Literal["gpu"] | None
"""Where something is trained: None is the CPU, which is so in no key."""


class Artifact(NamedTuple):
    """Something that is kept by content."""

    kind: Literal["dataset", "encoder", "checkpoint", "draw", "assessment", "model"]
    key: str
    """Content key; of a dataset, the SHA-256 of its content."""


class Work(Value):
    """A piece of work, as the coordinator schedules it and a worker does it."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Content key, 32 hexadecimal digits."""

    @property
    def label(self) -> str:
        """As people read it."""
        return self.called("")

    @abstractmethod
    def called(self, varied: str) -> str:
        """Its label with what a study varies of it; see :func:`variation`."""

    @property
    @abstractmethod
    def needs(self) -> tuple[EncoderSpec, ...]:
        """What must be made before it."""

    @property
    @abstractmethod
    def writes(self) -> tuple[Artifact, ...]:
        """What it leaves in a store."""

    @property
    @abstractmethod
    def reads(self) -> tuple[Artifact, ...]:
        """What it takes from a store: its dataset, what it needs, and what there is of the rest."""


class EncoderSpec(Work):
    """One encoder of one outer draw: everything that changes its weights."""

    kind: Literal["encoder"] = "encoder"
    data: str
    """SHA-256 of the dataset's content."""
    partition: Partition
    seed: int
    draw: int
    representation: RepresentationSpec
    threads: int
    device: Device = None

    def called(self, varied: str) -> str:
        """As in ``encoder vae 10, draw 1``."""
        return f"encoder {self.representation.label}{varied}, draw {self.draw + 1}"

    @cached_property
    def key(self) -> str:
        return content_key("encoder", self.model_dump(mode="json", exclude={"kind"}))

    @property
    def needs(self) -> tuple[EncoderSpec, ...]:
        return ()

    @property
    def reads(self) -> tuple[Artifact, ...]:
        """The checkpoint is what a training that was cut short has left."""
        return Artifact("dataset", self.data), Artifact("checkpoint", self.key)

    @property
    def writes(self) -> tuple[Artifact, ...]:
        """The checkpoint goes when the encoder is there."""
        return Artifact("encoder", self.key), Artifact("checkpoint", self.key)


class TrialSpec(Value):
    """One configuration, trained as ``draws`` outer draws of ``members`` classifiers each."""

    data: str
    """SHA-256 of the dataset's content."""
    partition: Partition
    seed: int
    draws: int
    members: int
    representation: RepresentationSpec
    hidden_neurons: int
    classifier: ClassifierTraining
    labels_from: LabelsFrom
    scored_on: Literal["validation", "test"]
    label_budget: int | None = None
    """Labelled images that each classifier sees, of the classifier partition; None: all of
    ``labels_from``."""
    threads: int
    """Intra-op threads of a worker: part of the spec, because they change the last bits."""
    first_draw: int | None = None
    """The number of its first draw; None for 0. Trials that confirm what a search has selected
    begin after the draws that the search has seen."""
    device: Device = None
    """Of its classifiers."""
    encoder_device: Device = None

    @property
    def draw_numbers(self) -> range:
        """The numbers of its draws."""
        first = self.first_draw or 0
        return range(first, first + self.draws)

    @property
    def label(self) -> str:
        """See :func:`configuration_label`."""
        return configuration_label(self.representation, self.hidden_neurons, self.label_budget)

    @cached_property
    def key(self) -> str:
        """Content key of the whole trial, 32 hexadecimal digits."""
        return content_key("trial", self.model_dump(mode="json"))

    @cached_property
    def configuration_key(self) -> str:
        """Content key without the draws: trials that differ in them alone share what they can."""
        which = {"draws", "first_draw"}
        return content_key("configuration", self.model_dump(mode="json", exclude=which))

    @property
    def outer_draws(self) -> tuple[DrawSpec, ...]:
        """All its draws: what is trained for it."""
        return tuple(DrawSpec(trial=self, draw=draw) for draw in self.draw_numbers)

    def encoder(self, draw: int) -> EncoderSpec:
        """The encoder of one draw."""
        return EncoderSpec(
            data=self.data,
            partition=self.partition,
            seed=self.seed,
            draw=draw,
            representation=self.representation,
            threads=self.threads,
            device=self.encoder_device,
        )

    @property
    def encoders(self) -> tuple[EncoderSpec, ...]:
        """Those that its draws stand on, in their order; none where nothing is trained."""
        if not self.representation.is_trained:
            return ()
        return tuple(self.encoder(draw) for draw in self.draw_numbers)


class _OnTrial(Work):
    """A piece of work on a trial's classifiers."""

    kind: Literal["draw", "assessment", "model"]
    trial: TrialSpec

    @property
    def threads(self) -> int:
        return self.trial.threads

    @property
    def device(self) -> Device:
        return self.trial.device

    @property
    def needs(self) -> tuple[EncoderSpec, ...]:
        return self.trial.encoders

    @property
    def reads(self) -> tuple[Artifact, ...]:
        encoders = tuple(Artifact("encoder", encoder.key) for encoder in self.needs)
        return Artifact("dataset", self.trial.data), *encoders

    @property
    def writes(self) -> tuple[Artifact, ...]:
        return (Artifact(self.kind, self.key),)


class _OnDraw(_OnTrial):
    """A piece of work on the classifiers of one draw."""

    draw: int

    @property
    def needs(self) -> tuple[EncoderSpec, ...]:
        return (self.trial.encoder(self.draw),) * self.trial.representation.is_trained


class DrawSpec(_OnDraw):
    """One outer draw of a trial's configuration: the unit of work.

    Trials that differ in their number of draws alone share them.
    """

    kind: Literal["draw"] = "draw"

    def called(self, varied: str) -> str:
        """As in ``vae 10 → 200, draw 1 of 5``."""
        draws = self.trial.draw_numbers.stop
        return f"{self.trial.label}{varied}, draw {self.draw + 1} of {draws}"

    @cached_property
    def key(self) -> str:
        configuration = self.trial.configuration_key
        return content_key("draw", {"configuration": configuration, "draw": self.draw})


def configuration_label(
    representation: RepresentationSpec, hidden_neurons: int, label_budget: int | None
) -> str:
    """As in ``vae 10 → 200``, with the label budget if there is one."""
    labels = "" if label_budget is None else f", {label_budget:,} labels"
    return f"{representation.label} → {hidden_neurons}{labels}"


CLASSIFIER = "classifier."
"""What the names of a classifier's settings begin with, among what a study varies."""


def variation(varied: Iterable[tuple[str, float | str]]) -> str:
    """As in ``, beta 0.5``: what else is varied, after a configuration's label."""
    shown = ((name, value if isinstance(value, str) else f"{value:.4g}") for name, value in varied)
    return "".join(f", {name} {value}" for name, value in shown)


class AssessmentSpec(_OnTrial):
    """A trial that was selected, to be scored on the test partition, once."""

    kind: Literal["assessment"] = "assessment"

    @cached_property
    def key(self) -> str:
        return content_key("assessment", self.model_dump(mode="json", exclude={"kind"}))

    def called(self, varied: str) -> str:
        """As in ``assessing vae 10 → 200``."""
        return f"assessing {self.trial.label}{varied}"

    @property
    def reads(self) -> tuple[Artifact, ...]:
        """With the results of its draws, which training them again must confirm."""
        draws = (Artifact("draw", draw.key) for draw in self.trial.outer_draws)
        return *super().reads, *draws


class ModelSpec(_OnDraw):
    """One classifier of a trial, to be kept with all that comes before it as one model."""

    kind: Literal["model"] = "model"
    member: int

    @cached_property
    def key(self) -> str:
        return content_key("model", self.model_dump(mode="json", exclude={"kind"}))

    def called(self, varied: str) -> str:
        """As in ``model of vae 10 → 200, draw 1``."""
        return f"model of {self.trial.label}{varied}, draw {self.draw + 1}"

    @property
    def reads(self) -> tuple[Artifact, ...]:
        """With the result of its draw, which training it again must confirm."""
        draw = DrawSpec(trial=self.trial, draw=self.draw)
        return *super().reads, Artifact("draw", draw.key)


Spec = Annotated[EncoderSpec | DrawSpec | AssessmentSpec | ModelSpec, Field(discriminator="kind")]
"""A piece of work. Its JSON carries its kind; its key does not."""
SPEC: TypeAdapter[Spec] = TypeAdapter(Spec)
