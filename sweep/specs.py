"""What goes out to workers: what a trial is, and the pieces of work that it is made of.

A result is a function of its spec: everything that changes a number is in the spec, and so in its
key, and nothing else is (no path, no host, no number of workers).
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, field_validator, model_validator

from sweep.values import Value, content_key, without_nones

Share = Annotated[float, Field(gt=0, lt=1)]
LabelsFrom = Literal["encoder", "classifier"]
DEFAULT_OPTIMIZER = "rmsprop"
Optimizer = Annotated[
    Literal["keras2_rmsprop"] | None,
    BeforeValidator(lambda name: None if name == DEFAULT_OPTIMIZER else name),
]
"""The rule of RMSprop: Keras 3's (``rmsprop``; None here, so that it is in no key), which divides
by sqrt(v + 1e-7), or that of Keras 2 before 2.11, which divides by sqrt(v) + 1e-7.
"""


class FractionsPartition(Value):
    """Four stratified parts by their shares of the images; the shares add up to 1."""

    scheme: Literal["fractions"]
    encoder: Share
    classifier: Share
    validation: Share
    test: Share

    @model_validator(mode="after")
    def _adds_up(self) -> FractionsPartition:
        total = self.encoder + self.classifier + self.validation + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            raise ValueError(
                f"encoder + classifier + validation + test must be 1, and are {total:g}"
            )
        return self


class NotebookPartition(Value):
    """The notebook's 70 / 20 / 10 split, class by class: encoder, classifier and test."""

    scheme: Literal["notebook"]


Partition = Annotated[FractionsPartition | NotebookPartition, Field(discriminator="scheme")]


class RepresentationSpec(Value):
    """A way to feed the classifier, with all that changes its features.

    ``latent_dim`` is None where the representation has none; ``settings`` holds the
    representation's own training settings, as its ``Settings`` dumps them, but for those of None.
    """

    name: str
    latent_dim: int | None = None
    settings: dict[str, bool | int | float | str] = Field(default_factory=dict)

    @field_validator("settings", mode="before")
    @classmethod
    def _without_unset(cls, settings: Any) -> Any:
        return without_nones(settings)

    @property
    def label(self) -> str:
        """As in ``vae 10`` or ``pixels``."""
        return self.name if self.latent_dim is None else f"{self.name} {self.latent_dim}"


class ClassifierTraining(Value):
    """How the classifier is trained: RMSprop on shuffled batches for a number of epochs."""

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    batch_size: Annotated[int, Field(ge=1, le=100_000)]
    learning_rate: Annotated[float, Field(gt=0, le=1e6)]
    optimizer: Optimizer = None


class EncoderSpec(Value):
    """One encoder of one outer draw: everything that changes its weights."""

    kind: Literal["encoder"] = "encoder"
    data: str
    """SHA-256 of the dataset's content."""
    partition: Partition
    seed: int
    draw: int
    representation: RepresentationSpec
    threads: int

    @property
    def label(self) -> str:
        """As in ``encoder vae 10, draw 1``."""
        return f"encoder {self.representation.label}, draw {self.draw + 1}"

    @cached_property
    def key(self) -> str:
        """Content key, 32 hexadecimal digits."""
        return content_key("encoder", self.model_dump(mode="json", exclude={"kind"}))


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
        """Content key without the number of draws; studies that differ in it alone share draws."""
        return content_key("configuration", self.model_dump(mode="json", exclude={"draws"}))

    @property
    def outer_draws(self) -> tuple[DrawSpec, ...]:
        """All its draws: what is trained for it."""
        return tuple(DrawSpec(trial=self, draw=draw) for draw in range(self.draws))

    def encoder(self, draw: int) -> EncoderSpec:
        """The encoder that one draw of this trial stands on."""
        return EncoderSpec(
            data=self.data,
            partition=self.partition,
            seed=self.seed,
            draw=draw,
            representation=self.representation,
            threads=self.threads,
        )


class DrawSpec(Value):
    """One outer draw of a trial's configuration: the unit of work.

    Trials that differ in their number of draws alone share them.
    """

    kind: Literal["draw"] = "draw"
    trial: TrialSpec
    draw: int

    @property
    def threads(self) -> int:
        return self.trial.threads

    @property
    def label(self) -> str:
        """As in ``vae 10 → 200, draw 1 of 5``."""
        return f"{self.trial.label}, draw {self.draw + 1} of {self.trial.draws}"

    @cached_property
    def key(self) -> str:
        """Content key, 32 hexadecimal digits."""
        configuration = self.trial.configuration_key
        return content_key("draw", {"configuration": configuration, "draw": self.draw})


def configuration_label(
    representation: RepresentationSpec, hidden_neurons: int, label_budget: int | None
) -> str:
    """As in ``vae 10 → 200``, with the label budget if there is one."""
    labels = "" if label_budget is None else f", {label_budget:,} labels"
    return f"{representation.label} → {hidden_neurons}{labels}"


class AssessmentSpec(Value):
    """A trial that was selected, to be scored on the test partition, once."""

    kind: Literal["assessment"] = "assessment"
    trial: TrialSpec

    @property
    def threads(self) -> int:
        return self.trial.threads

    @cached_property
    def key(self) -> str:
        """Content key, 32 hexadecimal digits."""
        return content_key("assessment", self.model_dump(mode="json", exclude={"kind"}))

    @property
    def label(self) -> str:
        """As in ``assessing vae 10 → 200``."""
        return f"assessing {self.trial.label}"


class ModelSpec(Value):
    """One classifier of a trial, to be kept with all that comes before it as one model."""

    kind: Literal["model"] = "model"
    trial: TrialSpec
    draw: int
    member: int

    @property
    def threads(self) -> int:
        return self.trial.threads

    @cached_property
    def key(self) -> str:
        """Content key, 32 hexadecimal digits."""
        return content_key("model", self.model_dump(mode="json", exclude={"kind"}))

    @property
    def label(self) -> str:
        """As in ``model of vae 10 → 200, draw 1``."""
        return f"model of {self.trial.label}, draw {self.draw + 1}"


Spec = Annotated[EncoderSpec | DrawSpec | AssessmentSpec | ModelSpec, Field(discriminator="kind")]
"""A piece of work. Its JSON carries its kind; its key does not."""
SPEC: TypeAdapter[Spec] = TypeAdapter(Spec)
