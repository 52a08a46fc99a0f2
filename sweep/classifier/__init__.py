"""The classifier that all representations share: one hidden layer, softmax over ten classes."""

from __future__ import annotations

from sweep.data.images import CLASSES


def parameters(inputs: int, hidden_neurons: int) -> int:
    """Number of parameters of inputs -> hidden (relu) -> 10 (softmax), biases included."""
    return (inputs + 1) * hidden_neurons + (hidden_neurons + 1) * CLASSES
