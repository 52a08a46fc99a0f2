"""A small study config, and results without training."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from sweep.config import StudyConfig, parse_config
from sweep.results import Curves, DataFacts, Replicate, TrialResult
from sweep.search.attempt import Attempt, Cause, Failure
from sweep.search.study import Study

FACTS = DataFacts(name="mnist-5k", sha256="0" * 64, is_mnist=False)
_CLASSIFIER = {"epochs": 1, "batch_size": 10, "learning_rate": 0.1}


LEARNING_SAMPLERS = [
    *("tpe", "nsga2"),
    pytest.param(
        "gp",
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed"),
        ],
    ),
]
SAMPLERS = ["random", "grid", "qmc", *LEARNING_SAMPLERS]


def config(
    sampler: str = "random",
    rows: list[dict[str, Any]] | None = None,
    search: dict[str, Any] | None = None,
    precision: str = "float32",
    **trials: int,
) -> StudyConfig:
    """A study over 3 x 8 cells of vae and 12 of pixels.

    Args:
        sampler: its sampler.
        rows: its rows.
        search: more keys of its search.
        precision: of the vae.
        trials: number of trials, by representation.
    """
    return parse_config(
        {
            "name": "study",
            "dataset": "mnist-5k",
            "partition": {
                "scheme": "fractions",
                "encoder": 0.4,
                "classifier": 0.2,
                "validation": 0.2,
                "test": 0.2,
            },
            "replicates": {"draws": 1, "classifiers": 1},
            "representations": {
                "vae": {
                    "precision": precision,
                    "labels_from": "classifier",
                    "classifier": _CLASSIFIER,
                    "trials": trials.get("vae", 0),
                    "space": {
                        "latent_dim": {"choices": [2, 4, 8]},
                        "hidden_neurons": {"low": 3, "high": 10},
                    },
                },
                "pixels": {
                    "labels_from": "encoder",
                    "classifier": _CLASSIFIER,
                    "trials": trials.get("pixels", 0),
                    "space": {"hidden_neurons": {"low": 1, "high": 12, "log": True}},
                },
            },
            "search": {"sampler": sampler, **(search or {})},
            "rows": rows or [],
        },
        "test",
    )


def result(attempt: Attempt, accuracy: float | None = None) -> TrialResult:
    """A result that depends on the cell alone."""
    cell = attempt.cell
    value = accuracy if accuracy is not None else 1 - 1 / (cell.hidden_neurons + 1)
    curve = (value,)
    return TrialResult(
        key=attempt.spec.key,
        labels=100,
        classifier_parameters=10 * cell.hidden_neurons + (cell.latent_dim or 784),
        representation_parameters=0,
        replicates=(Replicate(draw=0, member=0, accuracy=value, accuracy_best_epoch=value),),
        curves=Curves(train_loss=curve, train_accuracy=curve, val_loss=curve, val_accuracy=curve),
        encoders=(),
        train_seconds=1.0,
        started_at=1_000,
        finished_at=2_000,
    )


def failure(cause: Cause) -> Failure:
    return Failure(cause=cause, message=str(cause), finished_at=2_000)


def begin(study: Study) -> Attempt | None:
    """The attempt that is due next, begun."""
    return next(iter(study.begin(1)), None)


def complete(study: Study, attempt: Attempt, result: TrialResult) -> Attempt:
    """An attempt, recorded with a result."""
    ended = attempt.model_copy(update={"result": result})
    study.end([ended])
    return ended


def fail(study: Study, attempt: Attempt, failure: Failure) -> Attempt:
    """An attempt, recorded with a failure."""
    ended = attempt.model_copy(update={"failure": failure})
    study.end([ended])
    return ended
