"""The notebook's VAE: its network, its parameters, its training."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest

from sweep.artifacts import Checkpoint
from sweep.configuration import FractionsPartition, RepresentationSpec
from sweep.errors import DivergedError
from sweep.representations import vae_network
from sweep.representations.convolutional import (
    MEANS_FILE,
    WEIGHTS_FILE,
    LatentMeans,
    decoder_parameters,
    encoder_parameters,
    mean_path_parameters,
)
from sweep.representations.vae import Vae, VaeSettings
from sweep.representations.vae_network import Precision
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec

PARTITION = FractionsPartition(
    scheme="fractions", encoder=0.4, classifier=0.2, validation=0.2, test=0.2
)
IMAGES = (np.random.default_rng(0).random((300, 28, 28)) ** 4 * 255).astype(np.uint8)
PART = np.arange(0, 300, 2)


def spec(draw: int = 0, latent_dim: int = 3, **settings: object) -> EncoderSpec:
    training = VaeSettings(**{"epochs": 3, "batch_size": 64, **settings})  # type: ignore[arg-type]  # checked by pydantic
    return EncoderSpec(
        data="0" * 64,
        partition=PARTITION,
        seed=0,
        draw=draw,
        representation=RepresentationSpec(
            name="vae", latent_dim=latent_dim, settings=training.model_dump()
        ),
        threads=1,
    )


def train(out: Path, **options: object) -> EncoderHistory:
    out.mkdir()
    of = spec(**options)  # type: ignore[arg-type]  # plain numbers
    return Vae(of.representation).train(
        of,
        IMAGES,
        PART,
        out,
        Checkpoint(out.with_suffix(".state")),
        lambda _: None,
    )


@pytest.mark.parametrize("latent_dim", [2, 8, 10, 16])
def test_parameter_counts_are_keras_s(latent_dim: int) -> None:
    """The closed forms count what Keras counts, for the encoder, its mean path and the decoder."""
    encoder = vae_network.build_encoder(latent_dim, 0)
    assert encoder.count_params() == encoder_parameters(latent_dim)
    head = encoder.get_layer("log_variance").count_params()
    assert mean_path_parameters(latent_dim) == encoder.count_params() - head
    assert vae_network.build_decoder(latent_dim, 0).count_params() == decoder_parameters(latent_dim)


def test_the_notebook_s_counts() -> None:
    """At 10 dimensions the encoder has 494,772 parameters, and its mean path 494,442."""
    assert (encoder_parameters(10), mean_path_parameters(10)) == (494_772, 494_442)


def test_training_is_a_function_of_its_spec(tmp_path: Path) -> None:
    """The same spec gives the same bits; another draw gives others."""
    first, again, other = (
        train(tmp_path / "first"),
        train(tmp_path / "again"),
        train(tmp_path / "other", draw=1),
    )
    assert first == again
    assert first != other
    means = [np.load(tmp_path / name / MEANS_FILE) for name in ("first", "again")]
    np.testing.assert_array_equal(*means)


def test_the_optimizer_is_the_spec_s(tmp_path: Path) -> None:
    """Keras 2's rule takes longer first steps; its training, too, is a function of its spec."""
    plain = train(tmp_path / "plain")
    keras2, again = (
        train(tmp_path / name, optimizer="keras2_rmsprop") for name in ("keras2", "again")
    )
    assert keras2 == again
    assert keras2["loss"] != plain["loss"]


class CutError(Exception):
    """Ends a training."""


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_training_that_is_cut_short_goes_on(tmp_path: Path, precision: str) -> None:
    """After every finished epoch: the same bits as without a cut, and no epoch trained twice."""
    options = {"epochs": 4, "precision": precision}
    whole = train(tmp_path / "whole", **options)
    checkpoint = Checkpoint(tmp_path / "state")

    def go_on(out: Path, last: int) -> EncoderHistory:
        begun: list[float] = []

        def report(fraction: float) -> None:
            begun.append(4 * fraction)
            if len(begun) == 2 and last < 3:
                raise CutError

        out.mkdir()
        of = spec(**options)  # type: ignore[arg-type]  # plain numbers
        history = Vae(of.representation).train(of, IMAGES, PART, out, checkpoint, report)
        assert begun == [3]
        return history

    for epoch in range(3):
        with pytest.raises(CutError):
            go_on(tmp_path / f"part-{epoch}", epoch)
    assert go_on(tmp_path / "last", 3) == whole
    means = [np.load(tmp_path / name / MEANS_FILE) for name in ("whole", "last")]
    np.testing.assert_array_equal(*means)


