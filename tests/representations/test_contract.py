"""What holds for every registered representation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.artifacts import Checkpoint
from sweep.configuration import NotebookPartition, RepresentationSpec
from sweep.representations import REPRESENTATIONS, Extractor, TrainedRepresentation, bind
from sweep.representations.base import Encoder
from sweep.representations.pixels import Pixels
from sweep.specs import EncoderSpec

IMAGES = np.random.default_rng(1).integers(0, 256, (120, 28, 28)).astype(np.uint8)
INDICES = np.array([7, 0, 119])
QUICK = {"epochs": 1, "batch_size": 60}


def multiply_adds(network: Any) -> int:
    """Counted over a Keras model's layers: how often each weight of a kernel is used."""
    total = 0
    for layer in network.layers:
        if hasattr(layer, "layers"):
            total += multiply_adds(layer)
        elif hasattr(layer, "kernel"):
            positions = math.prod(layer.output.shape[1:-1])
            total += positions * math.prod(layer.kernel.shape)
    return total


def trained(representation: TrainedRepresentation, out: Path) -> Encoder:
    spec = EncoderSpec(
        data="0" * 64,
        partition=NotebookPartition(scheme="notebook"),
        seed=0,
        draw=0,
        representation=representation.spec,
        threads=1,
    )
    history = representation.train(
        spec, IMAGES, np.arange(100), out, Checkpoint(out / "state"), lambda _: None
    )
    assert history
    assert all(len(curve) == 1 for curve in history.values())
    assert representation.parameters > 0
    assert representation.training_multiply_adds(7) == 7 * representation.training_multiply_adds(1)
    return representation.encoder(out)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_a_representation_keeps_its_promises(name: str, tmp_path: Path) -> None:
    """Name, settings, dimensions, parameters and features fit together; features are numbers."""
    kind = REPRESENTATIONS[name]
    assert kind.name == name
    known = kind.Settings.model_fields
    settings = kind.Settings(**{k: v for k, v in QUICK.items() if k in known})
    is_trained = issubclass(kind, TrainedRepresentation)
    spec = RepresentationSpec(
        name=name, latent_dim=4 if is_trained else None, settings=settings.model_dump()
    )
    assert spec.is_trained is is_trained
    representation = bind(spec)
    extractor: Extractor
    if isinstance(representation, TrainedRepresentation):
        extractor = encoder = trained(representation, tmp_path)
    else:
        extractor, encoder = representation, None
    features = extractor.features(IMAGES, INDICES)
    assert features.shape == (3, representation.dimensions)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(extractor.features(IMAGES, INDICES[::-1]), features[::-1])
    network = extractor.network()
    np.testing.assert_allclose(network(IMAGES[INDICES]).numpy(), features, rtol=1e-4, atol=1e-5)
    assert representation.multiply_adds == multiply_adds(network)
    assert representation.parameters == network.count_params()  # what is served, no more
    if encoder is not None:
        for pictures in (encoder.decode(features), encoder.sample(features)):
            assert pictures.shape == (3, 28, 28)
            assert pictures.dtype == np.float32
            assert pictures.min() >= 0
            assert pictures.max() <= 1


def test_pixels_are_the_image() -> None:
    """784 numbers from 0 to 1, in reading order."""
    features = Pixels(RepresentationSpec(name="pixels")).features(IMAGES, INDICES)
    np.testing.assert_array_equal(features[1], IMAGES[0].ravel().astype(np.float32) / 255)
