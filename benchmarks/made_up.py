"""Finished studies that have trained nothing: results are made up from their specs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sweep.config import load_config
from sweep.coordinator.run import open_for_writing
from sweep.data.datasets import DatasetSource
from sweep.evaluation.trial_result import trial_result
from sweep.machine import environment
from sweep.reports.comparison import selected
from sweep.reports.rows import Measured
from sweep.results import Assessment, Curves, DrawResult, EncoderRecord
from sweep.search.attempt import Attempt
from sweep.search.study import Study
from sweep.specs import AssessmentSpec, DrawSpec, EncoderSpec, TrialSpec
from sweep.workspace import Workspace

CONFIG = Path(__file__).with_name("scale.yaml")
_MOMENT = 1_700_000_000_000


def finished_study(workspace: Workspace, trials: int) -> Study:
    """A finished study of so many trials, half on latents and half on pixels, all but MLflow."""
    workspace.home.create()
    halves = [f"representations.{name}.trials={trials // 2}" for name in ("vae", "pixels")]
    config = load_config(CONFIG, halves)
    facts = DatasetSource.of(config.dataset, workspace.data).load().facts
    study = open_for_writing(workspace, config, facts)
    study.note_environment(environment())
    while begun := study.begin(1):
        for attempt in begun:
            for encoder in attempt.spec.encoders:
                study.note_encoder(_encoder(encoder))
            study.end([completed(attempt)])
    complete = [(attempt.spec, attempt.result) for attempt in study.attempts if attempt.result]
    chosen = selected([Measured(spec, result) for spec, result in complete])
    for (spec, _), is_selected in zip(complete, chosen, strict=True):
        if is_selected:
            study.note_assessment(_assessment(spec))
    return study


def completed(attempt: Attempt) -> Attempt:
    """An attempt with a made-up result."""
    draws = [draw_result(draw) for draw in attempt.spec.outer_draws]
    result = trial_result(attempt.spec, draws, _MOMENT, _MOMENT)
    return attempt.model_copy(update={"result": result})


def draw_result(spec: DrawSpec) -> DrawResult:
    """Accuracies that grow with dimensions and neurons, and scatter by half a point."""
    trial = spec.trial
    random = np.random.default_rng(int(spec.key[:8], 16))
    dims = trial.representation.latent_dim or 64
    best = 0.98 - 0.3 / dims - 0.4 / math.sqrt(1 + trial.hidden_neurons)
    members = []
    for end in np.clip(best + 0.005 * random.standard_normal(trial.members), 0.1, 1.0):
        rise = 1 - 1 / np.arange(2, trial.classifier.epochs + 2)
        accuracy = tuple((end * rise).tolist())
        loss = tuple((1 - end * rise).tolist())
        members.append(
            Curves(train_loss=loss, train_accuracy=accuracy, val_loss=loss, val_accuracy=accuracy)
        )
    return DrawResult(
        key=spec.key, draw=spec.draw, labels=1000, members=tuple(members), seconds=1.0
    )


def _encoder(spec: EncoderSpec) -> EncoderRecord:
    loss = tuple(100 + 50 / epoch for epoch in range(1, 36))
    history: Mapping[str, tuple[float, ...]] = {
        "loss": (*loss[:-1], 101 + spec.draw),
        "active_dimensions": (float(spec.representation.latent_dim or 0),) * 35,
    }
    return EncoderRecord(
        spec=spec,
        history=dict(history),
        parameters=100_000,
        train_seconds=60.0,
        started_at=_MOMENT,
        finished_at=_MOMENT,
    )


def _assessment(trial: TrialSpec) -> Assessment:
    spec = AssessmentSpec(trial=trial)
    counts = 50 * np.eye(10, dtype=int)
    return Assessment(
        key=spec.key,
        accuracies=((0.9,) * trial.members,) * trial.draws,
        confusion=tuple(tuple(row) for row in counts.tolist()),
        milliseconds=1.0,
    )
