"""One classifier with all that comes before it, as a Keras model: image in, probabilities out."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sweep.classifier.population import Weights, member_model

_ROUNDS = 5


def image_model(network: keras.Model, weights: Weights, member: int) -> keras.Model:
    """Images uint8 ``(n, 28, 28)`` to probabilities float32 ``(n, 10)``.

    Args:
        network: from images to the classifier's features.
        weights: of the draw's classifiers.
        member: which one of them.
    """
    classifier = member_model(weights, member)
    return keras.Model(network.inputs, classifier(network.outputs[0]), name="image_classifier")


def load_image_model(path: Path) -> keras.Model:
    """A model that was saved; code in it is not run."""
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def milliseconds(model: keras.Model, images: NDArray[np.uint8]) -> float:
    """Median wall milliseconds of classifying images in one batch, compiled and warmed up."""
    forward = tf.function(lambda batch: model(batch, training=False), autograph=False)
    batch = tf.constant(images)
    forward(batch)
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        forward(batch).numpy()
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)
