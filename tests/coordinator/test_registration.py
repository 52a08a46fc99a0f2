"""What a study chooses to register."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.config import Cell, StudyConfig
from sweep.config.blocks import Confirm
from sweep.coordinator.registration import choose, median_replicate
from sweep.errors import TargetMissedError
from sweep.results import TrialResult
from sweep.search.attempt import Attempt
from sweep.search.recorded import Recorded
from tests.builders import trial_result, trial_spec
from tests.search.builders import FACTS, config


def recorded(study: StudyConfig, attempts: list[Attempt], **confirmed: TrialResult) -> Recorded:
    return Recorded(study, FACTS, attempts, frozenset(), [], {}, {}, confirmed, list)


def attempt(number: int, accuracy: float, inference: int) -> Attempt:
    return Attempt(
        number=number,
        spec=trial_spec(),
        cell=Cell(representation="pixels", hidden_neurons=number + 1),
        attempt=1,
        started_at=0,
        result=trial_result(
            [[accuracy]], classifier_parameters=inference, representation_parameters=0
        ),
    )


ATTEMPTS = [attempt(0, 0.97, 900), attempt(1, 0.95, 500), attempt(2, 0.96, 500), attempt(3, 0.9, 1)]


@pytest.mark.parametrize(
    ("min_accuracy", "number"), [(None, 0), (0.9, 3), (0.94, 2), (0.955, 2), (0.965, 0)]
)
def test_the_best_or_the_smallest_that_is_accurate_enough(
    min_accuracy: float | None, number: int
) -> None:
    """Among equally small ones, the more accurate."""
    assert choose(recorded(config(), ATTEMPTS), min_accuracy).attempt.number == number


def test_what_exceeds_a_bound_is_not_chosen() -> None:
    """As it is not named as the best; pixels with two neurons have 1,600 parameters."""
    bounded = config(search={"max_parameters": 1000})
    assert choose(recorded(bounded, ATTEMPTS), None).attempt.number == 0


def test_what_was_confirmed_is_chosen_by_that() -> None:
    """Whatever the search saw of it, and of what was not selected."""
    study = config(vae=1).model_copy(update={"confirm": Confirm(draws=2, classifiers=1)})
    spec = study.confirming_spec(ATTEMPTS[3].spec)
    fresh = trial_result([[0.91], [0.93]], key=spec.key)
    chosen = choose(recorded(study, [ATTEMPTS[0]], **{spec.key: fresh}), None)
    assert (chosen.trial, chosen.result) == (spec, fresh)
    assert set(spec.draw_numbers).isdisjoint(chosen.attempt.spec.draw_numbers)
    assert spec.scored_on == "test"


def test_what_is_selected_no_more_is_not_chosen() -> None:
    """However well it was confirmed: test scores choose only among what the search selected."""
    study = config(vae=1).model_copy(update={"confirm": Confirm(draws=2, classifiers=1)})
    once, now = (
        each.model_copy(
            update={
                "spec": each.spec.model_copy(
                    update={"hidden_neurons": each.number + 1, "scored_on": "validation"}
                )
            }
        )
        for each in (attempt(0, 0.95, 900), attempt(1, 0.96, 500))
    )
    fresh = {
        spec.key: trial_result([[accuracy], [accuracy]], key=spec.key)
        for spec, accuracy in (
            (study.confirming_spec(once.spec), 0.99),
            (study.confirming_spec(now.spec), 0.9),
        )
    }
    assert choose(recorded(study, [once], **fresh), None).attempt == once
    assert choose(recorded(study, [once, now], **fresh), None).attempt == now


def test_what_nobody_reaches_is_said() -> None:
    """With the best there is; and a study without results has nothing."""
    with pytest.raises(TargetMissedError, match=r"0\.98; the best, .*0\.9700"):
        choose(recorded(config(), ATTEMPTS), 0.98)
    with pytest.raises(TargetMissedError, match="no trial"):
        choose(recorded(config(), []), None)


@given(
    st.lists(
        st.lists(st.floats(0, 1), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_the_median_has_as_many_above_as_below(accuracies: list[list[float]]) -> None:
    """Or one more above, where there is no middle."""
    result = trial_result(accuracies)
    chosen = median_replicate(result).accuracy
    below = sum(each.accuracy < chosen for each in result.replicates)
    above = sum(each.accuracy > chosen for each in result.replicates)
    assert below < len(result.replicates) / 2
    assert above <= len(result.replicates) / 2
