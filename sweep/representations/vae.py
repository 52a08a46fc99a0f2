"""The notebook's convolutional VAE, of which the classifier sees the latent mean.

This module is what the rest of the system sees; the network and its loss are in ``vae_network``,
and what trains them in ``autoencoding``. Those two import TensorFlow.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sweep import seeds
from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.representations.base import Pictures, Representation, image_input
from sweep.representations.checkpoint import Checkpoint
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec, Optimizer, RepresentationSpec
from sweep.values import Report, Value

if TYPE_CHECKING:
    import keras  # imports TensorFlow

MEANS_FILE = "means.npy"
WEIGHTS_FILE = "weights.npz"


class VaeSettings(Value):
    """Training of the VAE; the defaults are the notebook's."""

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 35
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 128
    learning_rate: Annotated[float, Field(gt=0, le=1e6)] = 0.001
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    optimizer: Optimizer = None


class Vae(Representation):
    """The mean of the latent posterior of a variational autoencoder."""

    name = "vae"
    settings = VaeSettings
    largest_latent_dim = 100_000
    is_trained = True

    def dimensions(self, spec: RepresentationSpec) -> int:
        assert spec.latent_dim is not None
        return spec.latent_dim

    def parameters(self, spec: RepresentationSpec) -> int:
        return mean_path_parameters(self.dimensions(spec))

    def automatic(self, setting: str) -> str:
        """float32, until bfloat16 is shown to be as good (``benchmarks.precision``)."""
        assert setting == "precision"
        return "float32"

    def multiply_adds(self, spec: RepresentationSpec) -> int:
        full, half = IMAGE_SIDE**2, (IMAGE_SIDE // 2) ** 2
        convolutions = full * 9 * 32 + half * 9 * (32 * 64 + 2 * 64 * 64)
        return convolutions + half * 64 * 32 + 32 * self.dimensions(spec)

    def training_multiply_adds(self, spec: RepresentationSpec) -> int:
        full, half, latent_dim = IMAGE_SIDE**2, (IMAGE_SIDE // 2) ** 2, self.dimensions(spec)
        decoder = latent_dim * half * 64 + half * 9 * 64 * 32 + full * 9 * 32
        return self.multiply_adds(spec) + 32 * latent_dim + decoder  # both heads are trained

    def train(
        self,
        spec: EncoderSpec,
        images: NDArray[np.uint8],
        part: Indices,
        out: Path,
        checkpoint: Checkpoint,
        report: Report,
    ) -> EncoderHistory:
        from sweep.representations import autoencoding, vae_network
        from sweep.representations.rmsprop import RULES

        settings = VaeSettings.model_validate(spec.representation.settings)
        assert settings.precision != "auto"
        dimensions = self.dimensions(spec.representation)
        seed = partial(seeds.integer, spec.seed, "encoder", spec.key)
        encoder = vae_network.build_encoder(dimensions, seed("encoder"), settings.precision)
        decoder = vae_network.build_decoder(dimensions, seed("decoder"), settings.precision)
        history = autoencoding.train(
            spec,
            autoencoding.Networks(encoder, decoder, vae_network.losses),
            RULES[settings.optimizer](settings.learning_rate),
            settings.epochs,
            settings.batch_size,
            images,
            part,
            checkpoint,
            report,
        )
        weights = {
            f"{network.name}_{place:02}": weight
            for network in (encoder, decoder)
            for place, weight in enumerate(network.get_weights())
        }
        # What the classifier sees is computed in float32, as everyone will who loads the weights.
        exact = vae_network.build_encoder(dimensions, seed("encoder"))
        exact.set_weights(encoder.get_weights())
        np.savez(out / WEIGHTS_FILE, allow_pickle=False, **weights)
        np.save(out / MEANS_FILE, vae_network.encode(exact, images), allow_pickle=False)
        return history

    def features(
        self, images: NDArray[np.uint8], indices: Indices, encoder: Path | None
    ) -> Features:
        assert encoder is not None
        means = np.load(encoder / MEANS_FILE, mmap_mode="r", allow_pickle=False)
        return np.asarray(means[indices], dtype=np.float32)

    def network(self, spec: RepresentationSpec, encoder: Path | None) -> keras.Model:
        import keras

        from sweep.representations import vae_network

        assert encoder is not None
        images, pixels = image_input()
        with np.load(encoder / WEIGHTS_FILE, allow_pickle=False) as weights:
            mean = vae_network.mean_path(dict(weights), self.dimensions(spec))
        shaped = keras.layers.Reshape((IMAGE_SIDE, IMAGE_SIDE, 1))(pixels)
        return keras.Model(images, mean(shaped), name=self.name)

    def decode(self, points: Features, encoder: Path) -> Pictures:
        from sweep.representations import vae_network

        with np.load(encoder / WEIGHTS_FILE, allow_pickle=False) as weights:
            return vae_network.decode(dict(weights), points)


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
