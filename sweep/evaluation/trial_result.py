"""From draws to the result of their trial."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sweep import classifier
from sweep.representations import bind
from sweep.results import Curves, DrawResult, Replicate, TrialResult
from sweep.specs import TrialSpec


def trial_result(
    spec: TrialSpec, draws: Sequence[DrawResult], started_at: int, finished_at: int
) -> TrialResult:
    """What a trial gave, from what its draws gave.

    Args:
        spec: the trial.
        draws: all of its draws, in their order.
        started_at: when the first of them began, milliseconds since the epoch.
        finished_at: when the last of them ended.
    """
    representation = bind(spec.representation)
    members = [curves for draw in draws for curves in draw.members]

    def mean(values: list[tuple[float, ...]]) -> tuple[float, ...]:
        return tuple(np.mean(values, axis=0).tolist())

    return TrialResult(
        key=spec.key,
        labels=draws[0].labels,
        classifier_parameters=classifier.parameters(representation.dimensions, spec.hidden_neurons),
        representation_parameters=representation.parameters,
        replicates=tuple(
            replicate(draw.draw, number, curves)
            for draw in draws
            for number, curves in enumerate(draw.members)
        ),
        curves=Curves(
            train_loss=mean([curves.train_loss for curves in members]),
            train_accuracy=mean([curves.train_accuracy for curves in members]),
            val_loss=mean([curves.val_loss for curves in members]),
            val_accuracy=mean([curves.val_accuracy for curves in members]),
        ),
        encoders=tuple(encoder.key for encoder in spec.encoders),
        train_seconds=math.fsum(draw.seconds for draw in draws),
        started_at=started_at,
        finished_at=finished_at,
    )


def replicate(draw: int, member: int, curves: Curves) -> Replicate:
    """What one classifier gave, from its curves."""
    return Replicate(
        draw=draw,
        member=member,
        accuracy=curves.val_accuracy[-1],
        accuracy_best_epoch=max(curves.val_accuracy),
    )
