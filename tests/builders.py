"""Specs, results and reports, with any field of one's choosing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweep.configuration import ClassifierTraining, NotebookPartition, RepresentationSpec
from sweep.reports.comparison import Report, compare
from sweep.reports.provenance import EncodersOrigin, Provenance
from sweep.reports.rows import Measured
from sweep.results import Curves, DataFacts, Environment, Replicate, TrialResult
from sweep.specs import TrialSpec

VAE_SETTINGS: dict[str, bool | int | float | str] = {
    "epochs": 35,
    "batch_size": 128,
    "learning_rate": 0.001,
    "precision": "float32",
}


def trial_spec(**fields: Any) -> TrialSpec:
    """The notebook's VAE row 10 → 200, five draws of three classifiers."""
    defaults: dict[str, Any] = {
        "data": "0" * 64,
        "partition": NotebookPartition(scheme="notebook"),
        "seed": 0,
        "draws": 5,
        "members": 3,
        "representation": RepresentationSpec(name="vae", latent_dim=10, settings=VAE_SETTINGS),
        "hidden_neurons": 200,
        "classifier": ClassifierTraining(epochs=50, batch_size=256, learning_rate=0.001),
        "labels_from": "classifier",
        "scored_on": "test",
        "threads": 1,
    }
    return TrialSpec(**(defaults | fields))


KERAS2: dict[str, Any] = {"optimizer": "keras2_rmsprop"}


def letter_spec(**fields: Any) -> TrialSpec:
    """The same row, trained by the notebook's protocol to the letter."""
    defaults: dict[str, Any] = {
        "representation": RepresentationSpec(
            name="vae", latent_dim=10, settings=VAE_SETTINGS | KERAS2
        ),
        "classifier": ClassifierTraining(
            epochs=50, batch_size=256, learning_rate=0.001, optimizer="keras2_rmsprop"
        ),
    }
    return trial_spec(**(defaults | fields))


def trial_result(accuracies: list[list[float]], **fields: Any) -> TrialResult:
    """A result with these accuracies, a list for each draw."""
    curve = (0.5,) * 50
    defaults: dict[str, Any] = {
        "key": "k",
        "labels": 13_859,
        "classifier_parameters": 4_210,
        "representation_parameters": 494_442,
        "replicates": tuple(
            Replicate(draw=draw, member=member, accuracy=accuracy, accuracy_best_epoch=accuracy)
            for draw, members in enumerate(accuracies)
            for member, accuracy in enumerate(members)
        ),
        "curves": Curves(
            train_loss=curve, train_accuracy=curve, val_loss=curve, val_accuracy=curve
        ),
        "encoders": (),
        "train_seconds": 1.0,
        "started_at": 1_000,
        "finished_at": 2_000,
    }
    return TrialResult(**(defaults | fields))


PROVENANCE = Provenance(
    dataset=DataFacts(name="mnist", sha256="0" * 64, is_mnist=True),
    seed=0,
    config={"name": "study"},
    environments=(
        Environment(
            cpu="a processor",
            cores=2,
            bf16_units=("avx512_bf16",),
            system="a system",
            python="3.11.7",
            packages={"tensorflow": "2.21.0"},
            git_revision=None,
        ),
    ),
    encoders=(
        EncodersOrigin(
            count=5,
            began="2025-12-30T00:00:00+00:00",
            ended="2025-12-31T00:00:00+00:00",
            environment=Environment(
                cpu="another processor",
                cores=4,
                git_revision="abc",
                variables={"LD_PRELOAD": "theirs.so"},
            ),
        ),
    ),
    attempts={"complete": 2},
    began="2026-01-01T00:00:00+00:00",
    ended="2026-01-01T01:00:00+00:00",
    train_seconds=10.0,
    encoder_seconds=100.0,
)


def study_report(measured: Sequence[Measured], **arguments: Any) -> Report:
    """A report of some measured trials, on the test partition of all of MNIST."""
    defaults: dict[str, Any] = {
        "study": "study",
        "scored_on": "test",
        "is_mnist": True,
        "provenance": PROVENANCE,
    }
    return compare(measured=measured, **(defaults | arguments))
