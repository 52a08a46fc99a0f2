"""What a user sets for other programs changes no number; which variables those are.

``tests/chaos/test_environment.py`` does the same with whole studies.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.evaluation.numerics import unheeded
from tests.cli.process import environment

SETTLE = """
import os
from sweep.evaluation.numerics import settle_numerics
settle_numerics()
import keras
print(os.environ["KERAS_HOME"], keras.config.floatx(), keras.config.image_data_format())
"""


def test_what_changes_numbers_is_told_from_what_does_not() -> None:
    """Names of TensorFlow's, Keras's, XLA's and oneDNN's, but for logs, memory and places; and none
    of Terraform's, whose names begin like TensorFlow's.
    """
    environment = {
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "KERAS_BACKEND": "jax",
        "TF_CPP_MIN_LOG_LEVEL": "0",
        "KERAS_HOME": "/k",
        "PATH": "/bin",
        "NOT_TF_FLAG": "1",
        "TF_CLI_CONFIG_FILE": "/home/me/.terraformrc",
        "TF_VAR_password": "secret",
        "TF_LOG": "DEBUG",
        "TF_WORKSPACE": "production",
    }
    assert unheeded(environment) == [
        "KERAS_BACKEND=jax",
        "ONEDNN_MAX_CPU_ISA=AVX2",
        "TF_ENABLE_ONEDNN_OPTS=0",
        "XLA_FLAGS=--xla_cpu_enable_fast_math=true",
    ]
    assert unheeded({"KERAS_BACKEND": "tensorflow", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}) == []


@pytest.mark.parametrize("text", [json.dumps({"floatx": "bfloat16", "epsilon": 1}), "[]"])
def test_a_file_that_keras_refuses_is_not_read(text: str, tmp_path: Path) -> None:
    """Importing Keras would fail, and with it every trial; where its datasets lie stays known."""
    (tmp_path / "keras.json").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", SETTLE],
        env=environment() | {"KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [str(tmp_path), "float32", "channels_last"], done.stderr
    assert (tmp_path / "keras.json").read_text() == text
