"""What the charts show, as rows; and that it is drawn."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.configuration import RepresentationSpec
from sweep.reports.charts import Chart, Series, charts, stretched, ticks
from sweep.reports.comparison import Report
from sweep.reports.drawing import save_charts
from sweep.reports.published import PUBLISHED
from sweep.reports.rows import Measured
from sweep.results import Curves, EncoderRecord
from sweep.specs import TrialSpec
from tests.builders import VAE_SETTINGS, study_report, trial_result, trial_spec

PERCENT = st.floats(0, 100)


def measured(latent_dim: int, accuracies: list[list[float]], **fields: object) -> Measured:
    """A VAE row whose encoders have half of their dimensions active."""
    representation = RepresentationSpec(name="vae", latent_dim=latent_dim, settings=VAE_SETTINGS)
    spec: TrialSpec = trial_spec(representation=representation, draws=len(accuracies), **fields)
    records = [
        EncoderRecord(
            spec=spec.encoder(draw),
            history={"loss": (100.0 - 10 * draw,), "active_dimensions": (latent_dim / 2,)},
            parameters=1,
            train_seconds=1.0,
            started_at=0,
            finished_at=1,
        )
        for draw in range(len(accuracies))
    ]
    return Measured(spec, trial_result(accuracies), "run-id", records)


PIXELS = Measured(
    trial_spec(representation=RepresentationSpec(name="pixels"), labels_from="encoder"),
    trial_result(
        [[0.97], [0.98]],
        classifier_parameters=159_010,
        representation_parameters=0,
        labels=48_996,
    ),
)


def by_name(report: Report) -> dict[str, Chart]:
    return {chart.name: chart for chart in charts([report])}


def series(chart: Chart, panel: int = 0) -> dict[str, Series]:
    return {each.name: each for each in chart.panels[panel].series}


def test_both_counts_of_parameters_are_shown() -> None:
    """A panel each: the classifier's, and all that inference needs; the published rows in both."""
    chart = by_name(study_report([measured(10, [[0.95], [0.96]]), PIXELS]))[
        "accuracy_vs_parameters"
    ]
    classifier, inference = (series(chart, panel) for panel in (0, 1))
    vae_name, pixels_name = "vae, 13,859 labels", "pixels, 48,996 labels"
    (vae,) = classifier[vae_name].points
    assert (vae.x, vae.y) == (4_210, pytest.approx(95.5))
    assert inference[vae_name].points[0].x == 498_652
    assert inference[pixels_name].points[0].x == classifier[pixels_name].points[0].x == 159_010
    assert (classifier[vae_name].has_more_labels, classifier[pixels_name].has_more_labels) == (
        False,
        True,
    )
    assert "A ring marks what had more labels" in chart.note
    published = [*classifier["vae, published"].points, *classifier["pixels, published"].points]
    assert sorted(p.x for p in published) == sorted(r.classifier_parameters for r in PUBLISHED)
    assert max(p.x for p in inference["vae, published"].points) == 494_442 + 21_010


def test_fronts_are_of_equal_labels() -> None:
    """What had more labels stands on no front of those that had fewer."""
    fair = Measured(
        trial_spec(representation=RepresentationSpec(name="pixels")),
        trial_result([[0.96], [0.97]], classifier_parameters=159_010, representation_parameters=0),
    )
    chart = by_name(study_report([measured(10, [[0.95], [0.96]]), PIXELS, fair]))[
        "accuracy_vs_parameters"
    ]
    classifier, inference = (series(chart, panel) for panel in (0, 1))
    # At inference pixels beat the latents in both; for the classifier alone both are on the front.
    front = classifier["Pareto front, 13,859 labels"].points
    assert [(p.x, p.y) for p in front] == [
        (4_210, pytest.approx(95.5)),
        (159_010, pytest.approx(96.5)),
    ]
    assert not any("front" in name for name in inference)


