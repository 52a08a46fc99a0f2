"""The encoder store: trained once, whole or not there, checked when it is used."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sweep.artifacts import ArtifactStore, Checkpoint
from sweep.configuration import NotebookPartition, RepresentationSpec
from sweep.home import Home
from sweep.results import EncoderHistory, EncoderRecord
from sweep.specs import EncoderSpec

HISTORY = EncoderHistory(loss=(1.0,), reconstruction_loss=(0.5,), kl=(0.5,), active_dimensions=(2,))
SPEC = EncoderSpec(
    data="0" * 64,
    partition=NotebookPartition(scheme="notebook"),
    seed=0,
    draw=0,
    representation=RepresentationSpec(name="vae", latent_dim=2),
    threads=1,
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path)
    home.create()
    return home


def record(spec: EncoderSpec = SPEC) -> EncoderRecord:
    return EncoderRecord(
        spec=spec, history=HISTORY, parameters=12, train_seconds=1.0, started_at=1, finished_at=2
    )


class Training:
    """Counts how often it is done."""

    def __init__(self, spec: EncoderSpec = SPEC) -> None:
        self.times = 0
        self._spec = spec

    def __call__(self, out: Path) -> EncoderRecord:
        self.times += 1
        (out / "weights.npz").write_bytes(b"weights")
        return record(self._spec)


def test_an_encoder_is_trained_once(home: Home) -> None:
    """The second time it is there, with its record."""
    training, encoders = Training(), ArtifactStore(home).encoders
    assert not encoders.has(SPEC.key)
    made = [encoders.get_or_make(SPEC, training) for _ in range(3)]
    assert training.times == 1
    assert made == [record()] * 3
    assert encoders.has(SPEC.key)
    assert encoders.record(SPEC.key) == record()
    assert encoders.published() == [SPEC.key]


def test_a_training_that_fails_leaves_nothing(home: Home) -> None:
    """No half of an encoder is ever found."""

    def fail(out: Path) -> EncoderRecord:
        (out / "weights.npz").write_bytes(b"half")
        raise RuntimeError("no")

    encoders = ArtifactStore(home).encoders
    with pytest.raises(RuntimeError, match="no"):
        encoders.get_or_make(SPEC, fail)
    assert not encoders.has(SPEC.key)
    assert list(home.encoders.iterdir()) == []
    training = Training()
    encoders.get_or_make(SPEC, training)
    assert training.times == 1


@pytest.mark.parametrize("damage", ["truncate", "alter", "delete", "directory", "another"])
@pytest.mark.parametrize("file", ["weights.npz", "record.json", "manifest.json"])
def test_a_damaged_encoder_is_set_aside_and_trained_again(
    home: Home, file: str, damage: str
) -> None:
    """A file that is not what was published is noticed; the damaged encoder is kept aside.

    So is a whole encoder in another's place, each of whose files is as it should be.
    """
    training, encoders = Training(), ArtifactStore(home).encoders
    encoders.get_or_make(SPEC, training)
    damaged = encoders.path(SPEC.key) / file
    match damage:
        case "truncate":
            os.truncate(damaged, 3)
        case "alter":
            damaged.write_bytes(damaged.read_bytes()[:-2] + b"y}")
        case "delete":
            damaged.unlink()
        case "directory":
            damaged.unlink()
            damaged.mkdir()
        case "another":
            other = SPEC.model_copy(update={"draw": 7})
            encoders.get_or_make(other, Training(other))
            shutil.rmtree(encoders.path(SPEC.key))
            shutil.copytree(encoders.path(other.key), encoders.path(SPEC.key))
    if file != "weights.npz" or damage == "another":
        assert encoders.record(SPEC.key) is None
    assert encoders.get_or_make(SPEC, training).spec == SPEC
    assert training.times == 2
    assert (encoders.path(SPEC.key) / "weights.npz").read_bytes() == b"weights"
    assert len([p for p in home.encoders.iterdir() if ".damaged-" in p.name]) == 1


def test_what_a_killed_training_left_is_removed(home: Home) -> None:
    """The next training of the same encoder clears it away; others' files are left alone."""
    (home.encoders / f".{SPEC.key}-abc").mkdir()
    (home.encoders / ".other-abc").mkdir()
    ArtifactStore(home).encoders.get_or_make(SPEC, Training())
    assert {path.name for path in home.encoders.iterdir()} == {SPEC.key, ".other-abc"}


