"""Classifiers of one draw, trained together as a population.

Members see the same features in the same order and differ in their initial weights alone. All of an
epoch, its scoring included, is one compiled program over data held as tensors; each member is the
network that Keras would train: Glorot-uniform kernels, zero biases, RMSprop, the last partial batch
included.

Compiling takes longer than many a training, so trials of similar sizes share a program: inputs and
hidden neurons are filled up with zeros. That changes nothing: a neuron whose weights are all zero
gives zero, gets no gradient, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sweep.configuration import ClassifierTraining, Optimizer
from sweep.data.images import CLASSES, Features
from sweep.errors import DivergedError
from sweep.results import Curves
from sweep.values import OnProgress

# Keras's defaults for RMSprop. Keras 3 adds epsilon inside the square root, Keras 2 outside.
_RHO = 0.9
_EPSILON = 1e-7
_STEPS: dict[Optimizer, Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]] = {
    None: lambda rate, gradient, velocity: rate * gradient * tf.math.rsqrt(velocity + _EPSILON),
    "keras2_rmsprop": lambda rate, gradient, velocity: (
        rate * gradient / (tf.sqrt(velocity) + _EPSILON)
    ),
}

# Where inputs are few, neurons cost less than a program, and more of them are filled up.
_FEW_INPUTS = 64


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


def member_model(weights: Weights, member: int) -> keras.Model:
    """One member as a plain Keras model: features ``(n, inputs)`` to probabilities ``(n, 10)``."""
    inputs, _, hidden = weights.hidden_kernel.shape
    model = keras.Sequential(
        [
            keras.Input((inputs,)),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.set_weights(
        [
            weights.hidden_kernel[:, member],
            weights.hidden_bias[member],
            weights.output_kernel[member],
            weights.output_bias[member],
        ]
    )
    return model


def predict(weights: Weights, features: Features) -> NDArray[np.int64]:
    """Each member's most probable class, ``(m, n)``, for features float32 ``(n, inputs)``."""
    logits = _logits(tuple(tf.constant(w) for w in weights), tf.constant(features))
    return np.asarray(tf.argmax(logits, axis=2))


def train(
    weights: Weights,
    training: ClassifierTraining,
    train_on: Labelled,
    score_on: Labelled,
    orders: Sequence[NDArray[np.int64]],
    on_progress: OnProgress,
) -> tuple[tuple[Curves, ...], Weights]:
    """Train a population.

    Args:
        weights: the members' initial weights.
        training: epochs, batch size, learning rate, optimizer.
        train_on: what to learn from.
        score_on: what to score on after every epoch.
        orders: for each epoch the training rows in their order; a row may stand there repeatedly.
        on_progress: is told how much is done.

    Returns:
        The curves of each member, and the weights after the last epoch.

    Raises:
        DivergedError: a member's loss is no longer finite.
    """
    inputs, members, hidden = weights.hidden_kernel.shape
    size = min(training.batch_size, len(orders[0]))
    data = (*_tensors(train_on), *_tensors(score_on))
    rate = tf.constant(training.learning_rate, tf.float32)
    state = tuple(tf.constant(w) for w in _filled(weights))
    velocities = tuple(tf.zeros_like(w) for w in state)

    epochs: list[NDArray[np.float64]] = []
    for epoch, order in enumerate(orders):
        state, velocities, sums = _epoch(
            state, velocities, rate, *data, _batches(order, size), training.optimizer
        )
        row = np.asarray(sums, np.float64)
        row[:2] /= len(order)
        row[2:] /= len(score_on.labels)
        for member in range(members):
            if not np.isfinite(row[:, member]).all():
                raise DivergedError(
                    f"the classifier diverged: its loss is not finite in epoch {epoch + 1} "
                    f"of {training.epochs} (member {member + 1})"
                )
        epochs.append(row)
        on_progress((epoch + 1) / training.epochs)

    history = np.array(epochs)
    curves = tuple(
        Curves(
            train_loss=tuple(history[:, 0, member].tolist()),
            train_accuracy=tuple(history[:, 1, member].tolist()),
            val_loss=tuple(history[:, 2, member].tolist()),
            val_accuracy=tuple(history[:, 3, member].tolist()),
        )
        for member in range(members)
    )
    return curves, _emptied(state, inputs, hidden)


def _filled_size(inputs: int, hidden: int) -> tuple[int, int]:
    """The sizes of the program that trains networks of these sizes."""
    if inputs > _FEW_INPUTS:
        return _multiple(inputs, 16), _multiple(hidden, 8)
    # 16, 80, 144 and so on: rows of 128, 256 or 512 neurons collide in the processor's cache, and
    # take half as long again.
    return _multiple(inputs, 16), _multiple(max(hidden - 16, 0), 64) + 16


