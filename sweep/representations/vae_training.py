"""The VAE's network and its training, in float32 or in mixed bfloat16.

Every random choice is a function of the encoder's key and the epoch or step: initial weights, batch
order and the noise of the reparameterisation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from sweep import seeds
from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.errors import DivergedError
from sweep.representations.base import Pictures
from sweep.representations.checkpoint import Checkpoint, State
from sweep.representations.one_filter import OneFilter
from sweep.representations.rmsprop import RULES
from sweep.representations.vae import Precision, VaeSettings
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec
from sweep.values import Report

_ACTIVE_VARIANCE = 0.01
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


class Trained(NamedTuple):
    """A trained VAE: its history, its weights by name, and the latent mean of every image."""

    history: EncoderHistory
    weights: dict[str, NDArray[np.float32]]
    means: Features


def train(
    spec: EncoderSpec,
    settings: VaeSettings,
    images: NDArray[np.uint8],
    part: Indices,
    checkpoint: Checkpoint,
    report: Report,
) -> Trained:
    """Train a VAE.

    Args:
        spec: which one; names the random choices.
        settings: those of the spec, read.
        images: all images of the dataset, uint8 ``(n, 28, 28)``.
        part: indices of the images to train on.
        checkpoint: keeps the state after every epoch; the training goes on from there.
        report: is told how much is done.

    Raises:
        DivergedError: the loss is no longer finite.
    """
    latent_dim, epochs, precision = (
        spec.representation.latent_dim,
        settings.epochs,
        settings.precision,
    )
    assert latent_dim is not None
    assert precision != "auto"
    seed = partial(seeds.integer, spec.seed, "encoder", spec.key)
    encoder = build_encoder(latent_dim, seed("encoder"), precision)
    decoder = build_decoder(latent_dim, seed("decoder"), precision)
    optimizer = RULES[settings.optimizer](settings.learning_rate)
    step = _training_step(encoder, decoder, tf.constant(images[part]), optimizer)
    variables = [*encoder.variables, *decoder.variables, *optimizer.variables]

    rows = _restore(variables, checkpoint)
    batches = _cuts(len(part), settings.batch_size)
    for epoch in range(len(rows), epochs):
        order = seeds.generator(spec.seed, "encoder", spec.key, "order", epoch).permutation(
            len(part)
        )
        noise = seed("noise", epoch)
        sums = np.zeros(2 + 2 * latent_dim)
        for number, cut in enumerate(batches):
            sums += step(tf.constant(order[cut]), tf.constant([noise, number])).numpy()
            if number % 16 == 0:
                report((epoch + number / len(batches)) / epochs)
        if not np.isfinite(sums).all():
            raise DivergedError(
                f"the VAE with latent_dim {latent_dim} diverged: its loss is not finite "
                f"in epoch {epoch + 1} of {epochs} (draw {spec.draw + 1})"
            )
        rows.append(sums / len(part))
        checkpoint.save(_state(variables, rows))

    weights = {
        f"{network.name}_{place:02}": weight
        for network in (encoder, decoder)
        for place, weight in enumerate(network.get_weights())
    }
    # What the classifier sees is computed in float32, as everyone will who loads the weights.
    exact = build_encoder(latent_dim, seed("encoder"))
    exact.set_weights(encoder.get_weights())
    return Trained(_history(np.array(rows), latent_dim), weights, encode(exact, images))


def encode(encoder: keras.Model, images: NDArray[np.uint8]) -> Features:
    """Latent means float32 ``(n, d)`` of images uint8 ``(n, 28, 28)``."""
    mean = _to_mean(encoder)
    forward = tf.function(lambda batch: mean(_floats(batch), training=False), autograph=False)
    return np.concatenate(
        [forward(tf.constant(images[cut])) for cut in _cuts(len(images), _ENCODING_BATCH)]
    )


def mean_path(weights: Mapping[str, NDArray[np.float32]], latent_dim: int) -> keras.Model:
    """Images float32 ``(n, 28, 28, 1)`` to latent means ``(n, d)``, by a trained VAE's weights."""
    encoder = build_encoder(latent_dim, seed=0)
    encoder.set_weights([weights[name] for name in sorted(weights) if name.startswith("encoder_")])
    return _to_mean(encoder)


