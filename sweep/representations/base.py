"""What every representation offers: the two kinds there are, and what both give a classifier."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from sweep.artifacts import Checkpoint
from sweep.configuration import RepresentationSpec
from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec
from sweep.values import OnProgress, Value

if TYPE_CHECKING:
    import keras  # imports TensorFlow

_FEW_UPDATES = 500
Pictures = NDArray[np.float32]
"""Grey images ``(n, 28, 28)``, 0 (black) to 1."""


class NoSettings(Value):
    """Nothing to set."""


class Extractor(Protocol):
    """What turns images into the classifier's inputs."""

    def features(self, images: NDArray[np.uint8], indices: Indices) -> Features:
        """Features float32 ``(len(indices), dimensions)`` of some images.

        Args:
            images: all images of the dataset, uint8 ``(n, 28, 28)``.
            indices: which images.
        """

    def network(self) -> keras.Model:
        """What ``features`` computes, as a Keras model.

        It takes images uint8 ``(n, 28, 28)``, and gives features float32 ``(n, dimensions)`` that
        agree with those of ``features`` up to rounding.
        """


class Encoder(Extractor, Protocol):
    """A trained encoder."""

    def decode(self, points: Features) -> Pictures:
        """The images that features stand for."""

    def sample(self, noise: Features) -> Pictures:
        """New images from standard normal noise float32 ``(n, dimensions)``."""


class Representation(ABC):
    """A way to feed the classifier, bound to its latent dimension and its settings."""

    name: ClassVar[str]
    """Its name in configs, tables and plots."""
    Settings: ClassVar[type[Value]] = NoSettings
    """Its training settings: what a study config may set beside the common keys."""

    unset: ClassVar[Mapping[str, float | str]] = {}
    """What a setting stands for that is None, and so in no key."""

    def __init__(self, spec: RepresentationSpec) -> None:
        self.spec = spec

    @property
    @abstractmethod
    def dimensions(self) -> int:
        """Number of features of an image."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Number of parameters needed to compute an image's features, in closed form."""

    @property
    @abstractmethod
    def multiply_adds(self) -> int:
        """Multiply-adds of computing an image's features, in closed form."""


def undertrained(representation: str, updates: int | None) -> str | None:
    """That an encoder has too few updates to have learnt anything; None where it has enough.

    Args:
        representation: its name.
        updates: of its weights in training; None if it is not trained in steps, or not known.
    """
    if updates is None or updates >= _FEW_UPDATES:
        return None
    return (
        f"{representation}: {updates} updates are too few for an encoder to have learnt anything; "
        f"more epochs or a smaller batch_size would give it {_FEW_UPDATES} or more"
    )


class FixedRepresentation(Representation, Extractor):
    """One that is the same function of an image everywhere."""


class TrainedRepresentation(Representation):
    """One that stands on an encoder, trained without labels on a draw's encoder partition."""

    largest_latent_dim: ClassVar[int]
    needs_an_image_a_dimension: ClassVar[bool] = False
    """Whether there are at most as many latent dimensions as images to train on."""
    automatic: ClassVar[Mapping[str, str]] = {}
    """What settings are when a config leaves them to us, by the word ``auto``."""

    @property
    def dimensions(self) -> int:
        assert self.spec.latent_dim is not None
        return self.spec.latent_dim

    @abstractmethod
    def training_multiply_adds(self, images: int) -> int:
        """Multiply-adds of a training's forward passes over so many images; a rough measure."""

    def updates(self, images: int) -> int | None:
        """How often a training on so many images changes the weights; None if not in steps."""
        return None

    @abstractmethod
    def train(
        self,
        spec: EncoderSpec,
        images: NDArray[np.uint8],
        part: Indices,
        out: Path,
        checkpoint: Checkpoint,
        on_progress: OnProgress,
    ) -> EncoderHistory:
        """Train an encoder and write all that ``encoder`` needs into ``out``.

        Args:
            spec: what to train.
            images: all images of the dataset, uint8 ``(n, 28, 28)``.
            part: indices of the images to train on.
            out: an empty directory.
            checkpoint: where a long training keeps its state; what is trained must not depend on
                whether it went on from there.
            on_progress: is told how much is done.

        Raises:
            DivergedError: the loss is no longer finite.
        """

    @abstractmethod
    def encoder(self, directory: Path) -> Encoder:
        """The encoder that ``train`` wrote into a directory."""


def as_floats(images: NDArray[np.uint8]) -> Features:
    """Images as rows of 784 pixels from 0 to 1, float32."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def image_input() -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """How a network begins: images uint8 ``(n, 28, 28)``, and their pixels from 0 to 1, float32."""
    import keras

    images = keras.Input((IMAGE_SIDE, IMAGE_SIDE), dtype="uint8", name="images")
    return images, keras.layers.Rescaling(1 / 255)(images)
