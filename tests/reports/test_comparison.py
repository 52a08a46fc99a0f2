"""The report's rows: measured beside published."""

from __future__ import annotations

from typing import Any

import pytest

from sweep.reports.comparison import Report, selected
from sweep.reports.published import PUBLISHED, published_row
from sweep.reports.rows import Measured, Row
from sweep.trial import (
    Assessment,
    ClassifierTraining,
    FractionsPartition,
    RepresentationSpec,
    TrialSpec,
)
from tests.builders import VAE_SETTINGS, study_report, trial_result, trial_spec

CLOSE = [[0.960, 0.961, 0.962], [0.958, 0.959, 0.960], [0.961, 0.962, 0.960],
         [0.957, 0.958, 0.959], [0.962, 0.960, 0.961]]  # fmt: skip


def row(accuracies: list[list[float]], is_mnist: bool = True, **fields: Any) -> Row:
    measured = Measured(trial_spec(**fields), trial_result(accuracies), "run")
    return study_report([measured], is_mnist=is_mnist).rows[0]


def test_the_published_table_has_the_exact_counts() -> None:
    """Ten rows, with the closed-form counts, whatever was printed."""
    assert [row.classifier_parameters for row in PUBLISHED] == [
        15_910, 79_510, 159_010, 1_310, 1_910, 3_810, 10_810, 2_710, 21_010, 4_210,
    ]  # fmt: skip
    misprinted = [row for row in PUBLISHED if row.printed_parameters == 159_610]
    assert [row.classifier_parameters for row in misprinted] == [159_010]
    assert {row.half_unit for row in PUBLISHED} == {0.0005, 0.00005}
    assert sorted(row.accuracy for row in PUBLISHED)[0] == 0.752


def test_a_row_that_follows_the_protocol_has_its_published_one() -> None:
    """VAE 10 → 200 was published with 96.9 %."""
    published = published_row(trial_spec(), is_mnist=True)
    assert published is not None
    assert (published.accuracy, published.printed_parameters) == (0.969, 2_000)
    pixels = published_row(
        trial_spec(
            representation=RepresentationSpec(name="pixels"),
            labels_from="encoder",
            classifier=ClassifierTraining(epochs=30, batch_size=256, learning_rate=0.001),
        ),
        is_mnist=True,
    )
    assert pixels is not None
    assert pixels.accuracy == 0.977


@pytest.mark.parametrize(
    "fields",
    [
        {"hidden_neurons": 201},
        {"label_budget": 1000},
        {"labels_from": "encoder"},
        {"scored_on": "validation"},
        {"classifier": ClassifierTraining(epochs=49, batch_size=256, learning_rate=0.001)},
        {"classifier": ClassifierTraining(epochs=50, batch_size=128, learning_rate=0.001)},
        {"representation": RepresentationSpec(name="vae", latent_dim=9, settings=VAE_SETTINGS)},
        {
            "representation": RepresentationSpec(
                name="vae", latent_dim=10, settings=VAE_SETTINGS | {"epochs": 34}
            )
        },
        {
            "partition": FractionsPartition(
                scheme="fractions", encoder=0.6, classifier=0.2, validation=0.1, test=0.1
            )
        },
    ],
)
def test_any_other_protocol_has_none(fields: dict[str, Any]) -> None:
    """A published value stands beside what repeats it, and nothing else."""
    assert published_row(trial_spec(**fields), is_mnist=True) is None
    assert published_row(trial_spec(), is_mnist=False) is None


def test_a_row_has_the_fields_of_the_contract() -> None:
    """Other programs read them."""
    assert list(Row.model_fields) == [
        "representation", "latent_dim", "hidden_neurons", "labels", "label_budget",
        "classifier_parameters", "representation_parameters", "inference_parameters",
        "multiply_adds", "accuracy", "accuracy_ci_low", "accuracy_ci_high", "accuracy_best_epoch",
        "prediction_low", "prediction_high", "n_draws", "n_replicates", "published_accuracy",
        "published_parameters", "verdict", "reading", "pareto", "pareto_share", "pareto_inference",
        "pareto_inference_share", "test_accuracy", "test_ci_low", "test_ci_high", "latency_ms",
        "active_dimensions", "train_seconds", "encoder_seconds", "mlflow_run_ids",
    ]  # fmt: skip


def test_a_row_s_numbers() -> None:
    """Mean, intervals around it, counts and sums."""
    found = row(CLOSE)
    assert found.accuracy == pytest.approx(sum(map(sum, CLOSE)) / 15)
    assert found.accuracy_ci_low is not None
    assert found.accuracy_ci_high is not None
    assert found.accuracy_ci_low < found.accuracy < found.accuracy_ci_high
    assert found.prediction_low is not None
    assert found.prediction_low < found.accuracy_ci_low
    assert (found.n_draws, found.n_replicates) == (5, 15)
    assert found.inference_parameters == 4_210 + 494_442
    assert found.mlflow_run_ids == ("run",)


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        (CLOSE, "published higher"),
        ([[y + 0.009 for y in draw] for draw in CLOSE], "consistent"),
        ([[y + 0.03 for y in draw] for draw in CLOSE], "published lower"),
        (CLOSE[:4], "too few runs"),
        ([draw[:2] for draw in CLOSE], "too few runs"),
        ([[0.96]], "too few runs"),
    ],
)
def test_verdicts(accuracies: list[list[float]], verdict: str) -> None:
    """Whether 96.9 % is what one new run could give; or that nobody can tell."""
    assert row(accuracies).verdict == verdict


