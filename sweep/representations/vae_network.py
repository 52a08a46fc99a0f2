"""The VAE's network and its loss, in float32 or in mixed bfloat16."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from sweep.data.images import IMAGE_SIDE, Features
from sweep.representations.base import Pictures
from sweep.representations.one_filter import OneFilter

Precision = Literal["float32", "bfloat16"]
"""Of the arithmetic in training: bfloat16 is mixed, with weights, losses and updates in float32."""

_ENCODING_BATCH = 1000
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def build_encoder(latent_dim: int, seed: int, precision: Precision = "float32") -> keras.Model:
    """Images float32 ``(n, 28, 28, 1)`` in [0, 1] to latent mean and log-variance ``(n, d)``.

    Its weights and outputs are float32, whatever the precision of the layers between.
    """
    inner = _POLICIES[precision]
    glorot = _initializers(seed)
    image = keras.Input((IMAGE_SIDE, IMAGE_SIDE, 1))
    x = image
    for filters, strides in ((32, 1), (64, 2), (64, 1), (64, 1)):
        x = layers.Conv2D(
            filters,
            3,
            strides=strides,
            padding="same",
            activation="relu",
            kernel_initializer=next(glorot),
            dtype=inner,
        )(x)
    x = layers.Flatten(dtype=inner)(x)
    x = layers.Dense(32, activation="relu", kernel_initializer=next(glorot), dtype=inner)(x)
    mean = layers.Dense(latent_dim, name="mean", kernel_initializer=next(glorot))(x)
    log_variance = layers.Dense(latent_dim, name="log_variance", kernel_initializer=next(glorot))(x)
    return keras.Model(image, [mean, log_variance], name="encoder")


def build_decoder(latent_dim: int, seed: int, precision: Precision = "float32") -> keras.Model:
    """Latent points float32 ``(n, d)`` to the **logits** of pixels ``(n, 28, 28, 1)``.

    The notebook's sigmoid is part of the loss, where it is numerically stable. Weights and outputs
    are float32, whatever the precision of the layers between.
    """
    inner = _POLICIES[precision]
    glorot = _initializers(seed)
    half = IMAGE_SIDE // 2
    point = keras.Input((latent_dim,))
    x = layers.Dense(
        half * half * 64, activation="relu", kernel_initializer=next(glorot), dtype=inner
    )(point)
    x = layers.Reshape((half, half, 64), dtype=inner)(x)
    x = layers.Conv2DTranspose(
        32,
        3,
        strides=2,
        padding="same",
        activation="relu",
        kernel_initializer=next(glorot),
        dtype=inner,
    )(x)
    x = OneFilter(kernel_initializer=next(glorot), dtype=inner)(x)
    x = layers.Activation("linear", dtype="float32")(x)
    return keras.Model(point, x, name="decoder")


def losses(
    encoder: keras.Model, decoder: keras.Model, batch: tf.Tensor, noise_seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reconstruction and KL of each image of a batch ``(n,)``, in nats, and its mean ``(n, d)``.

    The reconstruction is the sum of the pixels' binary cross-entropies at one point that is drawn
    from the posterior (Kingma and Welling 2014, "Auto-Encoding Variational Bayes", equation 10).

    Args:
        encoder: see :func:`build_encoder`.
        decoder: see :func:`build_decoder`.
        batch: images float32 ``(n, 28, 28, 1)`` in [0, 1].
        noise_seed: two integers, of the point that is drawn.
    """
    mean, log_variance = encoder(batch, training=True)
    noise = tf.random.stateless_normal(tf.shape(mean), noise_seed)
    logits = decoder(mean + tf.exp(0.5 * log_variance) * noise, training=True)
    errors = _reconstruction(batch, logits)
    kl = -0.5 * tf.reduce_sum(1 + log_variance - tf.square(mean) - tf.exp(log_variance), axis=1)
    return errors, kl, mean


def reconstruction(
    encoder: keras.Model, decoder: keras.Model, batch: tf.Tensor, _noise_seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """As :func:`losses`, at the mean itself: nothing is drawn, and the KL is 0.

    The head of the log-variance has no part in it.
    """
    mean, _ = encoder(batch, training=True)
    errors = _reconstruction(batch, decoder(mean, training=True))
    return errors, tf.zeros_like(errors), mean


def _reconstruction(batch: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Sums of the pixels' binary cross-entropies, in nats ``(n,)``."""
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(batch, logits), [1, 2, 3])


def encode(encoder: keras.Model, images: NDArray[np.uint8]) -> Features:
    """Latent means float32 ``(n, d)`` of images uint8 ``(n, 28, 28)``."""
    mean = _to_mean(encoder)
    forward = tf.function(lambda batch: mean(floats(batch), training=False), autograph=False)
    return np.concatenate(
        [
            forward(tf.constant(images[start : start + _ENCODING_BATCH]))
            for start in range(0, len(images), _ENCODING_BATCH)
        ]
    )


def mean_path(weights: Mapping[str, NDArray[np.float32]]) -> keras.Model:
    """Images float32 ``(n, 28, 28, 1)`` to latent means ``(n, d)``, by a trained VAE's weights."""
    values = [weights[name] for name in sorted(weights) if name.startswith("encoder_")]
    encoder = build_encoder(len(values[-1]), seed=0)  # the last is a bias of the latent
    encoder.set_weights(values)
    return _to_mean(encoder)


def _to_mean(encoder: keras.Model) -> keras.Model:
    return keras.Model(encoder.inputs, encoder.get_layer("mean").output, name="mean_path")


def decode(weights: Mapping[str, NDArray[np.float32]], points: Features) -> Pictures:
    """Images ``(n, 28, 28)``, 0 to 1, of latent points ``(n, d)``, by a trained VAE's weights."""
    decoder = build_decoder(points.shape[1], seed=0)
    decoder.set_weights([weights[name] for name in sorted(weights) if name.startswith("decoder_")])
    logits = decoder(tf.constant(points), training=False)
    return np.asarray(tf.sigmoid(logits)[..., 0], dtype=np.float32)


def floats(images: tf.Tensor) -> tf.Tensor:
    """Images uint8 ``(n, 28, 28)`` as a network takes them: float32 ``(n, 28, 28, 1)``, 0 to 1."""
    return tf.cast(images, tf.float32)[..., tf.newaxis] / 255.0


def _initializers(seed: int) -> Iterator[keras.initializers.Initializer]:
    """An endless supply of Glorot-uniform initializers, each with a seed of its own."""
    generator = np.random.default_rng(seed)
    while True:
        yield keras.initializers.GlorotUniform(int(generator.integers(2**31)))