def test_captions_speak_of_what_is_there() -> None:
    """Bars, fronts and rings only where there are any."""
    (chart, *_) = charts([study_report([measured(10, [[0.95]])])])
    assert not any(word in chart.note for word in ("Bars", "front", "ring", "budget"))
    (chart, *_) = charts([study_report([measured(10, [[0.95], [0.96]])])])
    assert "Bars are 95 % intervals" in chart.note


def test_a_point_says_what_it_is() -> None:
    """Configuration, n, interval, run."""
    chart = by_name(study_report([measured(10, [[0.95, 0.95], [0.96, 0.96]])]))
    (point,) = series(chart["accuracy_vs_parameters"])["vae"].points
    for part in ("vae 10 → 200", "n = 2 × 2", "95 % interval", "run run-id", "one new run"):
        assert part in point.text
    assert point.low is not None
    assert point.high is not None
    assert point.low < point.y < point.high


def test_charts_that_have_nothing_to_show_are_left_out() -> None:
    """One latent dimension, one number of labels and no encoder need no chart."""
    assert list(by_name(study_report([PIXELS]))) == ["accuracy_vs_parameters"]
    assert list(by_name(study_report([]))) == ["accuracy_vs_parameters"]


def test_latent_dimensions_and_active_dimensions() -> None:
    """The most accurate of each dimension is shown; each draw stands with its encoder."""
    found = by_name(
        study_report(
            [
                measured(2, [[0.7], [0.8]]),
                measured(8, [[0.9], [0.9]]),
                measured(8, [[0.95], [0.95]], hidden_neurons=400),
            ]
        )
    )
    latent = series(found["accuracy_vs_latent_dim"])
    assert [(p.x, p.y) for p in latent["vae"].points] == [
        (2, pytest.approx(75)),
        (8, pytest.approx(95)),
    ]
    active = series(found["accuracy_vs_encoder"], 1)
    assert [(p.x, p.y) for p in active["vae 2"].points] == [
        (1, pytest.approx(70)),
        (1, pytest.approx(80)),
    ]
    assert len(active["vae 8"].points) == 4
    assert [p.x for p in series(found["accuracy_vs_encoder"])["vae 2"].points] == [100, 90]


def test_a_line_through_what_encoders_came_to() -> None:
    """Through three draws or more of a configuration; its sentence has slope, fit and residual."""
    report = study_report([measured(10, [[0.91], [0.92], [0.93], [0.94]])])
    (fit,) = report.encoder_fits
    assert (fit.over, fit.n_draws) == ("loss", 4)
    assert (fit.slope, fit.correlation) == (pytest.approx(-0.001), pytest.approx(-1))
    assert fit.residual_sd == pytest.approx(0, abs=1e-9)
    assert "-0.10 points for each nat of the encoder's loss (r = -1.00, 4 encoders)" in fit.reading
    chart = by_name(report)["accuracy_vs_encoder"]
    (line,) = (each for each in chart.panels[0].series if each.kind == "line")
    assert [line.points[0].y, line.points[-1].y] == pytest.approx([94, 91])
    assert "Lines are least-squares fits" in chart.note
    assert study_report([measured(10, [[0.91], [0.92]])]).encoder_fits == ()


def test_printed_curves_over_ours() -> None:
    """The VAE's losses from the second epoch on, and classifiers' accuracies in percent."""
    vae = measured(10, [[0.95], [0.96]])
    encoders = [
        each.model_copy(update={"history": {"loss": tuple(float(n) for n in range(135, 100, -1))}})
        for each in vae.encoders
    ]
    curve = tuple(0.9 for _ in range(50))
    curves = Curves(train_loss=curve, train_accuracy=curve, val_loss=curve, val_accuracy=curve)
    result = vae.result.model_copy(update={"curves": curves})
    report = study_report([Measured(vae.spec, result, "run", encoders)])
    found = by_name(report)
    chart = found["printed_encoder_loss"]
    assert [each.name for each in chart.panels[0].series] == [
        "ours, draw 1", "ours, draw 2", "printed",
    ]  # fmt: skip
    ours, _, notebook = (each.points for each in chart.panels[0].series)
    assert [(p.x, p.y) for p in ours[:2]] == [(2, 134.0), (3, 133.0)]
    assert (notebook[0].y, notebook[-1].y, len(notebook)) == (145.0232, 101.9116, 34)
    assert "957" in chart.note
    assert "encoder's optimizer rmsprop instead of keras2_rmsprop" in chart.note
    shown = series(found["printed_classifier_curves"])
    assert shown["ours, scored partition"].points[0].y == pytest.approx(90)
    assert shown["printed, scored partition"].points[-1].y == pytest.approx(96.49)


