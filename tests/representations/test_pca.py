"""Principal components against numpy's own decomposition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context
from PIL import Image

from sweep.artifacts import Checkpoint
from sweep.configuration import NotebookPartition, RepresentationSpec
from sweep.data.images import Dataset
from sweep.representations.pca import Components, Pca
from sweep.representations.pictures import draw_pictures
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec

RANDOM = np.random.default_rng(2)
IMAGES = (RANDOM.random((300, 28, 28)) * RANDOM.random((28, 28)) * 255).astype(np.uint8)
LABELS = (np.arange(300) % 10).astype(np.uint8)
PART = np.arange(0, 300, 2)


def spec(latent_dim: int) -> EncoderSpec:
    return EncoderSpec(
        data="0" * 64,
        partition=NotebookPartition(scheme="notebook"),
        seed=0,
        draw=0,
        representation=RepresentationSpec(name="pca", latent_dim=latent_dim),
        threads=1,
    )


def train(latent_dim: int, out: Path) -> EncoderHistory:
    of = spec(latent_dim)
    checkpoint = Checkpoint(out / "state")
    return Pca(of.representation).train(of, IMAGES, PART, out, checkpoint, lambda _: None)


def test_features_are_projections_on_the_principal_directions(tmp_path: Path) -> None:
    """Of the encoder partition alone, up to a direction's sign; what is kept adds up."""
    history = train(5, tmp_path)
    encoder = Components(tmp_path)
    pixels = IMAGES.reshape(300, -1) / 255
    mean = pixels[PART].mean(axis=0)
    _, values, directions = np.linalg.svd(pixels[PART] - mean, full_matrices=False)
    expected = (pixels - mean) @ directions[:5].T
    found = encoder.features(IMAGES, np.arange(300))
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)
    share = np.square(values[:5]).sum() / np.square(values).sum()
    assert history["explained_variance_ratio"][0] == pytest.approx(share, rel=1e-4)
    decoded = encoder.decode(found[PART]).reshape(len(PART), -1)
    error = np.square(decoded - pixels[PART]).mean()
    assert error == pytest.approx(history["mean_squared_error"][0], rel=0.05)  # decoded is clipped


def test_parameters_are_those_of_a_linear_layer() -> None:
    """Ten components of 784 pixels, and ten biases into which the mean folds."""
    assert Pca(spec(10).representation).parameters == 7850


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_an_encoder_has_its_pictures(tmp_path: Path, latent_dim: int) -> None:
    """Twenty reconstructions under their originals, 64 samples, and a map of the latent space."""
    train(latent_dim, tmp_path)
    dataset = Dataset("noise", IMAGES, LABELS)
    with rc_context({"text.usetex": True}):  # a user's, who need not have LaTeX where this runs
        draw_pictures(Components(tmp_path), spec(latent_dim), dataset, np.arange(300), tmp_path)
    size = 2 * (28 + 2)
    with Image.open(tmp_path / "reconstructions.png") as picture:
        assert picture.size == (20 * size, 2 * size)
        above = np.asarray(picture)[size // 15 : size : 2, size // 15 : size : 2]
    np.testing.assert_array_equal(above, IMAGES[0])
    with Image.open(tmp_path / "samples.png") as picture:
        assert picture.size == (8 * size, 8 * size)
    with Image.open(tmp_path / "latent_space.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 10
