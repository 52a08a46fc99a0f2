"""What comes back from workers, and what is kept of it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydantic import ConfigDict, Field

from sweep.specs import EncoderSpec, ModelSpec
from sweep.values import Value


class DataFacts(Value):
    """What a study remembers of its dataset."""

    name: str
    sha256: str
    """Hash of the content."""
    is_mnist: bool
    """Whether it is all of MNIST, for which published results exist."""


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
    again: TrialResult | None = None
    """What the trial came to as it was trained again for this; None where it was compared already
    with what is recorded, and for versions that did not compare it."""

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
    again: Replicate | None = None
    """What the classifier came to as it was trained again for this; None for models of versions
    that did not write it down."""


_COMPUTING = ("tensorflow", "keras", "numpy")
"""The packages that numbers come from."""


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
    variables: dict[str, str] = Field(default_factory=dict)
    """Variables that were set and may change numbers, but for those that workers do not heed."""

    @property
    def numerics(self) -> tuple[object, ...]:
        """What must be equal for results to be equal to the last bit."""
        versions = (self.packages.get(name) for name in _COMPUTING)
        return (self.cpu, self.system, *versions, sorted(self.variables.items()))

    @property
    def said(self) -> str:
        """The same in one line."""
        versions = (f"{name} {self.packages.get(name, '?')}" for name in _COMPUTING)
        variables = (f"{name}={value}" for name, value in sorted(self.variables.items()))
        return ", ".join((self.cpu, self.system, *versions, *variables))


def numeric_kinds(environments: Iterable[Environment]) -> int:
    """How many kinds of machines or versions there are whose results differ in their last bits."""
    return len({repr(each.numerics) for each in environments})


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
    updates: int | None = None
    """How often its training changed the weights; None if that is not in steps, or not written
    down."""
