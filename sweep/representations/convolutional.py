"""What convolutional encoders share that are trained together with a decoder.

The network is the notebook's; a representation that stands on it says by which loss it is trained.
The network and the losses are in ``vae_network``, what trains them in ``autoencoding``: those two
import TensorFlow.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sweep import seeds
from sweep.artifacts import Checkpoint
from sweep.configuration import DEFAULT_OPTIMIZER, Optimizer, RepresentationSpec
from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.errors import DivergedError
from sweep.representations.base import Pictures, TrainedRepresentation, image_input
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec
from sweep.values import OnProgress, Value

if TYPE_CHECKING:
    import keras  # imports TensorFlow

    from sweep.representations.autoencoding import Objective

MEANS_FILE = "means.npy"
WEIGHTS_FILE = "weights.npz"


class ConvolutionalSettings(Value):
    """Training of an encoder with its decoder; the defaults are the notebook's."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 35
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 128
    learning_rate: Annotated[float, Field(gt=0, le=1e6)] = 0.001
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    optimizer: Optimizer = None


class ConvolutionalRepresentation(TrainedRepresentation):
    """What a convolutional encoder makes of an image: the outputs of its layer ``mean``."""

    Settings: ClassVar[type[ConvolutionalSettings]] = ConvolutionalSettings
    unset: ClassVar[Mapping[str, float | str]] = {"optimizer": DEFAULT_OPTIMIZER}
    largest_latent_dim = 100_000
    automatic: ClassVar = {"precision": "float32"}
    """Until bfloat16 is shown to be as good (``benchmarks.precision``)."""

    def __init__(self, spec: RepresentationSpec) -> None:
        super().__init__(spec)
        self.settings = self.Settings.model_validate(spec.settings)

    @abstractmethod
    def objective(self) -> Objective:
        """What the training makes small."""

    @property
    def parameters(self) -> int:
        return mean_path_parameters(self.dimensions)

    @property
    def multiply_adds(self) -> int:
        full, half = IMAGE_SIDE**2, (IMAGE_SIDE // 2) ** 2
        convolutions = full * 9 * 32 + half * 9 * (32 * 64 + 2 * 64 * 64)
        return convolutions + half * 64 * 32 + 32 * self.dimensions

    def training_multiply_adds(self, images: int) -> int:
        full, half = IMAGE_SIDE**2, (IMAGE_SIDE // 2) ** 2
        decoder = self.dimensions * half * 64 + half * 9 * 64 * 32 + full * 9 * 32
        both_heads = self.multiply_adds + 32 * self.dimensions
        return self.settings.epochs * images * (both_heads + decoder)

    def updates(self, images: int) -> int:
        return self.settings.epochs * math.ceil(images / self.settings.batch_size)

    def train(
        self,
        spec: EncoderSpec,
        images: NDArray[np.uint8],
        part: Indices,
        out: Path,
        checkpoint: Checkpoint,
        on_progress: OnProgress,
    ) -> EncoderHistory:
        from sweep.representations import autoencoding, vae_network
        from sweep.representations.rmsprop import RULES

        settings = self.settings
        assert settings.precision != "auto"
        seed = partial(seeds.integer, spec.seed, "encoder", spec.key)
        encoder = vae_network.build_encoder(self.dimensions, seed("encoder"), settings.precision)
        decoder = vae_network.build_decoder(self.dimensions, seed("decoder"), settings.precision)
        history = autoencoding.train(
            spec,
            autoencoding.Networks(encoder, decoder, self.objective()),
            RULES[settings.optimizer](settings.learning_rate),
            settings.epochs,
            settings.batch_size,
            images,
            part,
            checkpoint,
            on_progress,
        )
        weights = {
            f"{network.name}_{place:02}": weight
            for network in (encoder, decoder)
            for place, weight in enumerate(network.get_weights())
        }
        # What the classifier sees is computed in float32, as everyone will who loads the weights.
        exact = vae_network.build_encoder(self.dimensions, seed("encoder"))
        exact.set_weights(encoder.get_weights())
        np.savez(out / WEIGHTS_FILE, allow_pickle=False, **weights)
        means = vae_network.encode(exact, images)
        if not np.isfinite(means).all():  # the last update may be the one too many
            raise DivergedError(
                f"{spec.representation.label} diverged: its last update left the finite numbers "
                f"(draw {spec.draw + 1})"
            )
        np.save(out / MEANS_FILE, means, allow_pickle=False)
        return history

    def encoder(self, directory: Path) -> LatentMeans:
        return LatentMeans(directory)


class LatentMeans:
    """A trained encoder; see :class:`sweep.representations.base.Encoder`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def features(self, images: NDArray[np.uint8], indices: Indices) -> Features:
        means = np.load(self._directory / MEANS_FILE, mmap_mode="r", allow_pickle=False)
        return np.asarray(means[indices], dtype=np.float32)

    def network(self) -> keras.Model:
        import keras

        from sweep.representations import vae_network

        images, pixels = image_input()
        shaped = keras.layers.Reshape((IMAGE_SIDE, IMAGE_SIDE, 1))(pixels)
        mean = vae_network.mean_path(self._weights())
        return keras.Model(images, mean(shaped), name="encoder")

    def decode(self, points: Features) -> Pictures:
        from sweep.representations import vae_network

        return vae_network.decode(self._weights(), points)

    def sample(self, noise: Features) -> Pictures:
        return self.decode(noise)

    def _weights(self) -> dict[str, NDArray[np.float32]]:
        with np.load(self._directory / WEIGHTS_FILE, allow_pickle=False) as weights:
            return dict(weights)


def mean_path_parameters(latent_dim: int) -> int:
    """Parameters from the image to the latent mean: 494,442 at 10 dimensions."""
    half = IMAGE_SIDE // 2
    return (
        _convolution(1, 32)
        + _convolution(32, 64)
        + 2 * _convolution(64, 64)
        + _dense(half * half * 64, 32)
        + _dense(32, latent_dim)
    )


def encoder_parameters(latent_dim: int) -> int:
    """Parameters of the encoder with both its heads: 494,772 at 10 dimensions."""
    return mean_path_parameters(latent_dim) + _dense(32, latent_dim)


def decoder_parameters(latent_dim: int) -> int:
    """Parameters of the decoder: 156,737 at 10 dimensions."""
    half = IMAGE_SIDE // 2
    return _dense(latent_dim, half * half * 64) + _convolution(64, 32) + _convolution(32, 1)


def _convolution(inputs: int, filters: int) -> int:
    """A 3 x 3 convolution, transposed or not, with bias."""
    return 9 * inputs * filters + filters


def _dense(inputs: int, units: int) -> int:
    return inputs * units + units
