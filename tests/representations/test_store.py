"""The encoder store: trained once, whole or not there, checked when it is used."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sweep.errors import DivergedError
from sweep.home import Home
from sweep.representations.checkpoint import Checkpoint
from sweep.representations.store import EncoderStore
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec, NotebookPartition, RepresentationSpec

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


class Training:
    """Counts how often it is done."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, out: Path, checkpoint: Checkpoint) -> EncoderHistory:
        self.times += 1
        (out / "weights.npz").write_bytes(b"weights")
        return HISTORY


def test_an_encoder_is_trained_once(home: Home) -> None:
    """The second time it is there, with its record."""
    training, store = Training(), EncoderStore(home)
    assert not store.has(SPEC.key)
    record, *others = [store.get_or_train(SPEC, 12, training) for _ in range(3)]
    assert training.times == 1
    assert others == [record, record]
    assert store.has(SPEC.key)
    assert store.record(SPEC.key) == record
    assert (record.spec, record.history, record.parameters) == (SPEC, HISTORY, 12)
    assert record.environment is not None
    assert record.environment.packages["tensorflow"]


def test_a_training_that_fails_leaves_nothing(home: Home) -> None:
    """No half of an encoder is ever found."""

    def fail(out: Path, checkpoint: Checkpoint) -> EncoderHistory:
        (out / "weights.npz").write_bytes(b"half")
        raise RuntimeError("no")

    store = EncoderStore(home)
    with pytest.raises(RuntimeError, match="no"):
        store.get_or_train(SPEC, 0, fail)
    assert not store.has(SPEC.key)
    assert list(home.encoders.iterdir()) == []
    training = Training()
    store.get_or_train(SPEC, 0, training)
    assert training.times == 1


@pytest.mark.parametrize("damage", ["truncate", "alter", "delete", "directory", "another"])
@pytest.mark.parametrize("file", ["weights.npz", "record.json", "manifest.json"])
def test_a_damaged_encoder_is_set_aside_and_trained_again(
    home: Home, file: str, damage: str
) -> None:
    """A file that is not what was published is noticed; the damaged encoder is kept aside.

    So is a whole encoder in another's place, each of whose files is as it should be.
    """
    training, store = Training(), EncoderStore(home)
    store.get_or_train(SPEC, 0, training)
    damaged = store.path(SPEC.key) / file
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
            store.get_or_train(other, 0, Training())
            shutil.rmtree(store.path(SPEC.key))
            shutil.copytree(store.path(other.key), store.path(SPEC.key))
    if file == "record.json" or damage == "another":
        assert store.record(SPEC.key) is None
    assert store.get_or_train(SPEC, 0, training).spec == SPEC
    assert training.times == 2
    assert (store.path(SPEC.key) / "weights.npz").read_bytes() == b"weights"
    assert len([p for p in home.encoders.iterdir() if ".damaged-" in p.name]) == 1


def test_what_a_killed_training_left_is_removed(home: Home) -> None:
    """The next training of the same encoder clears it away; others' files are left alone."""
    (home.encoders / f".{SPEC.key}-abc").mkdir()
    (home.encoders / ".other-abc").mkdir()
    EncoderStore(home).get_or_train(SPEC, 0, Training())
    assert {path.name for path in home.encoders.iterdir()} == {SPEC.key, ".other-abc"}


def test_what_was_trained_of_an_encoder_is_handed_on(home: Home) -> None:
    """A training that is cut short leaves its state to the next, with its seconds, and no other."""
    store = EncoderStore(home)

    def cut_short(out: Path, checkpoint: Checkpoint) -> EncoderHistory:
        time.sleep(0.2)
        checkpoint.save({"epoch": np.array(7)})
        raise CutError

    def go_on(out: Path, checkpoint: Checkpoint) -> EncoderHistory:
        state = checkpoint.load()
        assert state is not None
        assert state.keys() == {"epoch"}
        assert int(state["epoch"]) == 7
        return HISTORY

    with pytest.raises(CutError):
        store.get_or_train(SPEC, 0, cut_short)
    assert store.list_half_trained() == [SPEC.key]
    record = store.get_or_train(SPEC, 0, go_on)
    assert store.list_half_trained() == []
    assert record.train_seconds > 0.2
    assert record.finished_at - record.started_at == pytest.approx(
        1000 * record.train_seconds, abs=2
    )


def test_what_has_diverged_leaves_no_checkpoint(home: Home) -> None:
    """Nothing good would come of going on from there."""

    def diverge(out: Path, checkpoint: Checkpoint) -> EncoderHistory:
        checkpoint.save({"epoch": np.array(7)})
        raise DivergedError("no")

    store = EncoderStore(home)
    with pytest.raises(DivergedError):
        store.get_or_train(SPEC, 0, diverge)
    assert store.list_half_trained() == []


@pytest.mark.parametrize("place", ["damaged", "directory", "another's", "unnamed"])
def test_a_checkpoint_is_its_own_training_s(home: Home, place: str) -> None:
    """What is not whole, or another's, is set aside; one that an older version wrote is taken."""
    path, other = home.checkpoints / SPEC.key, home.checkpoints / ("0" * 32)
    Checkpoint(path).save({"epoch": np.array(7)})
    assert Checkpoint(path).load() == {"epoch": np.array(7)}
    match place:
        case "damaged":
            path.write_bytes(path.read_bytes()[:-1])
        case "directory":
            path.unlink()
            path.mkdir()
        case "another's":
            Checkpoint(other).save({"epoch": np.array(8)})
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
    assert EncoderStore(home).list_half_trained() == []
    assert len(list(home.checkpoints.glob("*.damaged-*"))) == 1
    Checkpoint(path).save({"epoch": np.array(1)})
    assert Checkpoint(path).load() == {"epoch": np.array(1)}


class CutError(Exception):
    """Ends a training."""


RACER = """
import sys, time
from pathlib import Path
from sweep.errors import DivergedError
from sweep.home import Home
from sweep.representations.store import EncoderStore
from tests.representations.test_store import HISTORY, SPEC

def train(out, checkpoint):
    with open(sys.argv[2], "a") as log:
        log.write("trained\\n")
    time.sleep(1)
    (out / "weights.npz").write_bytes(b"weights")
    return HISTORY

EncoderStore(Home.at(Path(sys.argv[1]))).get_or_train(SPEC, 0, train)
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
