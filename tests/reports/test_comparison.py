"""The report's rows: measured beside published."""

from __future__ import annotations

from typing import Any

import pytest

from sweep.configuration import ClassifierTraining, FractionsPartition, RepresentationSpec
from sweep.reports import comparison
from sweep.reports.comparison import Report, selected
from sweep.reports.front import front_shares
from sweep.reports.published import PUBLISHED, printed, published_match
from sweep.reports.rows import Measured, Row
from sweep.results import Assessment
from sweep.specs import TrialSpec
from tests.builders import KERAS2, VAE_SETTINGS, letter_spec, study_report, trial_result, trial_spec

CLOSE = [[0.960, 0.961, 0.962], [0.958, 0.959, 0.960], [0.961, 0.962, 0.960],
         [0.957, 0.958, 0.959], [0.962, 0.960, 0.961]]  # fmt: skip


def row(accuracies: list[list[float]], is_mnist: bool = True, **fields: Any) -> Row:
    measured = Measured(letter_spec(**fields), trial_result(accuracies), "run")
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


PIXELS_TRAINING = ClassifierTraining(epochs=30, batch_size=256, learning_rate=0.001, **KERAS2)
FRACTIONS = FractionsPartition(
    scheme="fractions", encoder=0.6, classifier=0.2, validation=0.1, test=0.1
)


def test_a_row_that_follows_the_protocol_has_its_published_one() -> None:
    """VAE 10 → 200 was published with 96.9 %, and its own cell printed 96.49."""
    match = published_match(letter_spec(), is_mnist=True)
    assert match is not None
    assert (match.row.accuracy, match.row.printed_parameters) == (0.969, 2_000)
    assert (match.row.cell_accuracy, match.differs) == (0.9649, ())
    pixels = published_match(
        trial_spec(
            representation=RepresentationSpec(name="pixels"),
            labels_from="encoder",
            classifier=PIXELS_TRAINING,
        ),
        is_mnist=True,
    )
    assert pixels is not None
    assert (pixels.row.accuracy, pixels.differs) == (0.977, ())


@pytest.mark.parametrize(
    "fields",
    [
        {"hidden_neurons": 201},
        {"label_budget": 1000},
        {"labels_from": "encoder"},
        {"scored_on": "validation"},
        {"classifier": ClassifierTraining(epochs=49, batch_size=256, learning_rate=0.001)},
        {"representation": RepresentationSpec(name="vae", latent_dim=9, settings=VAE_SETTINGS)},
        {
            "representation": RepresentationSpec(
                name="vae", latent_dim=10, settings=VAE_SETTINGS | {"epochs": 34}
            )
        },
        {"partition": FRACTIONS},
    ],
)
def test_what_is_not_comparable_has_none(fields: dict[str, Any]) -> None:
    """Of another configuration, other labels, other epochs or another partition."""
    assert published_match(letter_spec(**fields), is_mnist=True) is None
    assert published_match(letter_spec(), is_mnist=False) is None


@pytest.mark.parametrize(
    ("fields", "differs"),
    [
        (
            {"classifier": ClassifierTraining(epochs=50, batch_size=256, learning_rate=0.001)},
            "classifier's optimizer rmsprop instead of keras2_rmsprop",
        ),
        (
            {
                "classifier": ClassifierTraining(
                    epochs=50, batch_size=128, learning_rate=0.001, **KERAS2
                )
            },
            "classifier's batch_size 128 instead of 256",
        ),
        (
            {
                "representation": RepresentationSpec(
                    name="vae",
                    latent_dim=10,
                    settings=VAE_SETTINGS | KERAS2 | {"precision": "bfloat16"},
                )
            },
            "encoder's precision bfloat16 instead of float32",
        ),
    ],
)
def test_what_is_nearly_the_protocol_has_no_verdict(fields: dict[str, Any], differs: str) -> None:
    """The published value stands beside it, and the reading says what differs."""
    found = row(CLOSE, **fields)
    assert (found.published_accuracy, found.verdict, found.detectable) == (0.969, None, None)
    assert found.gap == pytest.approx(0.969 - found.accuracy)
    assert found.reading is not None
    assert f"no verdict: {differs}." in found.reading


