"""What a user sets for other programs changes no number; which variables those are.

``tests/chaos/test_environment.py`` does the same with whole studies.
"""

from __future__ import annotations

from sweep.evaluation.numerics import unheeded


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
