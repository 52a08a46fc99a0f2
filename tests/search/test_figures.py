"""Optuna's own plots of a study."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from optuna.importance import FanovaImportanceEvaluator

from sweep.search import figures
from sweep.search.storage import open_storage
from sweep.search.study import Study
from tests.search.builders import FACTS, begin, complete, config, result

PAPERS = ("#ffffff", "#14171a")
"""Of the page, light and dark."""


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance of ``#rrggbb`` or ``rgb(r, g, b)``, 0 to 1."""
    if colour.startswith("#"):
        parts = [float(int(colour[place : place + 2], 16)) for place in (1, 3, 5)]
    else:
        parts = [float(part) for part in colour[4:-1].split(",")]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (part / 255 for part in parts)
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def assert_seen_on_light_and_dark(figure: dict[str, Any]) -> None:
    """Every colour of its marks, lines and bars has the 3 to 1 that WCAG asks of graphics."""
    colours = []
    for trace in figure["data"]:
        marker = trace.get("marker", {})
        colours += [shade for _, shade in marker.get("colorscale", ())]
        colours += [each for each in (marker.get("color"),) if isinstance(each, str)]
        colours += [trace["line"]["color"]] if "line" in trace else []
    assert colours
    for one in map(luminance, colours):
        for other in map(luminance, PAPERS):
            assert (max(one, other) + 0.05) / (min(one, other) + 0.05) >= 3, colours


def titles(
    tmp_path: Path, accuracy: float | None = None, vae: int = 0, pixels: int = 0
) -> list[str]:
    """Of a finished study; every figure is what Plotly's basic bundle draws."""
    study_config = config(vae=vae, pixels=pixels)
    study = Study(open_storage(f"sqlite:///{tmp_path}/optuna.db"), study_config, FACTS)
    while (attempt := begin(study)) is not None:
        complete(study, attempt, result(attempt, accuracy))
    drawn = study.recorded.figures()
    for title, note, found in drawn:
        representation = title.rpartition(": ")[2]
        assert re.search(rf"(those|trial|trials) of {representation}\b", note)
        assert "accuracy (%)" in note
        for figure in map(json.loads, found):
            assert {trace["type"] for trace in figure["data"]} <= {"scatter", "bar"}
            assert figure["data"]
            assert "vae." not in json.dumps(figure)
            assert_seen_on_light_and_dark(figure)
        assert len(found) == (2 if title == "Slices: vae" else 1)
    return [title for title, *_ in drawn]


def test_each_space_has_its_plots(tmp_path: Path) -> None:
    """Slices are a figure for each parameter; one parameter has no other plots."""
    assert titles(tmp_path, vae=12, pixels=12) == [
        *("Slices: vae", "Parallel coordinates: vae", "Importances: vae"),
        "Slices: pixels",
    ]


def test_importances_of_many_trials_are_those_of_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No forest is grown on more trials than that, and the title says so."""
    sizes: list[int] = []
    evaluate = FanovaImportanceEvaluator.evaluate

    def counting(self: Any, study: Any, *arguments: Any, **options: Any) -> Any:
        sizes.append(len(study.trials))
        return evaluate(self, study, *arguments, **options)

    monkeypatch.setattr(FanovaImportanceEvaluator, "evaluate", counting)
    monkeypatch.setattr(figures, "_MOST_FOR_IMPORTANCES", 11)
    assert "Importances (of 11 of 20 trials): vae" in titles(tmp_path, vae=20)
    assert sizes == [11]


def test_few_trials_say_nothing_of_importance(tmp_path: Path) -> None:
    """And three say nothing at all."""
    assert titles(tmp_path, vae=5, pixels=3) == ["Slices: vae", "Parallel coordinates: vae"]


def test_trials_that_score_alike_have_no_importances(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Nothing matters for what does not vary; and nobody is warned of it."""
    assert "Importances: vae" not in titles(tmp_path, accuracy=0.5, vae=12)
    assert not [warning for warning in recwarn if warning.category is UserWarning]