def test_the_printed_curves_are_data_of_the_package() -> None:
    """As many epochs as the notebook's cells ran; and they end where the table's cells do."""
    curves = printed()
    assert "kashyapsanket/Variational-AutoEncoders-meets-NeuralNets" in curves.source
    assert (len(curves.vae_10_loss_by_epoch), curves.vae_10_loss_by_epoch[0]) == (35, 957.2691)
    assert (len(curves.vae_10_to_200.val_accuracy), curves.vae_10_to_200.val_accuracy[-1]) == (
        50,
        0.9649,
    )
    assert (len(curves.pixels_to_200.val_accuracy), curves.pixels_to_200.val_accuracy[-1]) == (
        30,
        0.9768,
    )


def test_a_row_has_the_fields_of_the_contract() -> None:
    """Other programs read them."""
    assert list(Row.model_fields) == [
        "representation", "latent_dim", "hidden_neurons", "labels", "label_budget",
        "classifier_parameters", "representation_parameters", "inference_parameters",
        "multiply_adds", "accuracy", "accuracy_ci_low", "accuracy_ci_high", "accuracy_best_epoch",
        "prediction_low", "prediction_high", "n_draws", "n_replicates", "draw_sd",
        "published_accuracy", "published_parameters", "gap", "detectable", "verdict", "reading",
        "pareto", "pareto_share", "pareto_inference", "pareto_inference_share", "test_accuracy",
        "test_ci_low", "test_ci_high", "latency_ms", "active_dimensions", "train_seconds",
        "encoder_seconds", "mlflow_run_ids", "replicates", "varied", "searched_accuracy",
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
    assert found.replicates[3] == (1, 0, 0.958)
    assert [accuracy for _, _, accuracy in found.replicates] == [y for draw in CLOSE for y in draw]


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        (CLOSE, "published higher"),
        ([[y + 0.009 for y in draw] for draw in CLOSE], "consistent"),
        ([[y + 0.03 for y in draw] for draw in CLOSE], "published lower"),
        (CLOSE[:4], "too few runs"),
        ([draw[:1] for draw in CLOSE], "published higher"),
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


def test_a_verdict_is_a_sentence_that_says_its_power() -> None:
    """With its interval, what it stands on, what it could not have told, and a misprinted count."""
    found = row(CLOSE)
    assert found.reading is not None
    for part in (
        "vae 10 → 200: published 96.9 % (its own cell: 96.49 %), one run", "(95 %, width ",
        "15 runs over 5 draws", "published higher", "off by 1 point would be noticed in",
        f"it takes {100 * (found.detectable or 0):.2f} points", "best epoch",
        "printed as 2,000; they are 4,210",
    ):  # fmt: skip
        assert part in found.reading


@pytest.mark.parametrize(
    ("accuracies", "scatter"),
    [
        ([[0.96]], "ours 96.00 % in 1 run over 1 draw, a gap of +0.90 points; one draw does"),
        ([[0.96], [0.95]], "draws scatter by 0.71 points; a verdict wants 5 draws"),
    ],
)
def test_with_few_draws_the_gap_and_the_scatter_are_said(
    accuracies: list[list[float]], scatter: str
) -> None:
    """Instead of a verdict."""
    found = row(accuracies)
    assert found.reading is not None
    assert scatter in found.reading
    assert found.gap == pytest.approx(0.969 - found.accuracy)


def steps(first: list[list[float]], second: list[list[float]], **fields: Any) -> Report:
    """VAE 10 → 200 and 10 → 1000, published with 96.9 and 97.2 %."""
    measured = [
        Measured(letter_spec(**fields), trial_result(first)),
        Measured(letter_spec(hidden_neurons=1000, **fields), trial_result(second)),
    ]
    return study_report(measured)


def test_steps_between_published_rows_have_verdicts_of_their_own() -> None:
    """The encoder's scatter cancels: a step is judged where its rows cannot be told from theirs."""
    first = [[0.94], [0.95], [0.96], [0.97], [0.98]]
    for lift, verdict in ((0.003, "consistent"), (0.010, "published lower")):
        noise = (0.0001, -0.0001, 0.0002, 0.0, -0.0002)
        second = [[y + lift + e] for (y,), e in zip(first, noise, strict=True)]
        report = steps(first, second)
        (step,) = report.published_differences
        assert (step.first, step.second, step.verdict) == ("vae 10 → 200", "vae 10 → 1000", verdict)
        assert step.published == pytest.approx(0.003)
        assert step.difference == pytest.approx(lift)
        assert step.detectable is not None
        assert step.detectable < 0.003
        assert report.rows[0].verdict == "consistent"
        assert f"published +0.30 points; ours {100 * lift:+.2f} points" in step.reading
    (few,) = steps(first[:2], first[:2]).published_differences
    assert (few.verdict, few.n_draws) == ("too few runs", 2)
    assert "a verdict wants 5 draws" in few.reading
    other = ClassifierTraining(epochs=50, batch_size=256, learning_rate=0.001)
    assert steps(first, first, classifier=other).published_differences == ()


def test_both_fronts() -> None:
    """Against the classifier's parameters and all of inference, and how often in resamples."""
    rows = report([(9, 1), (8, 2), (9, 3)]).rows
    assert [(r.pareto, r.pareto_inference, r.pareto_share) for r in rows] == [
        (True, True, None),  # two draws: shares would say nothing
        (False, False, None),
        (False, False, None),
    ]
    shares = [r.pareto_share for r in report([(9, 1), (8, 2), (9, 3)], draws=5).rows]
    assert shares == [1.0, 0.0, 0.0]


def test_draws_are_resampled_once_for_each_front(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than all else of a large report; what is selected does not wait for it."""
    resampled: list[int] = []

    def counting(draws: Any, parameters: Any) -> Any:
        resampled.append(len(draws))
        return front_shares(draws, parameters)

    monkeypatch.setattr(comparison, "front_shares", counting)
    measured = [Measured(trial_spec(), trial_result([[n / 10]] * 5)) for n in (8, 9)]
    assert selected(measured) == [True, True]
    assert resampled == []
    study_report(measured)
    assert resampled == [2, 2]


def test_equal_labels_have_fronts_of_their_own() -> None:
    """What saw fewer labels is not beaten by what saw more, by a budget or by another partition."""
    pixels = trial_spec(representation=RepresentationSpec(name="pixels"), labels_from="encoder")
    more = trial_result([[0.99], [0.99]], labels=48_996, classifier_parameters=1_000)
    fewer = Measured(trial_spec(), trial_result([[0.9], [0.9]]))
    report = study_report([Measured(pixels, more), fewer])
    assert [row.pareto for row in report.rows] == [True, True]
    assert report.differences == ()
    validated = trial_spec(scored_on="validation")
    measured = [
        Measured(validated, trial_result([[0.9], [0.9]])),
        Measured(
            validated.model_copy(update={"label_budget": 100}),
            trial_result([[0.7], [0.7]], labels=100),
        ),
        Measured(validated, trial_result([[0.8], [0.8]], classifier_parameters=5_000)),
    ]
    rows = study_report(measured, scored_on="validation", is_mnist=False).rows
    assert [(r.labels, r.pareto) for r in rows] == [(13_859, True), (100, True), (13_859, False)]
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


def report(points: list[tuple[int, int]], draws: int = 2) -> Report:
    """Rows of these tenths of accuracy, the same in all draws, and numbers of parameters."""
    spec: TrialSpec = trial_spec()
    measured = [
        Measured(spec, trial_result([[tenths / 10]] * draws, classifier_parameters=parameters))
        for tenths, parameters in points
    ]
    return study_report(measured, scored_on="validation", is_mnist=False)
