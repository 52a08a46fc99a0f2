"""What holds for every registered representation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.representations import REPRESENTATIONS
from sweep.representations.checkpoint import Checkpoint
from sweep.specs import EncoderSpec, NotebookPartition, RepresentationSpec

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


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_a_representation_keeps_its_promises(name: str, tmp_path: Path) -> None:
    """Name, settings, dimensions, parameters and features fit together; features are numbers."""
    representation = REPRESENTATIONS[name]
    assert representation.name == name
    known = representation.settings.model_fields
    settings = representation.settings(**{k: v for k, v in QUICK.items() if k in known})
    spec = RepresentationSpec(
        name=name,
        latent_dim=4 if representation.largest_latent_dim else None,
        settings=settings.model_dump(),
    )
    encoder = None
    if representation.is_trained:
        encoder_spec = EncoderSpec(
            data="0" * 64,
            partition=NotebookPartition(scheme="notebook"),
            seed=0,
            draw=0,
            representation=spec,
            threads=1,
        )
        encoder = tmp_path
        history = representation.train(
            encoder_spec,
            IMAGES,
            np.arange(100),
            encoder,
            Checkpoint(tmp_path / "state"),
            lambda _: None,
        )
        assert history
        assert all(len(curve) == 1 for curve in history.values())
        assert representation.parameters(spec) > 0
        assert representation.training_multiply_adds(spec) > 0
    features = representation.features(IMAGES, INDICES, encoder)
    assert features.shape == (3, representation.dimensions(spec))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(
        representation.features(IMAGES, INDICES[::-1], encoder), features[::-1]
    )
    network = representation.network(spec, encoder)
    np.testing.assert_allclose(network(IMAGES[INDICES]).numpy(), features, rtol=1e-4, atol=1e-5)
    assert representation.multiply_adds(spec) == multiply_adds(network)
    assert representation.parameters(spec) == network.count_params()  # what is served, no more
    if encoder is not None:
        decoded = representation.decode(features, encoder)
        sampled = representation.sample(features, encoder)
        for pictures in (decoded, sampled):
            assert pictures.shape == (3, 28, 28)
            assert pictures.dtype == np.float32
            assert pictures.min() >= 0
            assert pictures.max() <= 1


def test_pixels_are_the_image() -> None:
    """784 numbers from 0 to 1, in reading order."""
    features = REPRESENTATIONS["pixels"].features(IMAGES, INDICES, None)
    np.testing.assert_array_equal(features[1], IMAGES[0].ravel().astype(np.float32) / 255)
