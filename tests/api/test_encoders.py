"""Trained encoders as Keras models, and saying which one is meant."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep
from sweep.api.encoders import find_encoder
from sweep.configuration import RepresentationSpec
from sweep.data.datasets import DatasetSource
from sweep.errors import HomeError, InputError
from sweep.results import EncoderRecord
from tests.builders import VAE_SETTINGS, trial_spec


def test_it_computes_what_the_classifiers_saw(finished: Path) -> None:
    """Also where the user's Keras is set to something else, which it then still is."""
    import keras

    study = sweep.load("tiny", home=finished)
    (key,) = study.encoders().query("latent_dim == 3 and draw == 1")["encoder"]
    images = DatasetSource.of(study.config.dataset, None).load().images[:20]
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float64")
    try:
        model = study.encoder(latent_dim=3, draw=1)
        assert keras.config.image_data_format() == "channels_first"
        assert keras.config.floatx() == "float64"
    finally:
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
    features = model.predict(images, verbose=0)
    assert features.dtype == np.float32
    seen = np.load(finished / "encoders" / key / "means.npy")[:20]
    np.testing.assert_allclose(features, seen, rtol=1e-4, atol=1e-5)


def test_one_that_is_gone_is_said(finished: Path, tmp_path: Path) -> None:
    """Pruned or damaged since: nothing is trained, and nothing wrong is given."""
    shutil.copy(finished / "optuna.db", tmp_path)
    study = sweep.load("tiny", home=tmp_path)
    assert len(study.encoders()) == 4  # known from the storage
    with pytest.raises(HomeError, match="does not have encoder vae 2, draw 1 any more"):
        study.encoder(latent_dim=2)


def record(name: str, latent_dim: int, draw: int, **settings: Any) -> EncoderRecord:
    common = VAE_SETTINGS if name == "vae" else {}
    spec = RepresentationSpec(name=name, latent_dim=latent_dim, settings={**common, **settings})
    return EncoderRecord(
        spec=trial_spec(representation=spec).encoder(draw),
        history={},
        parameters=1,
        train_seconds=1.0,
        started_at=1,
        finished_at=2,
    )


RECORDS = [
    record("vae", 10, 0),
    record("vae", 10, 0, beta=0.5),
    record("vae", 10, 1),
    record("vae", 2, 0),
    record("pca", 2, 0),
]


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ((10, 1, None, {}), 2),
        ((10, 0, None, {"beta": 0.5}), 1),
        ((10, 0, "vae", {"beta": 1}), 0),  # which is the default, and in no spec
        ((10, 1, None, {"epochs": 35}), 2),
        ((2, 0, "pca", {}), 4),
    ],
)
def test_one_is_found_by_what_tells_it_from_others(asked: tuple[Any, ...], place: int) -> None:
    """Its dimension and draw; its representation and settings where those are not enough."""
    assert find_encoder(RECORDS, *asked) is RECORDS[place]


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ((2, 0, None, {}), "there are 2 encoders of", "say also representation='vae' or 'pca'"),
        ((10, 0, None, {}), "there are 2 encoders of", "say also beta=None or 0.5"),
        ((2, 9, None, {}), "there is no encoder of latent_dim=2, draw=9", "draw=0 is what MLflow"),
        (
            (3, 0, None, {}),
            "there is no encoder of latent_dim=3, draw=0",
            "vae 10, beta 1; vae 10, beta 0.5; vae 2, beta 1; pca 2",
        ),
        ((2, 0, "pca", {"beta": 1.0}), "representation='pca', beta=1.0", "encoders"),
    ],
)
def test_what_is_not_one_is_said(asked: tuple[Any, ...], message: str, hint: str) -> None:
    """None, or several: then what would tell them apart."""
    with pytest.raises(InputError, match=message) as refused:
        find_encoder(RECORDS, *asked)
    assert hint in str(refused.value.hint)
