"""The classifier that all representations share: one hidden layer, softmax over ten classes."""

from __future__ import annotations

from sweep.data.images import CLASSES


def parameters(inputs: int, hidden_neurons: int) -> int:
    """Number of parameters of inputs -> hidden (relu) -> 10 (softmax), biases included."""
    return (inputs + 1) * hidden_neurons + (hidden_neurons + 1) * CLASSES


def most_neurons(inputs: int, most_parameters: int) -> int:
    """The most neurons with which :func:`parameters` does not exceed a bound."""
    return (most_parameters - CLASSES) // (inputs + 1 + CLASSES)


def multiply_adds(inputs: int, hidden_neurons: int) -> int:
    """Multiply-adds of classifying one row of features: those of the two matrix products."""
    return (inputs + CLASSES) * hidden_neurons
