"""Training an encoder together with a decoder, whatever their networks and their loss.

Every random choice is a function of the encoder's key and the epoch or step: batch order and noise
here, initial weights where the networks are built.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sweep import seeds
from sweep.artifacts.checkpoint import Checkpoint, TrainingState
from sweep.data.partition import Indices
from sweep.errors import DivergedError
from sweep.representations.vae_network import floats
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec
from sweep.values import OnProgress

_ACTIVE_VARIANCE = 0.01

Losses = Callable[
    [keras.Model, keras.Model, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]
]
"""From encoder, decoder, a batch of images float32 ``(n, 28, 28, 1)`` and a noise seed to each
image's reconstruction loss and KL ``(n,)`` and its latent point ``(n, d)``."""


class Objective(NamedTuple):
    """What a training makes small."""

    losses: Losses
    kl_weight: float | None
    """What the KL divergence counts beside the reconstruction; None where there is none."""

    def loss(self, reconstruction: Any, kl: Any) -> Any:
        """Of tensors in the training as of sums in its history."""
        if self.kl_weight is None:
            return reconstruction
        return reconstruction + (kl if self.kl_weight == 1 else self.kl_weight * kl)


class Networks(NamedTuple):
    """What is trained, and for what."""

    encoder: keras.Model
    decoder: keras.Model
    objective: Objective


def train(
    spec: EncoderSpec,
    networks: Networks,
    optimizer: keras.optimizers.Optimizer,
    epochs: int,
    batch_size: int,
    images: NDArray[np.uint8],
    part: Indices,
    checkpoint: Checkpoint,
    on_progress: OnProgress,
) -> EncoderHistory:
    """Train an encoder with its decoder, in place, and give the history of it.

    Args:
        spec: which encoder; names the random choices.
        networks: what is trained.
        optimizer: how.
        epochs: passes over ``part``.
        batch_size: images a step.
        images: all images of the dataset, uint8 ``(n, 28, 28)``.
        part: indices of the images to train on.
        checkpoint: keeps the state after every epoch; the training goes on from there.
        on_progress: is told how much is done.

    Raises:
        DivergedError: the loss is no longer finite.
    """
    latent_dim = spec.representation.latent_dim
    assert latent_dim is not None
    step = _training_step(networks, tf.constant(images[part]), optimizer)
    variables = [
        *networks.encoder.variables,
        *networks.decoder.variables,
        *optimizer.variables,
    ]

    rows = _restore(variables, checkpoint)
    batches = _cuts(len(part), batch_size)
    for epoch in range(len(rows), epochs):
        order = seeds.generator(spec.seed, "encoder", spec.key, "order", epoch).permutation(
            len(part)
        )
        noise = seeds.integer(spec.seed, "encoder", spec.key, "noise", epoch)
        sums = np.zeros(2 + 2 * latent_dim)
        for number, cut in enumerate(batches):
            sums += step(tf.constant(order[cut]), tf.constant([noise, number])).numpy()
            if number % 16 == 0:
                on_progress((epoch + number / len(batches)) / epochs)
        if not np.isfinite(sums).all():
            raise DivergedError(
                f"{spec.representation.label} diverged: its loss is not finite "
                f"in epoch {epoch + 1} of {epochs} (draw {spec.draw + 1})"
            )
        rows.append(sums / len(part))
        history = _history(np.array(rows), latent_dim, networks.objective)
        checkpoint.save(_state(variables, rows), history)
    return _history(np.array(rows), latent_dim, networks.objective)


def _training_step(
    networks: Networks,
    images: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
) -> tf.types.experimental.GenericFunction:
    """A compiled step: batch indices and a noise seed in, sums over the batch out.

    The sums: reconstruction loss, KL, and each latent mean's first and second moment.
    """
    encoder, decoder, objective = networks
    if objective.kl_weight is None:  # nothing would train it
        encoder.get_layer("log_variance").trainable = False
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer.build(variables)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def step(indices: tf.Tensor, noise_seed: tf.Tensor) -> tf.Tensor:
        batch = floats(tf.gather(images, indices))
        with tf.GradientTape() as tape:
            reconstruction, kl, mean = objective.losses(encoder, decoder, batch, noise_seed)
            loss = tf.reduce_mean(objective.loss(reconstruction, kl))
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


def _state(variables: list[keras.Variable], rows: list[NDArray[np.float64]]) -> TrainingState:
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


def _history(epochs: NDArray[np.float64], latent_dim: int, objective: Objective) -> EncoderHistory:
    """Per-image means of the epochs' sums, shape ``(epochs, 2 + 2 d)``, as a history.

    Losses are in nats per image. ``active_dimensions`` counts latent dimensions whose mean varies
    over the images with a variance above 0.01 (Burda, Grosse, Salakhutdinov 2016, "Importance
    Weighted Autoencoders", section 5.2), taken over the epoch's batches as they were trained on.
    """
    reconstruction, kl = epochs[:, 0], epochs[:, 1]
    variance = epochs[:, 2 + latent_dim :] - epochs[:, 2 : 2 + latent_dim] ** 2
    of_kl = {} if objective.kl_weight is None else {"kl": tuple(kl.tolist())}
    return {
        "loss": tuple(objective.loss(reconstruction, kl).tolist()),
        "reconstruction_loss": tuple(reconstruction.tolist()),
        **of_kl,
        "active_dimensions": tuple((variance > _ACTIVE_VARIANCE).sum(axis=1).tolist()),
    }


def _cuts(length: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, length, size)]