def _to_mean(encoder: keras.Model) -> keras.Model:
    return keras.Model(encoder.inputs, encoder.get_layer("mean").output, name="mean_path")


def decode(weights: Mapping[str, NDArray[np.float32]], points: Features) -> Pictures:
    """Images ``(n, 28, 28)``, 0 to 1, of latent points ``(n, d)``, by a trained VAE's weights."""
    decoder = build_decoder(points.shape[1], seed=0)
    decoder.set_weights([weights[name] for name in sorted(weights) if name.startswith("decoder_")])
    logits = decoder(tf.constant(points), training=False)
    return np.asarray(tf.sigmoid(logits)[..., 0], dtype=np.float32)


def _training_step(
    encoder: keras.Model,
    decoder: keras.Model,
    images: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
) -> tf.types.experimental.GenericFunction:
    """A compiled step: batch indices and a noise seed in, sums over the batch out.

    The sums: reconstruction loss, KL, and each latent mean's first and second moment.
    """
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer.build(variables)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def step(indices: tf.Tensor, noise_seed: tf.Tensor) -> tf.Tensor:
        batch = _floats(tf.gather(images, indices))
        with tf.GradientTape() as tape:
            mean, log_variance = encoder(batch, training=True)
            noise = tf.random.stateless_normal(tf.shape(mean), noise_seed)
            logits = decoder(mean + tf.exp(0.5 * log_variance) * noise, training=True)
            reconstruction = tf.reduce_sum(
                tf.nn.sigmoid_cross_entropy_with_logits(batch, logits), [1, 2, 3]
            )
            kl = -0.5 * tf.reduce_sum(
                1 + log_variance - tf.square(mean) - tf.exp(log_variance), axis=1
            )
            loss = tf.reduce_mean(reconstruction + kl)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return tf.concat(
            [
                [tf.reduce_sum(reconstruction), tf.reduce_sum(kl)],
                tf.reduce_sum(mean, 0),
                tf.reduce_sum(tf.square(mean), 0),
            ],
            axis=0,
        )

    return step


def _state(variables: list[keras.Variable], rows: list[NDArray[np.float64]]) -> State:
    """All that the training needs to go on after the epochs of which ``rows`` tell."""
    values = {f"variable_{n:02}": variable.numpy() for n, variable in enumerate(variables)}
    return {**values, "rows": np.array(rows)}


def _restore(variables: list[keras.Variable], checkpoint: Checkpoint) -> list[NDArray[np.float64]]:
    """Set the variables as the last finished epoch left them; the rows of the finished epochs."""
    state = checkpoint.load()
    if state is None:
        return []
    for n, variable in enumerate(variables):
        variable.assign(state[f"variable_{n:02}"])
    return list(state["rows"])


def _history(epochs: NDArray[np.float64], latent_dim: int) -> EncoderHistory:
    """Per-image means of the epochs' sums, shape ``(epochs, 2 + 2 d)``, as a history.

    Losses are in nats per image. ``active_dimensions`` counts latent dimensions whose mean varies
    over the images with a variance above 0.01 (Burda, Grosse, Salakhutdinov 2016, "Importance
    Weighted Autoencoders", section 5.2), taken over the epoch's batches as they were trained on.
    """
    reconstruction, kl = epochs[:, 0], epochs[:, 1]
    variance = epochs[:, 2 + latent_dim :] - epochs[:, 2 : 2 + latent_dim] ** 2
    return {
        "loss": tuple((reconstruction + kl).tolist()),
        "reconstruction_loss": tuple(reconstruction.tolist()),
        "kl": tuple(kl.tolist()),
        "active_dimensions": tuple((variance > _ACTIVE_VARIANCE).sum(axis=1).tolist()),
    }


def _floats(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32)[..., tf.newaxis] / 255.0


def _cuts(length: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, length, size)]


def _initializers(seed: int) -> Iterator[keras.initializers.Initializer]:
    """An endless supply of Glorot-uniform initializers, each with a seed of its own."""
    generator = np.random.default_rng(seed)
    while True:
        yield keras.initializers.GlorotUniform(int(generator.integers(2**31)))
