"""A worker that trains nothing: results come from the spec alone, encoders are files."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sweep.errors import DataError, DivergedError
from sweep.evaluation import SPEC
from sweep.home import Home
from sweep.representations.checkpoint import Checkpoint
from sweep.representations.store import EncoderStore
from sweep.trial import (
    Curves,
    EncoderHistory,
    EncoderSpec,
    Replicate,
    Report,
    TrialResult,
    TrialSpec,
)

# Numbers of hidden neurons, and a latent dimension, that stand for what may go wrong.
KILLED, DIVERGES, DATA_GONE, BROKEN_LATENT_DIM = 13, 14, 15, 99


def prepare(home: Home) -> Callable[[str, Report], str]:
    return partial(work, home)


def work(home: Home, payload: str, report: Report) -> str:
    spec = SPEC.validate_json(payload)
    with (home.root / "log").open("a") as log:
        log.write(f"{type(spec).__name__} {spec.key}\n")
    if isinstance(spec, EncoderSpec):
        store = EncoderStore(home)
        store.get_or_train(spec, 100, partial(train, spec))
        return store.record(spec.key).model_dump_json()
    assert isinstance(spec, TrialSpec)
    return evaluate(home, spec).model_dump_json()


def train(spec: EncoderSpec, out: Path, checkpoint: Checkpoint) -> EncoderHistory:
    if spec.representation.latent_dim == BROKEN_LATENT_DIM:
        raise DivergedError("the VAE diverged")
    time.sleep(0.05)
    (out / "weights").write_text("weights")
    return EncoderHistory(
        loss=(2.0,), reconstruction_loss=(1.0,), kl=(1.0,), active_dimensions=(1,)
    )


def evaluate(home: Home, spec: TrialSpec) -> TrialResult:
    match spec.hidden_neurons:
        case 13:
            if not (home.root / "killed").exists():
                (home.root / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case 14:
            raise DivergedError("the classifier diverged")
        case 15:
            raise DataError("the dataset changed")
    encoders = tuple(spec.encoder(d).key for d in range(spec.draws)) if needs_encoder(spec) else ()
    assert all(EncoderStore(home).has(key) for key in encoders), "an encoder is not there"
    accuracy = 1 - 1 / (1 + spec.hidden_neurons)
    curve = (accuracy,)
    now = time.time_ns() // 1_000_000
    return TrialResult(
        key=spec.key,
        labels=100,
        classifier_parameters=spec.hidden_neurons,
        representation_parameters=0,
        replicates=tuple(
            Replicate(draw=d, member=0, accuracy=accuracy, accuracy_best_epoch=accuracy)
            for d in range(spec.draws)
        ),
        curves=Curves(train_loss=curve, train_accuracy=curve, val_loss=curve, val_accuracy=curve),
        encoders=encoders,
        train_seconds=0.1,
        started_at=now,
        finished_at=now,
    )


def needs_encoder(spec: TrialSpec) -> bool:
    return spec.representation.name == "vae"
