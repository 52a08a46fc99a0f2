"""Artifacts on their way: what arrives is the same, and what is not whole is not taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sweep.artifacts import ArtifactStore, NotWholeError, pack, unpack
from sweep.data.datasets import DatasetSource
from sweep.home import Home
from sweep.results import Curves, DrawResult, EncoderRecord
from sweep.specs import Artifact
from tests.builders import trial_spec

SPEC = trial_spec()
ENCODER, DRAW = SPEC.encoder(0), SPEC.outer_draws[0]
CURVE = (0.5,) * SPEC.classifier.epochs
DATASET = DatasetSource.of("mnist-5k", None)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    """A store that has one of each kind that travels."""
    home = Home.at(tmp_path / "here")
    home.create()
    store = ArtifactStore(home)
    store.datasets.keep(DATASET.load())
    store.encoders.get_or_make(ENCODER, make_encoder)
    store.checkpoint(ENCODER.key).save({"weights": np.arange(3)}, {"loss": (1.0,)})
    curves = Curves(train_loss=CURVE, train_accuracy=CURVE, val_loss=CURVE, val_accuracy=CURVE)
    result = DrawResult(key=DRAW.key, draw=0, labels=10, members=(curves,) * 3, seconds=1.0)
    store.draws.keep(DRAW, result)
    return store


@pytest.fixture
def other(tmp_path: Path) -> ArtifactStore:
    """An empty store."""
    home = Home.at(tmp_path / "there")
    home.create()
    return ArtifactStore(home)


def make_encoder(out: Path) -> EncoderRecord:
    (out / "weights.npz").write_bytes(b"weights")
    return EncoderRecord(
        spec=ENCODER,
        history={"loss": (1.0,)},
        parameters=12,
        train_seconds=1.0,
        started_at=1,
        finished_at=2,
    )


ARTIFACTS = [
    Artifact("dataset", DATASET.load().sha256),
    Artifact("encoder", ENCODER.key),
    Artifact("checkpoint", ENCODER.key),
    Artifact("draw", DRAW.key),
]


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda each: each.kind)
def test_what_arrives_is_the_same(
    store: ArtifactStore, other: ArtifactStore, artifact: Artifact
) -> None:
    """In every byte; and a second time it is no matter."""
    assert pack(other, artifact) is None
    package = pack(store, artifact)
    assert package
    for _ in range(2):
        unpack(other, artifact, package)
        assert pack(other, artifact) == package


def flipped(content: bytes) -> bytes:
    """A content with another byte in its middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "a flipped bit": lambda files: {name: flipped(content) for name, content in files.items()},
    "half of it": lambda files: {
        name: content[: len(content) // 2] for name, content in files.items()
    },
    "nothing": lambda _: {},
    "a file beside it": lambda files: files | {"other": b"other"},
    "another path": lambda files: {f"../{name}": content for name, content in files.items()},
}


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda each: each.kind)
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_whole_is_not_taken(
    store: ArtifactStore, other: ArtifactStore, artifact: Artifact, damage: str, tmp_path: Path
) -> None:
    """Nothing appears anywhere."""
    package = pack(store, artifact)
    assert package is not None
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NotWholeError):
        unpack(other, artifact, DAMAGES[damage](dict(package)))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda each: each.kind)
def test_what_is_another_s_is_not_taken(
    store: ArtifactStore, other: ArtifactStore, artifact: Artifact
) -> None:
    """Though it is whole: under its own key alone it is believed."""
    package = pack(store, artifact)
    assert package is not None
    false = Artifact(artifact.kind, artifact.key[::-1])
    renamed = {name.replace(artifact.key, false.key): content for name, content in package.items()}
    with pytest.raises(NotWholeError):
        unpack(other, false, renamed)


def test_what_is_damaged_is_not_sent(store: ArtifactStore) -> None:
    """A home's own damage goes nowhere."""
    weights = store.encoders.path(ENCODER.key) / "weights.npz"
    weights.write_bytes(b"other")
    assert pack(store, Artifact("encoder", ENCODER.key)) is None


def test_what_is_damaged_is_replaced(store: ArtifactStore, other: ArtifactStore) -> None:
    """A whole one that arrives takes the place of one that is not."""
    artifact = Artifact("encoder", ENCODER.key)
    package = pack(store, artifact)
    assert package is not None
    unpack(other, artifact, package)
    (other.encoders.path(ENCODER.key) / "weights.npz").write_bytes(b"other")
    unpack(other, artifact, package)
    assert pack(other, artifact) == package
