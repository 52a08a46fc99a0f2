"""A worker that trains nothing: results come from the spec alone, encoders are files."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from sweep.artifacts import ArtifactStore, Checkpoint
from sweep.configuration import ClassifierTraining, RepresentationSpec
from sweep.errors import DataError, DivergedError
from sweep.home import Home
from sweep.results import Assessment, Curves, DrawResult, EncoderHistory, EncoderRecord, ModelRecord
from sweep.specs import SPEC, DrawSpec, EncoderSpec, ModelSpec, Spec, TrialSpec
from sweep.values import OnProgress
from tests.builders import trial_spec

# Numbers of hidden neurons, and a latent dimension, that stand for what may go wrong.
KILLED, DIVERGES, DATA_GONE, KILLS, BROKEN_LATENT_DIM = 13, 14, 15, 16, 99
SLOW_DRAW_LATENT_DIM = 97
SLOW_LATENT_DIM, SLOW_EPOCHS = 98, 40
"""An encoder that is trained in epochs, each of which is kept; half-way, two dimensions go."""
HISTORY: EncoderHistory = {
    "loss": (2.0,),
    "reconstruction_loss": (1.0,),
    "kl": (1.0,),
    "active_dimensions": (1.0,),
}


def trial(latent_dim: int | None, hidden_neurons: int, draws: int = 1) -> TrialSpec:
    """A trial on latents, or on pixels where there are no dimensions; one classifier, one epoch."""
    name = "pixels" if latent_dim is None else "vae"
    return trial_spec(
        representation=RepresentationSpec(name=name, latent_dim=latent_dim),
        hidden_neurons=hidden_neurons,
        draws=draws,
        members=1,
        classifier=ClassifierTraining(epochs=1, batch_size=256, learning_rate=0.001),
    )


def made(spec: Spec) -> str:
    """The JSON of what comes of a spec, from it alone."""
    if isinstance(spec, EncoderSpec):
        return encoder_record(spec).model_dump_json()
    if isinstance(spec, DrawSpec):
        return draw_result(spec).model_dump_json()
    if isinstance(spec, ModelSpec):
        return ModelRecord(spec=spec, accuracy=0.5).model_dump_json()
    return Assessment(
        key=spec.key, accuracies=((0.5,),), confusion=((1,),), milliseconds=1.0
    ).model_dump_json()


def encoder_record(spec: EncoderSpec) -> EncoderRecord:
    now = time.time_ns() // 1_000_000
    return EncoderRecord(
        spec=spec,
        history=HISTORY,
        parameters=100,
        train_seconds=0.1,
        started_at=now,
        finished_at=now,
    )


def draw_result(spec: DrawSpec) -> DrawResult:
    accuracy = 1 - 1 / (1 + spec.trial.hidden_neurons)
    curve = (accuracy,)
    curves = Curves(train_loss=curve, train_accuracy=curve, val_loss=curve, val_accuracy=curve)
    members = (curves,) * spec.trial.members
    return DrawResult(key=spec.key, draw=spec.draw, labels=100, members=members, seconds=0.1)


def prepare(home: Home) -> Callable[[str, OnProgress], str]:
    return partial(work, home)


def work(home: Home, payload: str, on_progress: OnProgress) -> str:
    spec = SPEC.validate_json(payload)
    with (home.root / "log").open("a") as log:
        log.write(f"{spec.kind} {spec.key}\n")
    if isinstance(spec, EncoderSpec):
        store = ArtifactStore(home)
        make = partial(train, spec)
        if spec.representation.latent_dim == SLOW_LATENT_DIM:
            make = partial(train_slowly, spec, store.checkpoint(spec.key), on_progress)
        record = store.encoders.get_or_make(spec, make)
        store.checkpoint(spec.key).remove()
        return record.model_dump_json()
    assert isinstance(spec, DrawSpec)
    return evaluate(home, spec).model_dump_json()


def train(spec: EncoderSpec, out: Path) -> EncoderRecord:
    if spec.representation.latent_dim == BROKEN_LATENT_DIM:
        raise DivergedError("the VAE diverged")
    time.sleep(0.05)
    (out / "weights").write_text("weights")
    return encoder_record(spec)


def train_slowly(
    spec: EncoderSpec, checkpoint: Checkpoint, on_progress: OnProgress, out: Path
) -> EncoderRecord:
    """A training that goes on from its last epoch."""
    state = checkpoint.load() or {"epochs": np.zeros(0)}
    for epoch in range(len(state["epochs"]), SLOW_EPOCHS):
        on_progress(epoch / SLOW_EPOCHS)
        time.sleep(0.15)
        state = {"epochs": np.arange(epoch + 1)}
        checkpoint.save(state, slow_history(epoch + 1))
    (out / "weights").write_text("weights")
    record = encoder_record(spec)
    return record.model_copy(update={"history": slow_history(SLOW_EPOCHS)})


def slow_history(epochs: int) -> EncoderHistory:
    """What the slow encoder's training came to in so many epochs."""
    done = range(1, epochs + 1)
    lost = [2.0 * (epoch > SLOW_EPOCHS / 2) for epoch in done]
    return {
        "loss": tuple(1 / epoch for epoch in done),
        "active_dimensions": tuple(SLOW_LATENT_DIM - each for each in lost),
    }


def evaluate(home: Home, spec: DrawSpec) -> DrawResult:
    match spec.trial.hidden_neurons:
        case 13:
            if not (home.root / "killed").exists():
                (home.root / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case 14:
            raise DivergedError("the classifier diverged")
        case 15:
            raise DataError("the dataset changed")
        case 16:
            os.kill(os.getpid(), signal.SIGKILL)
    if spec.trial.representation.latent_dim == SLOW_DRAW_LATENT_DIM:
        time.sleep(4)
    if spec.trial.representation.name == "vae":
        assert ArtifactStore(home).encoders.has(spec.trial.encoder(spec.draw).key), (
            "no encoder is there"
        )
    return draw_result(spec)
