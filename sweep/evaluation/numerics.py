"""A worker's numeric environment is ours: what a user set for other programs changes no number.

TensorFlow, oneDNN, XLA and Keras read variables and a file that choose other kernels, types or
layouts. A worker runs without them. What acts before Python begins cannot be taken back; it is part
of :func:`sweep.machine.environment`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_CHANGES_NUMBERS = re.compile(r"(TF|XLA|ONEDNN|DNNL|KERAS|CUDNN|CUBLAS|NVIDIA_TF32)_")
_CHANGES_NONE = re.compile(
    r"TF_CPP_|TF_FORCE_GPU_ALLOW_GROWTH=|KERAS_HOME=|KERAS_BACKEND=tensorflow$"
)


def unheeded(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that would change numbers, as ``NAME=value``: workers do not heed them."""
    settings = (f"{name}={value}" for name, value in environment.items())
    return sorted(
        each for each in settings if _CHANGES_NUMBERS.match(each) and not _CHANGES_NONE.match(each)
    )


def settle_numerics() -> None:
    """Give TensorFlow and Keras the settings that results are made with.

    To be called before either is imported.
    """
    for each in unheeded():
        del os.environ[each.partition("=")[0]]
    os.environ["KERAS_BACKEND"] = "tensorflow"  # goes before the user's file
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")
