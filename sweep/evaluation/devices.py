"""Where TensorFlow computes: what a spec says, and never what happens to be there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sweep.specs import Device


def share_gpus() -> None:
    """Take of each GPU that this process sees what it needs, and not all: others may share it."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, enable=True)


@contextmanager
def on_device(device: Device) -> Iterator[None]:
    """Compute on a device for the length of a block; TensorFlow would prefer a GPU to the CPU.

    Raises:
        RuntimeError: there is no such device; TensorFlow would go on with the CPU.
    """
    import tensorflow as tf

    if device == "gpu" and not tf.config.list_logical_devices("GPU"):
        raise RuntimeError("this is to be trained on a GPU, and TensorFlow finds none here")
    with tf.device("/GPU:0" if device == "gpu" else "/CPU:0"):
        yield
