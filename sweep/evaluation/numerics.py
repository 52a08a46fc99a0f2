"""A worker's numeric environment is ours: what a user set for other programs changes no number.

TensorFlow, oneDNN, XLA and Keras read variables and a file that choose other kernels, types or
layouts. A worker runs without them. What acts before Python begins cannot be taken back; it is part
of :func:`sweep.machine.environment`.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sweep.data.datasets import keras_home
from sweep.errors import InputError

_CHANGES_NUMBERS = re.compile(r"(TF|XLA|ONEDNN|DNNL|KERAS|CUDNN|CUBLAS|NVIDIA_TF32)_")
_CHANGES_NONE = re.compile(
    r"TF_CPP_|TF_FORCE_GPU_ALLOW_GROWTH=|KERAS_HOME=|KERAS_BACKEND=tensorflow$"
    # Terraform's begin in the same way, and some of them are secrets.
    r"|TF_(CLI|VAR|TOKEN|REGISTRY|CLOUD|PLUGIN_CACHE|LOG)_"
    r"|TF_(LOG|DATA_DIR|WORKSPACE|INPUT|IN_AUTOMATION|IGNORE|REATTACH_PROVIDERS|ENCRYPTION"
    r"|APPEND_USER_AGENT|STATE_PERSIST_INTERVAL|ACC)="
)

_KERAS = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "dtype_policy": "float32",
}


def unheeded(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that would change numbers, as ``NAME=value``: workers do not heed them."""
    settings = (f"{name}={value}" for name, value in environment.items())
    return sorted(
        each for each in settings if _CHANGES_NUMBERS.match(each) and not _CHANGES_NONE.match(each)
    )


def unheeded_settings() -> list[str]:
    """What the user's file of Keras's settings says that is not ours, as ``name=value``."""
    try:
        settings = json.loads((keras_home() / "keras.json").read_bytes())
    except (OSError, ValueError, InputError):  # Keras does without such a file, too
        return []
    if not isinstance(settings, dict):
        return []
    ours = {**_KERAS, "backend": "tensorflow"}
    return [f"{n}={settings[n]}" for n in sorted(ours.keys() & settings) if settings[n] != ours[n]]


def settle_numerics() -> None:
    """Give TensorFlow and Keras the settings that results are made with.

    To be called before either is imported.
    """
    for each in unheeded():
        del os.environ[each.partition("=")[0]]
    _choose_tensorflow()
    _import_keras()
    _set_keras(_KERAS)


@contextmanager
def keras_as_ours() -> Iterator[None]:
    """Have Keras make layers with the settings that results are made with; then it has its own.

    For a process that is not ours alone.

    Raises:
        InputError: Keras was imported with another backend than TensorFlow.
    """
    if "keras" not in sys.modules:
        _choose_tensorflow()
    import keras

    if keras.config.backend() != "tensorflow":
        raise InputError(
            f"encoders are Keras models on TensorFlow, and Keras runs on {keras.config.backend()}",
            hint="set KERAS_BACKEND=tensorflow before Keras is imported",
        )
    before = {name: getattr(keras.config, name)() for name in _KERAS}
    _set_keras(_KERAS)
    try:
        yield
    finally:
        _set_keras(before)


def _choose_tensorflow() -> None:
    os.environ["KERAS_BACKEND"] = "tensorflow"  # goes before the user's file
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if os.path.expanduser("~") == "~":  # noqa: PTH111  # pathlib's raises
        # Who has no home directory would find one of this name in the working directory.
        os.environ.setdefault("KERAS_HOME", str(Path(tempfile.gettempdir(), ".keras")))


def _import_keras() -> None:
    """Import Keras without the user's file of settings: what it refuses there would end us."""
    theirs = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.devnull  # in which there is no such file, and none is made
    importlib.import_module("keras")
    del os.environ["KERAS_HOME"]
    if theirs is not None:
        os.environ["KERAS_HOME"] = theirs


def _set_keras(settings: Mapping[str, Any]) -> None:
    import keras

    for name, value in settings.items():
        getattr(keras.config, f"set_{name}")(value)
