"""Where TensorFlow computes."""

from __future__ import annotations

import pytest
import tensorflow as tf

from sweep.evaluation.devices import on_device


def test_what_names_no_device_is_on_the_cpu() -> None:
    """Also what is compiled there, and whatever surrounds it."""

    doubled = tf.function(lambda value: value + value, jit_compile=True)
    with on_device(None):
        assert "CPU:0" in doubled(tf.constant(1.0)).device


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
def test_no_gpu_is_an_error() -> None:
    """TensorFlow itself would go on with the CPU, and the numbers would be believed a GPU's."""
    refused = pytest.raises(RuntimeError, match="to be trained on a GPU, and TensorFlow finds none")
    with refused, on_device("gpu"):
        pytest.fail("it went on")