@pytest.mark.parametrize("place", ["damaged", "directory", "another's", "unnamed"])
def test_a_checkpoint_is_its_own_training_s(home: Home, place: str) -> None:
    """What is not whole, or another's, is set aside; one that an older version wrote is taken."""
    path, other = home.checkpoints / SPEC.key, home.checkpoints / ("0" * 32)
    Checkpoint(path).save({"epoch": np.array(7)}, HISTORY)
    assert Checkpoint(path).load() == {"epoch": np.array(7)}
    match place:
        case "damaged":
            path.write_bytes(path.read_bytes()[:-1])
        case "directory":
            path.unlink()
            path.mkdir()
        case "another's":
            Checkpoint(other).save({"epoch": np.array(8)}, HISTORY)
            other.rename(path)
        case "unnamed":
            content = io.BytesIO()
            np.savez(content, allow_pickle=False, epoch=np.array(9), seconds=np.array(1.0))
            digest = hashlib.sha256(content.getbuffer()).digest()
            path.write_bytes(digest + content.getvalue())
    loaded = Checkpoint(path).load()
    if place == "unnamed":
        assert loaded == {"epoch": np.array(9)}
        return
    assert loaded is None
    assert ArtifactStore(home).half_trained() == []
    assert len(list(home.checkpoints.glob("*.damaged-*"))) == 1
    Checkpoint(path).save({"epoch": np.array(1)}, HISTORY)
    assert Checkpoint(path).load() == {"epoch": np.array(1)}


def test_a_checkpoint_s_history_can_be_watched(home: Home) -> None:
    """Whoever looks sees the epochs so far and moves nothing; the training does not see them.

    Nothing is made of a file that is not there, of an older version, another's, or cut off.
    """
    path = home.checkpoints / SPEC.key
    assert Checkpoint(path).history() is None
    state = {"epoch": np.arange(1000)}
    Checkpoint(path).save(state, HISTORY)
    first = ArtifactStore(home).progress(SPEC)
    Checkpoint(path).save(state, {name: curve * 2 for name, curve in HISTORY.items()})
    assert Checkpoint(path).history() == {name: curve * 2 for name, curve in HISTORY.items()}
    assert ArtifactStore(home).progress(SPEC) > first
    loaded = Checkpoint(path).load()
    assert loaded is not None
    assert loaded.keys() == {"epoch"}
    content = path.read_bytes()
    for length in (0, 20, 40, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        assert Checkpoint(path).history() is None
    path.with_name("another").write_bytes(content)
    assert Checkpoint(path.with_name("another")).history() is None
    old = io.BytesIO()
    np.savez(old, allow_pickle=False, epoch=np.array(9), seconds=np.array(1.0))
    path.write_bytes(hashlib.sha256(old.getbuffer()).digest() + old.getvalue())
    assert Checkpoint(path).history() is None
    assert not list(home.checkpoints.glob("*.damaged-*"))


RACER = """
import sys, time
from pathlib import Path
from sweep.artifacts import ArtifactStore
from sweep.home import Home
from tests.artifacts.test_encoders import SPEC, record

def train(out):
    with open(sys.argv[2], "a") as log:
        log.write("trained\\n")
    time.sleep(1)
    (out / "weights.npz").write_bytes(b"weights")
    return record()

ArtifactStore(Home.at(Path(sys.argv[1]))).encoders.get_or_make(SPEC, train)
"""


def test_processes_that_want_the_same_encoder_train_it_once(home: Home, tmp_path: Path) -> None:
    """Real processes at the same time: one trains, the others wait for it."""
    log = tmp_path / "log"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, tmp_path, log],
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        for _ in range(3)
    ]
    assert [racer.wait(60) for racer in racers] == [0, 0, 0]
    assert log.read_text() == "trained\n"