def _multiple(size: int, of: int) -> int:
    return -(-size // of) * of


def _filled(weights: Weights) -> Weights:
    """The weights among zeros."""
    inputs, _, hidden = weights.hidden_kernel.shape
    all_inputs, all_hidden = _filled_size(inputs, hidden)
    neurons = (0, all_hidden - hidden)
    return Weights(
        hidden_kernel=np.pad(weights.hidden_kernel, ((0, all_inputs - inputs), (0, 0), neurons)),
        hidden_bias=np.pad(weights.hidden_bias, ((0, 0), neurons)),
        output_kernel=np.pad(weights.output_kernel, ((0, 0), neurons, (0, 0))),
        output_bias=weights.output_bias,
    )


def _emptied(state: tuple[tf.Tensor, ...], inputs: int, hidden: int) -> Weights:
    """The weights without the zeros."""
    hidden_kernel, hidden_bias, output_kernel, output_bias = (np.asarray(w) for w in state)
    return Weights(
        hidden_kernel[:inputs, :, :hidden],
        hidden_bias[:, :hidden],
        output_kernel[:, :hidden],
        output_bias,
    )


def _tensors(data: Labelled) -> tuple[tf.Tensor, tf.Tensor]:
    inputs = data.features.shape[1]
    zeros = _filled_size(inputs, 1)[0] - inputs
    features = np.pad(data.features, ((0, 0), (0, zeros))) if zeros else data.features
    return tf.constant(features), tf.constant(data.labels, tf.int32)


def _batches(order: NDArray[np.int64], size: int) -> tf.Tensor:
    """Row numbers ``(steps, size)``; the last, partial batch is filled up with -1."""
    missing = -len(order) % size
    return tf.constant(np.pad(order, (0, missing), constant_values=-1).reshape(-1, size), tf.int32)


def _logits(state: tuple[tf.Tensor, ...], features: tf.Tensor) -> tf.Tensor:
    """Logits ``(m, batch, 10)``."""
    hidden_kernel, hidden_bias, output_kernel, output_bias = state
    inputs, members, neurons = hidden_kernel.shape
    hidden = tf.matmul(features, tf.reshape(hidden_kernel, (inputs, members * neurons)))
    hidden = tf.nn.relu(tf.reshape(hidden, (-1, members, neurons)) + hidden_bias)
    return tf.matmul(tf.transpose(hidden, (1, 0, 2)), output_kernel) + output_bias[:, tf.newaxis]


def _losses_and_hits(
    state: tuple[tf.Tensor, ...], features: tf.Tensor, labels: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Each member's cross-entropy and right answers (0 or 1) on a batch, ``(m, batch)`` both."""
    logits = _logits(state, features)
    labels = tf.broadcast_to(labels, logits.shape[:2])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    hits = tf.equal(tf.argmax(logits, axis=2, output_type=tf.int32), labels)
    return losses, tf.cast(hits, tf.float32)


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def _epoch(
    state: tuple[tf.Tensor, ...],
    velocities: tuple[tf.Tensor, ...],
    rate: tf.Tensor,
    features: tf.Tensor,
    labels: tf.Tensor,
    held_out_features: tf.Tensor,
    held_out_labels: tf.Tensor,
    batches: tf.Tensor,
    optimizer: Optimizer,
) -> tuple[tuple[tf.Tensor, ...], tuple[tf.Tensor, ...], tf.Tensor]:
    """One epoch over ``batches`` (see :func:`_batches`), then a look at what was held out.

    Returns:
        The new state and velocities, and sums ``(4, m)``: loss and right answers in training, then
        on what was held out.
    """
    rule = _STEPS[optimizer]

    def step(
        number: tf.Tensor,
        state: tuple[tf.Tensor, ...],
        velocities: tuple[tf.Tensor, ...],
        sums: tf.Tensor,
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...], tf.Tensor]:
        batch = batches[number]
        there = tf.cast(batch >= 0, tf.float32)
        rows = tf.maximum(batch, 0)
        with tf.GradientTape() as tape:
            tape.watch(state)
            losses, hits = _losses_and_hits(
                state, tf.gather(features, rows), tf.gather(labels, rows)
            )
            # The members' losses are independent, so the gradient of their sum is each one's own.
            loss = tf.reduce_sum(losses * there) / tf.reduce_sum(there)
        gradients = tape.gradient(loss, state)
        velocities = tuple(
            _RHO * velocity + (1 - _RHO) * tf.square(gradient)
            for velocity, gradient in zip(velocities, gradients, strict=True)
        )
        state = tuple(
            weight - rule(rate, gradient, velocity)
            for weight, gradient, velocity in zip(state, gradients, velocities, strict=True)
        )
        sums += tf.stack([tf.linalg.matvec(losses, there), tf.linalg.matvec(hits, there)])
        return number + 1, state, velocities, sums

    _, state, velocities, sums = tf.while_loop(
        lambda number, *_: number < batches.shape[0],
        step,
        (0, state, velocities, tf.zeros((2, state[1].shape[0]))),
    )
    losses, hits = _losses_and_hits(state, held_out_features, held_out_labels)
    scored = tf.stack([tf.reduce_sum(losses, axis=1), tf.reduce_sum(hits, axis=1)])
    return state, velocities, tf.concat([sums, scored], axis=0)