def test_without_a_published_row_there_is_no_verdict() -> None:
    """Null, as are the published values."""
    found = row(CLOSE, is_mnist=False)
    assert (found.verdict, found.published_accuracy, found.published_parameters) == (None,) * 3


def test_intervals_stay_between_0_and_1() -> None:
    """Accuracies cannot be elsewhere; and one draw has no interval at all."""
    wide = row([[0.1, 0.1, 0.1], [0.9, 0.9, 0.9]])
    assert (wide.accuracy_ci_low, wide.accuracy_ci_high) == (0.0, 1.0)
    single = row([[0.9, 0.91, 0.92]])
    assert (single.accuracy_ci_low, single.prediction_high) == (None, None)


def test_a_verdict_is_a_sentence() -> None:
    """With the interval, its width, what it stands on, the best epoch, and a misprinted count."""
    reading = row(CLOSE).reading
    assert reading is not None
    for part in (
        "vae 10 → 200: published 96.9 %, one run", "(95 %, width ", "15 runs over 5 draws",
        "published higher", "best epoch", "printed as 2,000; they are 4,210",
    ):  # fmt: skip
        assert part in reading
    few = row([[0.96]]).reading
    assert few is not None
    assert "too few to tell" in few


def test_both_fronts() -> None:
    """Against the classifier's parameters and all of inference, and how often in resamples."""
    rows = report([(9, 1), (8, 2), (9, 3)]).rows
    assert [(r.pareto, r.pareto_inference, r.pareto_share) for r in rows] == [
        (True, True, 1.0),
        (False, False, 0.0),
        (False, False, 0.0),
    ]


def test_budgets_have_fronts_of_their_own() -> None:
    """What saw fewer labels is not beaten by what saw more."""
    validated = trial_spec(scored_on="validation")
    measured = [
        Measured(validated, trial_result([[0.9], [0.9]])),
        Measured(validated.model_copy(update={"label_budget": 100}), trial_result([[0.7], [0.7]])),
        Measured(validated, trial_result([[0.8], [0.8]], classifier_parameters=5_000)),
    ]
    rows = study_report(measured, scored_on="validation", is_mnist=False).rows
    assert [(r.name, r.pareto) for r in rows] == [
        ("vae 10 → 200", True),
        ("vae 10 → 200, 100 labels", True),
        ("vae 10 → 200", False),
    ]
    assert selected(measured) == [True, True, False]


def test_where_nothing_was_searched_every_row_is_looked_at() -> None:
    """A fixed list is scored on the test partition anyway: each row gets its costs."""
    dominated = trial_result([[0.8], [0.8]], classifier_parameters=5_000)
    measured = [Measured(trial_spec(), trial_result([[0.9], [0.9]]))]
    assert selected([*measured, Measured(trial_spec(), dominated)]) == [True, True]


def test_what_was_assessed_has_test_scores() -> None:
    """Beside the scores it was selected by, with how its classes are confused."""
    counts = tuple(tuple(10 * (i == j) + (i == 0) for j in range(10)) for i in range(10))
    assessment = Assessment(
        key="k", accuracies=((0.8, 0.9), (0.9, 1.0)), confusion=counts, milliseconds=12.5
    )
    spec = trial_spec(scored_on="validation")
    measured = Measured(spec, trial_result([[0.9, 0.9], [0.8, 0.8]]), assessment=assessment)
    found = study_report([measured], scored_on="validation", is_mnist=False)
    assert (found.rows[0].test_accuracy, found.rows[0].latency_ms) == (pytest.approx(0.9), 12.5)
    assert found.rows[0].test_ci_low is not None
    assert found.confusions[0].class_accuracies == (pytest.approx(11 / 20), *[1.0] * 9)


def test_what_is_not_selected_has_no_test_score() -> None:
    """Though the home has one, of another study or of an earlier state of this one."""
    assessment = Assessment(key="k", accuracies=((0.8,),), confusion=((1,),), milliseconds=1.0)
    spec = trial_spec(scored_on="validation", draws=1, members=1)
    measured = [
        Measured(spec, trial_result([[0.9]]), assessment=assessment),
        Measured(spec, trial_result([[0.8]], classifier_parameters=9_000), assessment=assessment),
    ]
    rows = study_report(measured, scored_on="validation").rows
    assert [row.test_accuracy for row in rows] == [0.8, None]


def report(points: list[tuple[int, int]]) -> Report:
    """Rows of these tenths of accuracy, in both of two draws, and numbers of parameters."""
    spec: TrialSpec = trial_spec()
    measured = [
        Measured(
            spec, trial_result([[tenths / 10], [tenths / 10]], classifier_parameters=parameters)
        )
        for tenths, parameters in points
    ]
    return study_report(measured, scored_on="validation", is_mnist=False)
