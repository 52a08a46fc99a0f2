"""A convolution with a single filter, as matrix products.

oneDNN fills one channel up to a vector of sixteen, so that a convolution from 32 channels to one
takes nearly as long as one to sixteen, forward and back: a tenth of a VAE's training. Nine matrix
products, one for each place of the kernel, and nine shifted additions take a third of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import layers

_PLACES = [(row, column) for row in range(3) for column in range(3)]


class OneFilter(layers.Conv2D):  # type: ignore[misc]  # Keras ships no types
    """``Conv2D(1, 3, padding="same")``: its weights, its results, and its gradients.

    Images ``(n, height, width, channels)`` to ``(n, height, width, 1)``, in any floating dtype.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(1, 3, padding="same", **options)

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """What Keras calls for the convolution itself, before the bias."""
        return _convolve(inputs, tf.convert_to_tensor(kernel))


@tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def _convolve(
    images: tf.Tensor, kernel: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
    height, width, channels = images.shape[1:]
    pixels = tf.reshape(images, (-1, channels))
    weights = tf.reshape(kernel, (len(_PLACES), channels))
    products = tf.matmul(weights, pixels, transpose_b=True)
    products = tf.reshape(products, (len(_PLACES), -1, height, width))
    products = tf.pad(products, [[0, 0], [0, 0], [1, 1], [1, 1]])
    summed = tf.add_n(
        [
            products[place, :, row : row + height, column : column + width]
            for place, (row, column) in enumerate(_PLACES)
        ]
    )

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        padded = tf.pad(upstream[..., 0], [[0, 0], [1, 1], [1, 1]])
        of_products = tf.stack(
            [
                padded[:, 2 - row : 2 - row + height, 2 - column : 2 - column + width]
                for row, column in _PLACES
            ]
        )
        of_products = tf.reshape(of_products, (len(_PLACES), -1))
        return (
            tf.reshape(tf.matmul(of_products, weights, transpose_a=True), tf.shape(images)),
            tf.reshape(tf.matmul(of_products, pixels), tf.shape(kernel)),
        )

    return summed[..., tf.newaxis], gradient
