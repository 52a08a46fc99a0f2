"""What every representation offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.representations.checkpoint import Checkpoint
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec, RepresentationSpec
from sweep.values import Report, Value

if TYPE_CHECKING:
    import keras  # imports TensorFlow

Pictures = NDArray[np.float32]
"""Grey images ``(n, 28, 28)``, 0 (black) to 1."""


class NoSettings(Value):
    """Nothing to set."""


class Representation(ABC):
    """A way to turn images into the classifier's inputs.

    One that needs an encoder, trained without labels on the encoder partition, sets ``is_trained``
    and implements the methods that follow ``features``, too.
    """

    name: ClassVar[str]
    """Its name in configs, tables and plots."""
    settings: ClassVar[type[Value]] = NoSettings
    """Its training settings: what a study config may set beside the common keys."""
    largest_latent_dim: ClassVar[int | None] = None
    """The largest ``latent_dim`` it can have; None if it has no such dimension."""
    is_trained: ClassVar[bool] = False

    @abstractmethod
    def dimensions(self, spec: RepresentationSpec) -> int:
        """Number of features of an image."""

    @abstractmethod
    def parameters(self, spec: RepresentationSpec) -> int:
        """Number of parameters needed to compute an image's features, in closed form."""

    @abstractmethod
    def multiply_adds(self, spec: RepresentationSpec) -> int:
        """Multiply-adds of computing an image's features, in closed form."""

    @abstractmethod
    def features(
        self, images: NDArray[np.uint8], indices: Indices, encoder: Path | None
    ) -> Features:
        """Features float32 ``(len(indices), dimensions)`` of some images.

        Args:
            images: all images of the dataset, uint8 ``(n, 28, 28)``.
            indices: which images.
            encoder: the directory that ``train`` filled; None where nothing is trained.
        """

    @abstractmethod
    def network(self, spec: RepresentationSpec, encoder: Path | None) -> keras.Model:
        """What ``features`` computes, as a Keras model.

        It takes images uint8 ``(n, 28, 28)``, and gives features float32 ``(n, dimensions)`` that
        agree with those of ``features`` up to rounding.

        Args:
            spec: the representation.
            encoder: the directory that ``train`` filled; None where nothing is trained.
        """

    def automatic(self, setting: str) -> bool | int | float | str:
        """The value of a setting that a config leaves to us, by the word ``auto``."""
        raise NotImplementedError(f"{self.name} has no automatic {setting}")

    def training_multiply_adds(self, spec: RepresentationSpec) -> int:
        """Multiply-adds of all that is trained, for one image forward; a rough measure of cost."""
        raise NotImplementedError(f"{self.name} is not trained")

    def train(
        self,
        spec: EncoderSpec,
        images: NDArray[np.uint8],
        part: Indices,
        out: Path,
        checkpoint: Checkpoint,
        report: Report,
    ) -> EncoderHistory:
        """Train an encoder and write it, with all that ``features`` needs, into ``out``.

        Args:
            spec: what to train.
            images: all images of the dataset, uint8 ``(n, 28, 28)``.
            part: indices of the images to train on.
            out: an empty directory.
            checkpoint: where a long training keeps its state; what is trained must not depend on
                whether it went on from there.
            report: is told how much is done.

        Raises:
            DivergedError: the loss is no longer finite.
        """
        raise NotImplementedError(f"{self.name} is not trained")

    def decode(self, points: Features, encoder: Path) -> Pictures:
        """The images that features stand for."""
        raise NotImplementedError(f"{self.name} is not trained")

    def sample(self, noise: Features, encoder: Path) -> Pictures:
        """New images from standard normal noise float32 ``(n, dimensions)``."""
        return self.decode(noise, encoder)


def as_floats(images: NDArray[np.uint8]) -> Features:
    """Images as rows of 784 pixels from 0 to 1, float32."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def image_input() -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """How a network begins: images uint8 ``(n, 28, 28)``, and their pixels from 0 to 1, float32."""
    import keras

    images = keras.Input((IMAGE_SIDE, IMAGE_SIDE), dtype="uint8", name="images")
    return images, keras.layers.Rescaling(1 / 255)(images)
