"""The values that cross borders: what a trial is, and what came of it.

A :class:`TrialSpec` goes out to a worker and a :class:`TrialResult` comes back. Both are frozen and
both are JSON. A result is a function of its spec: everything that changes a number is in the spec,
and so in its key, and nothing else is (no path, no host, no number of workers).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    field_validator,
    model_validator,
)

# Raise it when the meaning of a spec changes, so that what was stored under old keys is not reused.
_KEY_FORMAT = 1
KEY_LENGTH = 32
"""Hexadecimal digits of a content key."""

Report = Callable[[float], None]
"""Takes the fraction of a task that is done, 0 to 1."""
Share = Annotated[float, Field(gt=0, lt=1)]
PartName = Literal["encoder", "classifier", "validation", "test"]
LabelsFrom = Literal["encoder", "classifier"]
DEFAULT_OPTIMIZER = "rmsprop"
Optimizer = Annotated[
    Literal["keras2_rmsprop"] | None,
    BeforeValidator(lambda name: None if name == DEFAULT_OPTIMIZER else name),
]
"""The rule of RMSprop: Keras 3's (``rmsprop``; None here, so that it is in no key), which divides
by sqrt(v + 1e-7), or that of Keras 2 before 2.11, which divides by sqrt(v) + 1e-7.
"""


class Value(BaseModel):
    """A frozen value that refuses unknown fields and loose types, and round-trips through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, of which what is derived is derived anew: a changed spec has a key of its own."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


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
    settings: dict[str, bool | int | float | str] = {}

    @field_validator("settings", mode="before")
    @classmethod
    def _without_unset(cls, settings: Any) -> Any:
        return _without_nones(settings)

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


class DataFacts(Value):
    """What a study remembers of its dataset."""

    name: str
    sha256: str
    """Hash of the content."""
    is_mnist: bool
    """Whether it is all of MNIST, for which published results exist."""


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
        return _content_key("encoder", self.model_dump(mode="json", exclude={"kind"}))


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
        return _content_key("trial", self.model_dump(mode="json"))

    @cached_property
    def configuration_key(self) -> str:
        """Content key without the number of draws; studies that differ in it alone share draws."""
        return _content_key("configuration", self.model_dump(mode="json", exclude={"draws"}))

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


def configuration_label(
    representation: RepresentationSpec, hidden_neurons: int, label_budget: int | None
) -> str:
    """As in ``vae 10 → 200``, with the label budget if there is one."""
    labels = "" if label_budget is None else f", {label_budget:,} labels"
    return f"{representation.label} → {hidden_neurons}{labels}"


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
        return _content_key("draw", {"configuration": configuration, "draw": self.draw})


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
        return _content_key("assessment", self.model_dump(mode="json", exclude={"kind"}))

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
        return _content_key("model", self.model_dump(mode="json", exclude={"kind"}))

    @property
    def label(self) -> str:
        """As in ``model of vae 10 → 200, draw 1``."""
        return f"model of {self.trial.label}, draw {self.draw + 1}"


Spec = Annotated[EncoderSpec | DrawSpec | AssessmentSpec | ModelSpec, Field(discriminator="kind")]
"""A piece of work. Its JSON carries its kind; its key does not."""
SPEC: TypeAdapter[Spec] = TypeAdapter(Spec)


class Curves(Value):
    """One value per epoch: losses in nats per image, accuracies as fractions.

    ``train_*`` are running means over an epoch's batches, as Keras reports them; ``val_*`` are
    taken on the scored partition after the epoch.
    """

    train_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    val_loss: tuple[float, ...]
    val_accuracy: tuple[float, ...]


class DrawResult(Value):
    """What one outer draw gave: a set of curves for each member, in the members' order."""

    key: str
    draw: int
    labels: int
    """Number of labelled images that each classifier was trained on."""
    members: tuple[Curves, ...]
    seconds: float
    """Wall seconds of the draw, compilation included and the encoder excluded."""


class Replicate(Value):
    """One trained classifier: accuracy after the last epoch, and at its best epoch."""

    draw: int
    member: int
    accuracy: float
    accuracy_best_epoch: float


class TrialResult(Value):
    """What a trial gave; complete, so that everything shown later derives from it."""

    key: str
    labels: int
    classifier_parameters: int
    representation_parameters: int
    replicates: tuple[Replicate, ...]
    curves: Curves
    """Means over the replicates."""
    encoders: tuple[str, ...]
    """Keys of the encoders, one a draw; empty where nothing is trained."""
    train_seconds: float
    started_at: int
    finished_at: int
    """Milliseconds since the epoch; fixed here, so that logging them again changes nothing."""

    @property
    def accuracy(self) -> float:
        """Mean accuracy over the replicates, after the last epoch."""
        return math.fsum(r.accuracy for r in self.replicates) / len(self.replicates)

    @property
    def inference_parameters(self) -> int:
        """Parameters needed to classify an image: the representation's and the classifier's."""
        return self.representation_parameters + self.classifier_parameters


class Assessment(Value):
    """What the test partition says of a trial's classifiers, each after its last epoch."""

    key: str
    accuracies: tuple[tuple[float, ...], ...]
    """Fractions, by draw and member."""
    confusion: tuple[tuple[int, ...], ...]
    """Numbers of test images by true class (outer) and predicted class, all classifiers added."""
    milliseconds: float
    """Median wall milliseconds for 1,000 images, from pixels to probabilities, on the threads of a
    worker and beside whatever else ran."""

    @property
    def accuracy(self) -> float:
        """Mean over draws and members."""
        values = [value for draw in self.accuracies for value in draw]
        return math.fsum(values) / len(values)


class ModelRecord(Value):
    """A model that is kept in the home."""

    spec: ModelSpec
    accuracy: float
    """Fraction of the partition that its trial is scored on, as the model itself classifies it."""
    sha256: str
    """Of the model's file."""


class Environment(Value):
    """What numbers may depend on that no config says.

    Another version may have written more down, or less: both are read.
    """

    model_config = ConfigDict(extra="ignore")

    cpu: str = "unknown"
    cores: int = 0
    bf16_units: tuple[str, ...] = ()
    system: str = "unknown"
    python: str = "unknown"
    packages: dict[str, str] = Field(default_factory=dict)
    """Versions by name."""
    git_revision: str | None = None
    """The commit of the code, with "+" if it was changed since; null outside of a clone."""


EncoderHistory = dict[str, tuple[float, ...]]
"""An encoder's training: curves by name, one value per epoch; which ones, its representation says.
"""


class EncoderRecord(Value):
    """What the store knows of a trained encoder."""

    spec: EncoderSpec
    history: EncoderHistory
    parameters: int
    """Parameters needed to encode an image (the mean path)."""
    train_seconds: float
    started_at: int
    finished_at: int
    """Milliseconds since the epoch."""
    environment: Environment | None = None
    """Where it was trained; None for encoders of versions that did not write it down."""


def _content_key(kind: str, content: dict[str, Any]) -> str:
    """A hash of the content that does not see fields without a value.

    A field added later, None by default, thus leaves the keys of old specs as they are.
    """
    canonical = json.dumps(
        [_KEY_FORMAT, kind, _without_nones(content)], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode()).hexdigest()[:KEY_LENGTH]


def _without_nones(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_nones(value) for key, value in content.items() if value is not None}
    return content
