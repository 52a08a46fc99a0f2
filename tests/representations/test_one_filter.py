"""A convolution with a single filter is Keras's own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.representations.one_filter import OneFilter


def results(layer: keras.Layer, images: tf.Tensor, upstream: tf.Tensor) -> list[tf.Tensor]:
    """What a layer gives, and its gradients by its images, its kernel and its bias."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        given_out = layer(images)
    gradients = tape.gradient(
        given_out, [images, *layer.trainable_variables], output_gradients=upstream
    )
    return [given_out, *gradients]


def compare(dtype: str, shape: tuple[int, ...], seed: int, tolerance: float) -> None:
    """The same weights, images and upstream gradient for both."""
    ours, keras_s = OneFilter(dtype=dtype), keras.layers.Conv2D(1, 3, padding="same", dtype=dtype)
    random = np.random.default_rng(seed)
    images = tf.cast(random.normal(size=shape), ours.compute_dtype)
    upstream = tf.cast(random.normal(size=(*shape[:3], 1)), ours.compute_dtype)
    for layer in (ours, keras_s):
        layer.build(shape)
    ours.set_weights([random.normal(size=weight.shape) for weight in ours.weights])
    keras_s.set_weights(ours.get_weights())
    for one, other in zip(
        results(ours, images, upstream), results(keras_s, images, upstream), strict=True
    ):
        assert one.dtype == other.dtype
        exact = tf.cast(other, tf.float32)
        np.testing.assert_allclose(
            tf.cast(one, tf.float32), exact, rtol=0, atol=tolerance * np.abs(exact).max()
        )


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(*(st.integers(1, most) for most in (5, 9, 9, 6))),
    st.integers(0, 2**32 - 1),
)
def test_it_is_the_convolution(shape: tuple[int, ...], seed: int) -> None:
    """In float32, for images of any size: the same results and gradients, but for rounding."""
    compare("float32", shape, seed, 1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_convolution_in_bfloat16(seed: int) -> None:
    """In mixed precision as closely as eight bits allow."""
    compare("mixed_bfloat16", (16, 28, 28, 32), seed, 0.02)
