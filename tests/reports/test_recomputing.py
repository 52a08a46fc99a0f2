"""What a report concludes follows from the replicates that it holds.

The formulas stand here once more, in a few lines, as a reader would write them who has the JSON and
SciPy, and none of this project's code.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sweep.configuration import ClassifierTraining, RepresentationSpec
from sweep.reports import render
from sweep.reports.rows import Measured
from tests.builders import KERAS2, letter_spec, study_report, trial_result, trial_spec

PIXELS = {
    "representation": RepresentationSpec(name="pixels"),
    "labels_from": "encoder",
    "classifier": ClassifierTraining(epochs=30, batch_size=256, learning_rate=0.001, **KERAS2),
}
DIGIT = {0.969: 0.0005, 0.972: 0.0005, 0.977: 0.0005, 0.9395: 0.00005, 0.952: 0.0005}
"""Half a unit of the last printed digit."""


def new_run(y: NDArray[np.float64]) -> tuple[float, float]:
    """ν and sqrt(V) for one new run, of accuracies ``(draws, classifiers)``."""
    a, n = y.shape
    between = (a + 1) / a * y.mean(axis=1).var(ddof=1)
    within = (n - 1) / n * y.var(axis=1, ddof=1).mean() if n > 1 else 0.0
    spread = between**2 / (a - 1) + (within**2 / (a * (n - 1)) if n > 1 else 0.0)
    return (between + within) ** 2 / spread, np.sqrt(between + within)


def judged(published: float, y: NDArray[np.float64], rounding: float) -> str:
    if len(y) < 5:
        return "too few runs"
    freedom, sd = new_run(y)
    half = stats.t.ppf(0.975, freedom) * sd + rounding
    if abs(published - y.mean()) <= half:
        return "consistent"
    return "published higher" if published > y.mean() else "published lower"


def written(draws: int, members: int) -> dict[str, Any]:
    """A report of five published rows, as JSON: two of 10 dimensions, two of 16, one of pixels."""
    random = np.random.default_rng([draws, members])
    rows = (
        (10, 200, 0.96),
        (10, 1000, 0.975),
        (16, 100, 0.99),
        (16, 400, 0.94),
        (None, 200, 0.977),
    )
    measured = []
    for latent_dim, hidden, centre in rows:
        values = centre + 0.004 * random.standard_normal((draws, 1))
        values = values + 0.001 * random.standard_normal((draws, members))
        spec = letter_spec(hidden_neurons=hidden, draws=draws, members=members)
        representation = spec.representation.model_copy(update={"latent_dim": latent_dim})
        spec = spec.model_copy(update={"representation": representation})
        if latent_dim is None:
            spec = trial_spec(hidden_neurons=hidden, draws=draws, members=members, **PIXELS)
        measured.append(Measured(spec, trial_result(values.tolist())))
    report: dict[str, Any] = json.loads(render.to_json([study_report(measured)]))
    return report


@pytest.mark.parametrize(("draws", "members"), [(5, 3), (5, 1), (10, 2), (2, 3)])
def test_intervals_and_verdicts_are_those_of_the_replicates(draws: int, members: int) -> None:
    """Of every row, and of every step between published rows."""
    report = written(draws, members)
    accuracies = {}
    for row in report["rows"]:
        y = np.zeros((draws, members))
        for draw, classifier, accuracy in row["replicates"]:
            y[draw, classifier] = accuracy
        accuracies[f"{row['representation']} {row['latent_dim']} {row['hidden_neurons']}"] = y
        half = stats.t.ppf(0.975, draws - 1) * stats.sem(y.mean(axis=1))
        freedom, sd = new_run(y)
        rounding = DIGIT[row["published_accuracy"]]
        predicted = stats.t.ppf(0.975, freedom) * sd + rounding
        assert row["accuracy"] == pytest.approx(y.mean())
        assert row["accuracy_ci_low"] == pytest.approx(y.mean() - half)
        assert row["prediction_high"] == pytest.approx(min(1, y.mean() + predicted))
        assert row["verdict"] == judged(row["published_accuracy"], y, rounding)
        assert row["gap"] == pytest.approx(row["published_accuracy"] - y.mean())
        assert row["draw_sd"] == pytest.approx(y.mean(axis=1).std(ddof=1))
    steps = {(step["first"], step["second"]): step for step in report["published_differences"]}
    assert len(steps) == 2
    for latent_dim, few, many, published in ((10, 200, 1000, 0.003), (16, 100, 400, -0.0125)):
        d = accuracies[f"vae {latent_dim} {many}"] - accuracies[f"vae {latent_dim} {few}"]
        step = steps[f"vae {latent_dim} → {few}", f"vae {latent_dim} → {many}"]
        rounding = 0.001 if latent_dim == 10 else 0.00055
        assert step["published"] == pytest.approx(published)
        assert step["difference"] == pytest.approx(d.mean())
        assert step["verdict"] == judged(published, d, rounding)
