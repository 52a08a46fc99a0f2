"""Results that are kept in the home, a file each, by content key: draws and assessments.

A file holds its result and the SHA-256 of it; files of versions that wrote no checksum hold the
result alone. Whatever is read is held against the spec that it answers: a file that was damaged,
edited, or put in another's place is not believed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from sweep.data.images import CLASSES
from sweep.home import Home, publish_bytes, set_aside
from sweep.results import Assessment, DrawResult
from sweep.specs import AssessmentSpec, DrawSpec

_CHECKSUM, _RESULT = "sha256", "result"

R = TypeVar("R", DrawResult, Assessment)


def kept_draw(spec: DrawSpec, home: Home) -> DrawResult | None:
    """A draw's result as the home has it; None if it has none that can be believed."""
    result = _read(_draw_path(spec, home), DrawResult)
    return result if result is not None and not any(_doubts_of_draw(spec, result)) else None


def keep_draw(spec: DrawSpec, result: DrawResult, home: Home) -> None:
    """Keep a draw's result, in place of what cannot be believed."""
    _write(_draw_path(spec, home), result)


def kept_assessment(spec: AssessmentSpec, home: Home) -> Assessment | None:
    """An assessment as the home has it; None if it has none that can be believed."""
    result = _read(_assessment_path(spec, home), Assessment)
    return result if result is not None and not any(_doubts_of_scores(spec, result)) else None


def keep_assessment(spec: AssessmentSpec, result: Assessment, home: Home) -> None:
    """Keep an assessment, in place of what cannot be believed."""
    _write(_assessment_path(spec, home), result)


def _draw_path(spec: DrawSpec, home: Home) -> Path:
    return home.draws / f"{spec.key}.json"


def _assessment_path(spec: AssessmentSpec, home: Home) -> Path:
    return home.assessments / f"{spec.key}.json"


def _doubts_of_draw(spec: DrawSpec, result: DrawResult) -> Iterator[bool]:
    """What would show that a result is not this spec's."""
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


def _doubts_of_scores(spec: AssessmentSpec, result: Assessment) -> Iterator[bool]:
    trial = spec.trial
    yield result.key != spec.key
    yield [len(draw) for draw in result.accuracies] != [trial.members] * trial.draws
    yield any(not 0 <= value <= 1 for draw in result.accuracies for value in draw)
    yield [len(row) for row in result.confusion] != [CLASSES] * CLASSES
    yield any(count < 0 for row in result.confusion for count in row)


def _write(path: Path, result: DrawResult | Assessment) -> None:
    content = result.model_dump(mode="json")
    if path.exists():
        set_aside(path)
    document = {_CHECKSUM: _checksum(content), _RESULT: content}
    publish_bytes(path, json.dumps(document).encode())


def _read(path: Path, kind: type[R]) -> R | None:
    """What a file holds; None if there is none, or it is not whole."""
    try:
        content = json.loads(path.read_bytes())
        if isinstance(content, dict) and _CHECKSUM in content:
            if content[_CHECKSUM] != _checksum(content.get(_RESULT)):
                return None
            content = content[_RESULT]
        return kind.model_validate(content, strict=False)
    except (OSError, ValueError, RecursionError):  # pydantic's errors are ValueErrors
        return None


def _checksum(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
