"""Results that are kept: whatever is done to their files, no other number is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sweep.artifacts import ArtifactStore
from sweep.home import Home
from sweep.results import Assessment, Curves, DrawResult
from sweep.specs import AssessmentSpec, DrawSpec
from tests.builders import trial_spec

TRIAL = trial_spec(draws=2, members=2)
DRAW, OTHER_DRAW = TRIAL.outer_draws
SCORES = AssessmentSpec(trial=TRIAL)
OTHER_SCORES = AssessmentSpec(trial=trial_spec(draws=2, members=2, hidden_neurons=9))
COUNTS = np.diag([3] * 6 + [2] * 4) + np.diag([2] * 5 + [1] * 4, 1)
"""26 of 40 images on the diagonal: of ten each, 5, 6, 7 and 8 are right."""


def draw_result(spec: DrawSpec, **changes: object) -> DrawResult:
    curve = tuple(0.001 * epoch for epoch in range(50))
    curves = Curves(train_loss=curve, train_accuracy=curve, val_loss=curve, val_accuracy=curve)
    whole = DrawResult(
        key=spec.key, draw=spec.draw, labels=13_859, members=(curves, curves), seconds=1.0
    )
    return whole.model_copy(update=changes)


def scores(spec: AssessmentSpec, **changes: object) -> Assessment:
    whole = Assessment(
        key=spec.key,
        accuracies=((0.5, 0.6), (0.7, 0.8)),
        confusion=tuple(map(tuple, COUNTS.tolist())),
        milliseconds=1.0,
    )
    return whole.model_copy(update=changes)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path)
    home.create()
    ArtifactStore(home).draws.keep(DRAW, draw_result(DRAW))
    ArtifactStore(home).draws.keep(OTHER_DRAW, draw_result(OTHER_DRAW))
    ArtifactStore(home).assessments.keep(SCORES, scores(SCORES))
    ArtifactStore(home).assessments.keep(OTHER_SCORES, scores(OTHER_SCORES))
    return home


def test_what_another_study_made_meanwhile_is_no_damage(home: Home) -> None:
    """Two studies may train one draw at once: the first one's result stays."""
    spec = trial_spec(draws=1, members=2, hidden_neurons=11).outer_draws[0]
    first, second = ArtifactStore(home).draws, ArtifactStore(home).draws

    def make() -> DrawResult:
        first.get_or_make(spec, lambda: draw_result(spec, seconds=7.0))
        return draw_result(spec)

    second.get_or_make(spec, make)
    kept = first.get(spec)
    assert kept is not None
    assert kept.seconds == 7.0
    assert not ArtifactStore(home).leftovers()


def digit(path: Path) -> None:
    """One digit of one number."""
    text = path.read_text()
    place = text.index("0.0") if "0.0" in text else text.index("0.5")
    path.write_text(text[: place + 2] + "9" + text[place + 3 :])


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def another(path: Path) -> None:
    """Another valid file of its kind."""
    (other,) = (each for each in path.parent.glob("*.json") if each != path)
    path.write_bytes(other.read_bytes())


def nonsense(path: Path) -> None:
    path.write_text(20_000 * "[")


DAMAGES = (digit, truncated, directory, another, nonsense, Path.unlink)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_does_not_agree_is_not_believed_and_made_again(
    home: Home, damage: Callable[[Path], None]
) -> None:
    """And what was there is set aside, not lost."""
    draw_file, scores_file = (
        home.draws / f"{DRAW.key}.json",
        home.assessments / f"{SCORES.key}.json",
    )
    assert ArtifactStore(home).draws.get(DRAW) == draw_result(DRAW)
    assert ArtifactStore(home).assessments.get(SCORES) == scores(SCORES)
    for file in (draw_file, scores_file):
        damage(file)
    assert ArtifactStore(home).draws.get(DRAW) is None
    assert ArtifactStore(home).assessments.get(SCORES) is None
    ArtifactStore(home).draws.keep(DRAW, draw_result(DRAW))
    ArtifactStore(home).assessments.keep(SCORES, scores(SCORES))
    assert ArtifactStore(home).draws.get(DRAW) == draw_result(DRAW)
    assert ArtifactStore(home).assessments.get(SCORES) == scores(SCORES)
    for file in (draw_file, scores_file):
        aside = list(file.parent.glob("*.damaged-*"))
        assert len(aside) == (0 if damage is Path.unlink else 1)


CURVES = draw_result(DRAW).members[0]
LIES: dict[str, dict[str, object]] = {
    "of another draw": {"draw": 1},
    "of another key": {"key": "0" * 32},
    "a classifier less": {"members": (CURVES,)},
    "an epoch less": {"members": (CURVES, CURVES.model_copy(update={"val_loss": (1.0,) * 49}))},
    "above 1": {"members": (CURVES, CURVES.model_copy(update={"val_accuracy": (7.5,) * 50}))},
    "below 0": {"members": (CURVES, CURVES.model_copy(update={"train_loss": (-0.1,) * 50}))},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_without_a_checksum_is_checked_as_far_as_it_can_be(home: Home, lie: str) -> None:
    """Older versions wrote none: what may answer its spec is kept, and nothing else."""
    file = home.draws / f"{DRAW.key}.json"
    file.write_text(draw_result(DRAW).model_dump_json())
    assert ArtifactStore(home).draws.get(DRAW) == draw_result(DRAW)
    file.write_text(draw_result(DRAW, **LIES[lie]).model_dump_json())
    assert ArtifactStore(home).draws.get(DRAW) is None


@pytest.mark.parametrize(
    "lie",
    [
        {"key": "0" * 32},
        {"accuracies": ((0.5, 0.6),)},
        {"accuracies": ((0.5, 0.6), (0.7, 1.8))},
        {"confusion": ((1,),)},
        {"confusion": tuple(tuple(range(-1, 9)) for _ in range(10))},
        {"confusion": tuple(map(tuple, (COUNTS + np.eye(10, dtype=int)).tolist()))},
        {"confusion": tuple(map(tuple, (COUNTS + np.eye(10, k=-9, dtype=int)).tolist()))},
        {"confusion": ((0,) * 10,) * 10},
        {"accuracies": ((0.5, 0.6), (0.7, 0.9))},
        {"accuracies": ((0.5, 0.6), (0.65, 0.85))},
    ],
)
def test_an_assessment_that_cannot_be_its_spec_s_is_not_believed(
    home: Home, lie: dict[str, object]
) -> None:
    """By its key, its shape, its ranges, and accuracies that its counts do not give."""
    file = home.assessments / f"{SCORES.key}.json"
    file.write_text(scores(SCORES).model_dump_json())
    assert ArtifactStore(home).assessments.get(SCORES) == scores(SCORES)
    file.write_text(json.dumps(scores(SCORES, **lie).model_dump(mode="json")))
    assert ArtifactStore(home).assessments.get(SCORES) is None
