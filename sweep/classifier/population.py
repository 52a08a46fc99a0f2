"""Classifiers of one draw, trained together as a population.

Members see the same features in the same order and differ in their initial weights alone. All of an
epoch is one compiled program over data held as tensors; each member is the network that Keras would
train: Glorot-uniform kernels, zero biases, RMSprop, the last partial batch included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sweep.data.images import CLASSES, Features
from sweep.errors import DivergedError
from sweep.trial import ClassifierTraining, Curves, Report

# Keras's defaults for RMSprop; Keras 3 adds epsilon inside the square root.
_RHO = 0.9
_EPSILON = 1e-7


class Labelled(NamedTuple):
    """Features float32 ``(n, inputs)`` with their classes uint8 ``(n,)``."""

    features: Features
    labels: NDArray[np.uint8]


class Weights(NamedTuple):
    """Weights of ``m`` members, float32; NumPy arrays or tensors."""

    hidden_kernel: NDArray[np.float32]
    """``(inputs, m, hidden)``: side by side, so that one matrix product serves all members."""
    hidden_bias: NDArray[np.float32]
    """``(m, hidden)``."""
    output_kernel: NDArray[np.float32]
    """``(m, hidden, 10)``."""
    output_bias: NDArray[np.float32]
    """``(m, 10)``."""


def initial_weights(
    inputs: int, hidden_neurons: int, members: Sequence[np.random.Generator]
) -> Weights:
    """Glorot-uniform kernels and zero biases, each member from a generator of its own.

    Kernels are uniform in +- sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 16),
    with the fans of a single member.
    """

    def glorot(generator: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
        limit = np.sqrt(6 / (rows + columns))
        return generator.uniform(-limit, limit, (rows, columns)).astype(np.float32)

    kernels = [
        (glorot(g, inputs, hidden_neurons), glorot(g, hidden_neurons, CLASSES)) for g in members
    ]
    return Weights(
        hidden_kernel=np.stack([hidden for hidden, _ in kernels], axis=1),
        hidden_bias=np.zeros((len(members), hidden_neurons), np.float32),
        output_kernel=np.stack([output for _, output in kernels]),
        output_bias=np.zeros((len(members), CLASSES), np.float32),
    )


def train(
    weights: Weights,
    training: ClassifierTraining,
    train_on: Labelled,
    score_on: Labelled,
    orders: Sequence[NDArray[np.int64]],
    report: Report,
) -> tuple[tuple[Curves, ...], Weights]:
    """Train a population.

    Args:
        weights: the members' initial weights.
        training: epochs, batch size, learning rate.
        train_on: what to learn from.
        score_on: what to score on after every epoch.
        orders: for each epoch, a permutation of the training rows.
        report: is told how much is done.

    Returns:
        The curves of each member, and the weights after the last epoch.

    Raises:
        DivergedError: a member's loss is no longer finite.
    """
    state = tuple(tf.constant(w) for w in weights)
    velocities = tuple(tf.zeros_like(w) for w in state)
    rate = tf.constant(training.learning_rate, tf.float32)
    data = (tf.constant(train_on.features), tf.constant(train_on.labels, tf.int32))
    held_out = (tf.constant(score_on.features), tf.constant(score_on.labels, tf.int32))
    size = min(training.batch_size, len(train_on.labels))
    whole = len(train_on.labels) // size * size

    epochs: list[NDArray[np.float64]] = []
    for epoch, order in enumerate(orders):
        batches = tf.constant(order[:whole].reshape(-1, size), tf.int32)
        rest = tf.constant(order[whole:], tf.int32)
        state, velocities, sums = _epoch(state, velocities, rate, *data, batches, rest)
        scored = _score(state, *held_out)
        row = np.concatenate(
            [
                np.asarray(sums, np.float64) / len(train_on.labels),
                np.asarray(scored, np.float64) / len(score_on.labels),
            ]
        )
        for member in range(row.shape[1]):
            if not np.isfinite(row[:, member]).all():
                raise DivergedError(
                    f"the classifier diverged: its loss is not finite in epoch {epoch + 1} "
                    f"of {training.epochs} (member {member + 1})"
                )
        epochs.append(row)
        report((epoch + 1) / training.epochs)

    history = np.array(epochs)
    curves = tuple(
        Curves(
            train_loss=tuple(history[:, 0, member].tolist()),
            train_accuracy=tuple(history[:, 1, member].tolist()),
            val_loss=tuple(history[:, 2, member].tolist()),
            val_accuracy=tuple(history[:, 3, member].tolist()),
        )
        for member in range(history.shape[2])
    )
    return curves, Weights(*(np.asarray(w) for w in state))


def _logits(state: tuple[tf.Tensor, ...], features: tf.Tensor) -> tf.Tensor:
    """Logits ``(m, batch, 10)``."""
    hidden_kernel, hidden_bias, output_kernel, output_bias = state
    inputs, members, neurons = hidden_kernel.shape
    hidden = tf.matmul(features, tf.reshape(hidden_kernel, (inputs, members * neurons)))
    hidden = tf.nn.relu(tf.reshape(hidden, (-1, members, neurons)) + hidden_bias)
    return tf.matmul(tf.transpose(hidden, (1, 0, 2)), output_kernel) + output_bias[:, tf.newaxis]


def _loss_and_hits(
    state: tuple[tf.Tensor, ...], features: tf.Tensor, labels: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Each member's summed cross-entropy and number of right answers on a batch, ``(m,)`` both."""
    logits = _logits(state, features)
    labels = tf.broadcast_to(labels, logits.shape[:2])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    hits = tf.equal(tf.argmax(logits, axis=2, output_type=tf.int32), labels)
    return tf.reduce_sum(losses, axis=1), tf.reduce_sum(tf.cast(hits, tf.float32), axis=1)


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def _score(state: tuple[tf.Tensor, ...], features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return tf.stack(_loss_and_hits(state, features, labels))


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def _epoch(
    state: tuple[tf.Tensor, ...],
    velocities: tuple[tf.Tensor, ...],
    rate: tf.Tensor,
    features: tf.Tensor,
    labels: tf.Tensor,
    batches: tf.Tensor,
    rest: tf.Tensor,
) -> tuple[tuple[tf.Tensor, ...], tuple[tf.Tensor, ...], tf.Tensor]:
    """One epoch: the whole batches ``(steps, size)`` of row numbers, then the rest ``(k,)``."""

    def step(
        state: tuple[tf.Tensor, ...],
        velocities: tuple[tf.Tensor, ...],
        sums: tf.Tensor,
        batch: tf.Tensor,
    ) -> tuple[tuple[tf.Tensor, ...], tuple[tf.Tensor, ...], tf.Tensor]:
        rows = tf.gather(features, batch)
        classes = tf.gather(labels, batch)
        with tf.GradientTape() as tape:
            tape.watch(state)
            losses, hits = _loss_and_hits(state, rows, classes)
            # The members' losses are independent, so the gradient of their sum is each one's own.
            loss = tf.reduce_sum(losses) / batch.shape[0]
        gradients = tape.gradient(loss, state)
        velocities = tuple(
            _RHO * velocity + (1 - _RHO) * tf.square(gradient)
            for velocity, gradient in zip(velocities, gradients, strict=True)
        )
        state = tuple(
            weight - rate * gradient * tf.math.rsqrt(velocity + _EPSILON)
            for weight, gradient, velocity in zip(state, gradients, velocities, strict=True)
        )
        return state, velocities, sums + tf.stack([losses, hits])

    sums = tf.zeros((2, state[1].shape[0]))
    for number in tf.range(batches.shape[0]):
        state, velocities, sums = step(state, velocities, sums, batches[number])
    if rest.shape[0]:
        state, velocities, sums = step(state, velocities, sums, rest)
    return state, velocities, sums
