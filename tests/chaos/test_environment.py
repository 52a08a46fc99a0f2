"""A study in environments that users have set for other programs, with real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.process import accuracies, sweep

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

CONFIG = """
name: numbers
dataset: mnist-5k
partition: {scheme: fractions, encoder: .1, classifier: .2, validation: .6, test: .1}
seed: 5
replicates: {draws: 1, classifiers: 2}
representations:
  vae:
    {epochs: 1, batch_size: 100, learning_rate: 0.001, labels_from: classifier,
     classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}
  pixels: {labels_from: classifier, classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}
rows:
  - {representation: pixels, hidden_neurons: 10}
  - {representation: vae, latent_dim: 2, hidden_neurons: 17}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("numbers") / "numbers.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def undisturbed(config: Path) -> dict[str, list[float]]:
    return trained(config, config.parent / "undisturbed", {})


def trained(config: Path, home: Path, env: dict[str, str]) -> dict[str, list[float]]:
    done = sweep("run", config, "--home", home, "--workers", 1, env=env)
    assert done.returncode == 0, done.stderr
    return accuracies(home, "numbers")


KERAS = {
    "floatx": "float16",
    "epsilon": 1e-3,
    "backend": "jax",
    "image_data_format": "channels_first",
}


@pytest.mark.parametrize(
    "variable",
    [
        "TF_ENABLE_ONEDNN_OPTS=0",
        "ONEDNN_MAX_CPU_ISA=AVX2",
        "ONEDNN_DEFAULT_FPMATH_MODE=BF16",
        "TF_XLA_FLAGS=--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
        "XLA_FLAGS=--xla_cpu_enable_fast_math=true",
        "KERAS_BACKEND=jax",
        "KERAS_HOME",
    ],
)
def test_what_a_user_has_set_changes_no_number(
    variable: str, config: Path, undisturbed: dict[str, list[float]], tmp_path: Path
) -> None:
    """Neither a variable nor Keras's file of settings: equal to the last bit."""
    name, _, value = variable.partition("=")
    (tmp_path / "keras.json").write_text(json.dumps(KERAS))
    home = tmp_path / "home"
    assert trained(config, home, {name: value or str(tmp_path)}) == undisturbed