def test_label_budgets() -> None:
    """By the number of labels, not by what the config calls it."""
    few = Measured(trial_spec(label_budget=100), trial_result([[0.6], [0.6]], labels=100), "run")
    found = by_name(study_report([measured(10, [[0.95], [0.95]]), few]))
    assert len(series(found["accuracy_vs_parameters"])["vae"].points) == 1
    assert "Of several label budgets, the largest" in found["accuracy_vs_parameters"].note
    points = series(found["accuracy_vs_labels"])["vae"].points
    assert [(p.x, p.y) for p in points] == [
        (100, pytest.approx(60)),
        (13_859, pytest.approx(95)),
    ]


def test_several_studies_have_a_colour_each() -> None:
    """And the published rows, which belong to none, another."""
    one = study_report([PIXELS])
    (chart, *_) = charts([one, one.model_copy(update={"study": "other"})])
    found = series(chart)
    assert found["study: pixels"].colour != found["other: pixels"].colour
    assert found["pixels, published"].colour == -1


def test_active_dimensions_of_several_studies_are_told_apart() -> None:
    """By colour and symbol."""
    one = study_report([measured(2, [[0.7], [0.8]])])
    found = {chart.name: chart for chart in charts([one, one.model_copy(update={"study": "b"})])}
    first, second = series(found["accuracy_vs_encoder"], 1).values()
    assert (first.colour, first.symbol) != (second.colour, second.symbol)


def test_intervals_that_end_at_nothing_are_shown_whole() -> None:
    """Zero is an accuracy."""
    chart = by_name(study_report([measured(10, [[0.1], [0.9]])]))["accuracy_vs_parameters"]
    assert min(chart.shown) == 0


@given(PERCENT, PERCENT)
def test_the_stretched_axis_keeps_the_order(one: float, other: float) -> None:
    """A better accuracy lies higher."""
    if one < other:
        assert stretched(one) <= stretched(other)
    assert stretched(97) - stretched(96) > stretched(77) - stretched(76)


@given(st.lists(PERCENT, max_size=5))
def test_ticks_are_few_and_in_order(accuracies: list[float]) -> None:
    """At least two, so that an axis says its scale, unless it has one value at its end."""
    found = ticks(accuracies)
    assert all(a < b for a, b in pairwise(found))
    assert 1 <= len(found) <= 20
    if accuracies and max(accuracies) - min(accuracies) > 0.1:
        assert len(found) >= 2


@pytest.mark.parametrize(
    "report",
    [
        study_report([measured(2, [[0.7], [0.8]]), measured(8, [[1.0], [1.0]]), PIXELS]),
        study_report([PIXELS], is_mnist=False),
        study_report([]),
    ],
)
def test_charts_are_drawn(report: Report, tmp_path: Path) -> None:
    """As PNG and SVG, with units on their axes."""
    drawn = charts([report])
    paths = save_charts(drawn, tmp_path)
    assert {path.name for path in paths} == {f"{c.name}.{s}" for c in drawn for s in ("png", "svg")}
    for path in paths:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "accuracy_vs_parameters.svg").read_text()
    assert "parameters of the classifier" in text
    assert "accuracy on the test partition (%)" in text
