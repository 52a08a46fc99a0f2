"""MLflow's model registry: one classifier with all that comes before it, ready to be served."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.errors import InputError
from sweep.tracking.connection import client

_KEY = "sweep.key"
_REQUIREMENTS = ("keras", "tensorflow", "numpy")
_SERVED = Path(__file__).with_name("served.py")
_CLASSES = 10


class Version(NamedTuple):
    """A version of a registered model."""

    name: str
    number: int
    is_new: bool

    @property
    def uri(self) -> str:
        """What MLflow calls it."""
        return f"models:/{self.name}/{self.number}"


def check_model_name(name: str) -> None:
    """Refuse what is no name for a model.

    Raises:
        InputError: it has other characters than MLflow's addresses of models may have.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise InputError(
            f"'{name}' is no name for a model",
            hint="letters, digits, '_', '.' and '-', 64 at most, a letter or digit first",
        )


def find_version(uri: str, name: str, key: str) -> Version | None:
    """The version of a registered model that has a content key; may raise what MLflow raises."""
    for version in client(uri).search_model_versions(f"name = '{name}'"):
        if version.tags.get(_KEY) == key:
            return Version(name, int(version.version), is_new=False)
    return None


def describe_version(uri: str, version: Version, description: str) -> None:
    """Say what a version is; may raise what MLflow raises."""
    client(uri).update_model_version(version.name, str(version.number), description)


def register_model(
    uri: str,
    run_id: str,
    name: str,
    key: str,
    model: Path,
    example: NDArray[np.uint8],
    tags: Mapping[str, str],
) -> Version:
    """Log a model with its trial's run, and register it as a new version.

    May raise what MLflow raises.

    Args:
        uri: where MLflow keeps its runs.
        run_id: of the trial.
        name: of the registered model; made if it is not there.
        key: content key of the model, by which :func:`find_version` finds it.
        model: a Keras model's file: images uint8 ``(n, 28, 28)`` to probabilities ``(n, 10)``.
        example: images to try it with.
        tags: of the version.
    """
    import mlflow
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    mlflow.set_tracking_uri(uri)
    registry = client(uri)
    mlflow.set_experiment(experiment_id=registry.get_run(run_id).info.experiment_id)
    number = np.dtype(np.float32)
    logged = Model.log(
        artifact_path=None,
        name="model",
        flavor=mlflow.pyfunc,
        run_id=run_id,
        python_model=str(_SERVED),
        artifacts={"model": str(model)},
        # Floats: to uint8, MLflow casts whatever it is sent, pixels from 0 to 1 to nothing but 0.
        signature=ModelSignature(
            Schema([TensorSpec(number, (-1, *example.shape[1:]))]),
            Schema([TensorSpec(number, (-1, _CLASSES))]),
        ),
        input_example=example.astype(number),
        pip_requirements=[f"{package}=={metadata.version(package)}" for package in _REQUIREMENTS],
    )
    # With its tags from the beginning: a version without its key would be registered again.
    version = mlflow.register_model(logged.model_uri, name, tags={_KEY: key, **tags})
    return Version(name, int(version.version), is_new=True)
