"""What would show that a result is not what its spec asks for."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sweep.data.images import CLASSES
from sweep.results import Assessment, DrawResult
from sweep.specs import AssessmentSpec, DrawSpec


def answers_draw(spec: DrawSpec, result: DrawResult) -> bool:
    """Whether a draw's result may be this spec's: by key, lengths and ranges."""
    return not any(_doubts_of_draw(spec, result))


def answers_assessment(spec: AssessmentSpec, result: Assessment) -> bool:
    """Whether an assessment may be this spec's: by key, shapes and ranges."""
    return not any(_doubts_of_assessment(spec, result))


def _doubts_of_draw(spec: DrawSpec, result: DrawResult) -> Iterator[bool]:
    trial = spec.trial
    yield (result.key, result.draw) != (spec.key, spec.draw)
    yield len(result.members) != trial.members
    yield trial.label_budget is not None and result.labels != trial.label_budget
    for curves in result.members:
        for name in type(curves).model_fields:
            values = getattr(curves, name)
            yield len(values) != trial.classifier.epochs
            yield min(values, default=0) < 0
            yield name.endswith("accuracy") and max(values, default=0) > 1


def _doubts_of_assessment(spec: AssessmentSpec, result: Assessment) -> Iterator[bool]:
    trial = spec.trial
    yield result.key != spec.key
    yield [len(draw) for draw in result.accuracies] != [trial.members] * trial.draws
    yield any(not 0 <= value <= 1 for draw in result.accuracies for value in draw)
    yield [len(row) for row in result.confusion] != [CLASSES] * CLASSES
    yield any(count < 0 for row in result.confusion for count in row)
    yield not _counts_agree(result)


def _counts_agree(result: Assessment) -> bool:
    """Whether the confusion counts are those of classifiers with these accuracies.

    Every classifier sees as many images: whatever the draw, the parts are as large.
    """
    accuracies = [value for draw in result.accuracies for value in draw]
    images, left = divmod(sum(map(sum, result.confusion)), max(1, len(accuracies)))
    right = [value * images for value in accuracies]
    return (
        images > 0
        and left == 0
        and all(math.isclose(each, round(each), abs_tol=1e-6) for each in right)
        and sum(map(round, right)) == sum(result.confusion[each][each] for each in range(CLASSES))
    )