def test_an_older_version_s_checkpoint_is_gone_on_from(tmp_path: Path) -> None:
    """It holds no history for those who watch: the same bits all the same."""
    whole = train(tmp_path / "whole")
    path = tmp_path / "old.state"
    of = spec()

    def cut(fraction: float) -> None:
        if fraction > 0.5:
            raise CutError

    (tmp_path / "cut").mkdir()
    with pytest.raises(CutError):
        Vae(of.representation).train(of, IMAGES, PART, tmp_path / "cut", Checkpoint(path), cut)
    assert Checkpoint(path).history() == {name: curve[:2] for name, curve in whole.items()}
    with np.load(io.BytesIO(path.read_bytes()[32:]), allow_pickle=False) as stored:
        old = {name: value for name, value in stored.items() if name not in ("history", "key")}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **old)
    path.write_bytes(hashlib.sha256(content.getbuffer()).digest() + content.getvalue())
    assert Checkpoint(path).history() is None
    begun: list[float] = []
    (tmp_path / "old").mkdir()
    checkpoint = Checkpoint(path)
    history = Vae(of.representation).train(
        of, IMAGES, PART, tmp_path / "old", checkpoint, begun.append
    )
    assert begun == [pytest.approx(2 / 3)]
    assert history == whole
    assert checkpoint.history() == whole
    means = [np.load(tmp_path / name / MEANS_FILE) for name in ("whole", "old")]
    np.testing.assert_array_equal(*means)


@pytest.mark.parametrize("damage", [slice(0), slice(20), slice(3000), slice(None, None, -1)])
def test_a_damaged_checkpoint_is_not_used(tmp_path: Path, damage: slice) -> None:
    """The training starts anew, and ends as if there had been none."""
    whole = train(tmp_path / "whole")
    state = tmp_path / "whole.state"
    state.write_bytes(state.read_bytes()[damage])
    state.rename(tmp_path / "again.state")
    assert train(tmp_path / "again") == whole


def test_the_history_is_of_its_epochs(tmp_path: Path) -> None:
    """The loss is reconstruction plus KL, falls, and active dimensions are counted."""
    history = train(tmp_path / "vae", epochs=6)
    assert len(history["loss"]) == 6
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(
        history["loss"], np.add(history["reconstruction_loss"], history["kl"]), rtol=1e-6
    )
    assert all(0 <= count <= 3 for count in history["active_dimensions"])
    # Pixels are at most 784 x ln 2 nats away for a decoder that knows nothing at all.
    assert history["reconstruction_loss"][0] < 784 * np.log(2) * 1.5


def test_features_are_the_latent_means(tmp_path: Path) -> None:
    """Every image's mean is stored, and is what the stored weights give."""
    train(tmp_path / "vae")
    features = LatentMeans(tmp_path / "vae").features(IMAGES, np.array([5, 3]))
    assert features.shape == (2, 3)
    assert features.dtype == np.float32
    encoder = vae_network.build_encoder(3, seed=99)
    stored = np.load(tmp_path / "vae" / WEIGHTS_FILE, allow_pickle=False)
    encoder.set_weights([stored[key] for key in sorted(stored) if key.startswith("encoder")])
    np.testing.assert_allclose(
        vae_network.encode(encoder, IMAGES)[[5, 3]], features, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_weights_and_outputs_are_float32(precision: Precision) -> None:
    """Whatever the precision between; and bfloat16 is really what the layers compute in."""
    networks = (
        vae_network.build_encoder(3, 0, precision),
        vae_network.build_decoder(3, 0, precision),
    )
    for network in networks:
        assert {weight.dtype for weight in network.weights} == {"float32"}
        assert {output.dtype for output in network.outputs} == {"float32"}
        inner = [layer.compute_dtype for layer in network.layers if "conv2d" in layer.name]
        assert precision in inner


def test_bfloat16_trains_as_float32_does(tmp_path: Path) -> None:
    """The same initial weights, order and noise: nearly the same losses, of other bits."""

    def losses(precision: Precision) -> tuple[float, ...]:
        return train(tmp_path / precision, learning_rate=0.0001, precision=precision)["loss"]

    exact, mixed = losses("float32"), losses("bfloat16")
    np.testing.assert_allclose(mixed, exact, rtol=0.02)
    assert mixed != exact


def test_divergence_says_where(tmp_path: Path) -> None:
    """A loss that is not finite ends the training with its epoch and draw."""
    with pytest.raises(DivergedError, match=r"epoch \d of 3 \(draw 1\)"):
        train(tmp_path / "vae", learning_rate=1e6)
