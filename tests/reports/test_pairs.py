"""Differences between representations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from sweep.reports.pairs import Candidate, differences


def candidate(representation: str, parameters: int, draws: list[float], **fields: Any) -> Candidate:
    defaults: dict[str, Any] = {
        "name": f"{representation} {parameters}",
        "representation": representation,
        "labels": 100,
        "classifier_parameters": parameters,
        "inference_parameters": parameters + 1000 * (representation == "vae"),
        "scored_on": "validation",
        "draws": tuple(draws),
    }
    return Candidate(**(defaults | fields))


VAE = candidate("vae", 900, [0.90, 0.93, 0.95])
SMALL = candidate("pixels", 1000, [0.89, 0.90, 0.94])
LARGE = candidate("pixels", 1900, [0.97, 0.96, 0.99])


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    """Over the draws, which both configurations share."""
    found = differences([VAE, SMALL])[0]
    test = stats.ttest_rel(VAE.draws, SMALL.draws)
    interval = test.confidence_interval(0.95)
    assert found.difference == pytest.approx(np.mean(VAE.draws) - np.mean(SMALL.draws))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_each_stands_with_its_best_within_the_bound() -> None:
    """And a bound that changes nothing says nothing, and is left out."""
    found = differences([VAE, SMALL, LARGE])
    assert [(f.counted, f.max_parameters, f.second) for f in found] == [
        ("classifier", 1000, "pixels 1000"),
        ("classifier", 2000, "pixels 1900"),
        ("inference", 2000, "pixels 1900"),
    ]


def test_only_equal_labels_are_compared() -> None:
    """Each number of labels among its own; what has labels that nobody else has, with nothing."""
    few = [
        each.model_copy(update={"labels": 10, "name": f"{each.name} few"}) for each in (VAE, SMALL)
    ]
    more = LARGE.model_copy(update={"labels": 300})
    found = differences([VAE, SMALL, *few, more])
    assert {(f.labels, f.first.endswith("few"), f.second.endswith("few")) for f in found} == {
        (100, False, False),
        (10, True, True),
    }


def test_what_was_selected_differs_by_its_test_scores() -> None:
    """Where both have them; the scores that selected are too good for the one they selected."""
    tested = [
        each.model_copy(update={"test_draws": tuple(y - drop for y in each.draws)})
        for each, drop in ((VAE, 0.02), (SMALL, 0.0))
    ]
    (found, *_), (half, *_) = differences(tested), differences([tested[0], SMALL])
    assert (found.scored_on, found.difference) == ("test", pytest.approx(0.05 / 3 - 0.02))
    assert (half.scored_on, half.difference) == ("validation", pytest.approx(0.05 / 3))


def test_one_draw_has_a_difference_and_no_interval() -> None:
    """Nothing is known of how draws differ; and one representation has nothing to differ from."""
    one = [each.model_copy(update={"draws": each.draws[:1]}) for each in (VAE, SMALL)]
    found = differences(one)[0]
    assert found.difference == pytest.approx(0.01)
    assert (found.low, found.high) == (None, None)
    assert differences([SMALL, LARGE]) == differences([]) == ()
