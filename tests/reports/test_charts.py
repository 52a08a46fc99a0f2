"""What the charts show, as rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweep.configuration import RepresentationSpec
from sweep.reports.charts import Chart, Series, charts
from sweep.reports.comparison import Report
from sweep.reports.published import PUBLISHED
from sweep.reports.rows import Measured
from sweep.reports.style import colour, number
from sweep.results import Curves, EncoderRecord
from sweep.specs import TrialSpec
from tests.builders import VAE_SETTINGS, study_report, trial_result, trial_spec


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


LABELLED = ("vae, 13,859 labels", "pixels, 48,996 labels")


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


FAIR = Measured(
    trial_spec(representation=RepresentationSpec(name="pixels")),
    trial_result([[0.96], [0.97]], classifier_parameters=159_010, representation_parameters=0),
)


def test_fronts_are_of_equal_labels() -> None:
    """What had more labels stands on no front of those that had fewer."""
    chart = by_name(study_report([measured(10, [[0.95], [0.96]]), PIXELS, FAIR]))[
        "accuracy_vs_parameters"
    ]
    classifier, inference = (series(chart, panel) for panel in (0, 1))
    # At inference pixels beat the latents in both; for the classifier alone both are on the front.
    front = classifier["Pareto front, 13,859 labels"]
    assert front.kind == "steps"
    assert "Steps are Pareto fronts" in chart.note
    assert [(p.x, p.y) for p in front.points] == [
        (4_210, pytest.approx(95.5)),
        (159_010, pytest.approx(96.5)),
    ]
    assert not any("front" in name for name in inference)


def test_captions_speak_of_what_is_there() -> None:
    """Bars, fronts and rings only where there are any."""
    (chart, *_) = charts([study_report([measured(10, [[0.95]])])])
    assert not any(word in chart.note for word in ("Bars", "front", "ring", "budget", "equal"))
    (chart, *_) = charts([study_report([measured(10, [[0.95], [0.96]])])])
    assert "Bars are 95 % intervals" in chart.note
    assert "stretched towards 100 %" in chart.note


def test_a_chart_names_its_study_and_its_data() -> None:
    """Several studies of one dataset together."""
    one = study_report([PIXELS])
    fashion = one.provenance.dataset.model_copy(update={"name": "fashion-mnist"})
    other = one.model_copy(
        update={
            "study": "c",
            "provenance": one.provenance.model_copy(update={"dataset": fashion}),
        }
    )
    assert charts([one])[0].subject == "study on mnist"
    both = charts([one, other, one.model_copy(update={"study": "b"})])
    assert both[0].subject == "study, b on mnist; c on fashion-mnist"


def test_what_is_on_a_front_has_its_name() -> None:
    """In the panel of that front, and nothing else has."""
    worse = measured(16, [[0.94], [0.94]], hidden_neurons=400)
    chart = by_name(study_report([measured(10, [[0.95], [0.96]]), worse]))["accuracy_vs_parameters"]
    names = [point.name for point in series(chart)["vae"].points]
    assert names == ["vae 10 → 200", ""]


def test_published_rows_stand_beside_ours_alone() -> None:
    """Full MNIST's results say nothing of 5,000 digits, nor of another partition's numbers."""
    for report in (
        study_report([measured(10, [[0.95]])], is_mnist=False),
        study_report([measured(10, [[0.95]], scored_on="validation")], scored_on="validation"),
    ):
        chart = by_name(report)["accuracy_vs_parameters"]
        assert not any("published" in each.name for each in chart.legend)
        assert "published" not in chart.note


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
    assert found["accuracy_vs_latent_dim"].panels[0].x_ticks == (2, 8)


def test_kinds_of_encoders_stand_apart_in_shades() -> None:
    """What a study varied of its encoders is told apart, as long as it is little to look at."""

    def latent(betas: list[float]) -> Chart:
        rows = [
            replace(
                measured(dim, [[at], [at]]), varied={"beta": beta, "classifier.epochs": 10 * dim}
            )
            for dim, at in ((2, 0.7), (8, 0.9))
            for beta in betas
        ]
        return by_name(study_report(rows))["accuracy_vs_latent_dim"]

    shades = latent([0.1, 1.0]).panels[0].series
    assert [each.name for each in shades] == ["vae, beta 0.1", "vae, beta 1"]
    for each in shades:
        assert [p.x for p in each.points] == [
            pytest.approx(2, rel=0.05),
            pytest.approx(8, rel=0.05),
        ]
    assert shades[0].points[0].x < 2 < shades[1].points[0].x
    assert {each.colour for each in shades} == {number("vae")}
    assert shades[0].tint != shades[1].tint
    assert [each.name for each in latent([0.1, 0.2, 0.4, 1.0, 2.0]).panels[0].series] == ["vae"]


def test_dimensions_are_shades_of_their_representation_in_order() -> None:
    """Smaller ones first and lighter; the legend has them once."""
    chart = by_name(study_report([measured(dim, [[0.9], [0.9]]) for dim in (16, 2, 8)]))[
        "accuracy_vs_encoder"
    ]
    assert [each.name for each in chart.legend] == ["vae 2", "vae 8", "vae 16"]
    assert {each.colour for each in chart.legend} == {number("vae")}
    assert [each.tint for each in chart.legend] == sorted(
        (each.tint for each in chart.legend), reverse=True
    )
    assert chart.legend[-1].tint == 0


def test_the_legend_keeps_the_order_of_all_panels() -> None:
    """Also of a panel that begins with what the first one lacks."""
    (chart, *_) = charts([study_report([measured(10, [[0.95]])])])
    first, second = chart.panels
    lacking = replace(first, series=first.series[1:])
    names = [each.name for each in chart.legend]
    both = replace(chart, panels=(lacking, second))
    assert [each.name for each in both.legend] == names


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
    assert line.name == "vae 10 → 200, loss: r = -1.00"
    assert "Lines are least-squares fits" in chart.note
    assert study_report([measured(10, [[0.91], [0.92]])]).encoder_fits == ()


def test_configurations_that_differ_by_their_training_are_told_apart() -> None:
    """Rows may have a classifier's training of their own: each has a name, and a line, of its own,
    though they share encoders.
    """
    accuracies = [[0.91], [0.92], [0.93], [0.94]]
    usual = measured(10, accuracies)
    longer = usual.spec.classifier.model_copy(update={"epochs": 77, "optimizer": "keras2_rmsprop"})
    report = study_report([usual, measured(10, accuracies[::-1], classifier=longer)])
    first, second = report.rows
    assert second.name == "vae 10 → 200, classifier.epochs 77, classifier.optimizer keras2_rmsprop"
    assert first.name.endswith("classifier.optimizer rmsprop")
    assert [fit.n_draws for fit in report.encoder_fits] == [4, 4]
    assert [fit.correlation for fit in report.encoder_fits] == pytest.approx([-1, 1])
    assert [fit.configuration for fit in report.encoder_fits] == [first.name, second.name]
    assert study_report([usual]).rows[0].name == "vae 10 → 200"


def test_a_line_that_may_be_chance_is_not_drawn() -> None:
    """The fit is told, with its r, and that so few encoders may show as much by chance."""
    report = study_report([measured(10, [[0.91], [0.94], [0.92], [0.93], [0.93]])])
    (fit,) = report.encoder_fits
    assert 0.4 < abs(fit.correlation) < 0.878  # the bound of five, from tables
    assert "by chance" in fit.reading
    chart = by_name(report)["accuracy_vs_encoder"]
    assert not any(each.kind == "line" for panel in chart.panels for each in panel.series)
    assert "No line is drawn" in chart.note
    for r, is_told in ((0.877, False), (0.879, True), (-0.879, True), (1.0, True)):
        assert fit.model_copy(update={"correlation": r}).is_told == is_told


def test_encoders_of_one_draw_explain_nothing() -> None:
    """Their chart would set configurations side by side, not encoders: it is left out."""
    report = study_report([measured(dim, [[0.9]]) for dim in (2, 8)])
    assert report.encoded
    assert "accuracy_vs_encoder" not in by_name(report)


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
    assert [each.name for each in chart.legend] == ["ours, a line for each draw", "printed"]
    ours, _, notebook = (each.points for each in chart.panels[0].series)
    assert [(p.x, p.y) for p in ours[:2]] == [(2, 134.0), (3, 133.0)]
    assert ours[0].text == "draw 1, epoch 2: 134"
    assert (notebook[0].y, notebook[-1].y, len(notebook)) == (145.0232, 101.9116, 34)
    assert "957" in chart.note
    assert "encoder's optimizer rmsprop instead of keras2_rmsprop" in chart.note
    shown = series(found["printed_classifier_curves"])
    assert shown["vae, ours, scored partition"].points[0].y == pytest.approx(90)
    assert shown["vae, printed, scored partition"].points[-1].y == pytest.approx(96.49)


def test_label_budgets() -> None:
    """By the number of labels, not by what the config calls it."""
    few = Measured(trial_spec(label_budget=100), trial_result([[0.6], [0.6]], labels=100), "run")
    other = measured(2, [[0.8], [0.8]])
    found = by_name(study_report([measured(10, [[0.95], [0.95]]), other, few]))
    assert len(series(found["accuracy_vs_parameters"])["vae"].points) == 2
    for name in ("accuracy_vs_parameters", "accuracy_vs_latent_dim"):
        assert "Of several label budgets, the largest: 13,859 labels." in found[name].note
    points = series(found["accuracy_vs_labels"])["vae"].points
    assert [(p.x, p.y) for p in points] == [
        (100, pytest.approx(60)),
        (13_859, pytest.approx(95)),
    ]


def test_representations_with_equally_many_labels_stand_apart() -> None:
    """A little, in an order that stays: their intervals would lie on each other."""
    budgets = (100, 13_859)
    pixels = {"representation": RepresentationSpec(name="pixels")}
    chart = by_name(
        study_report(
            [
                Measured(trial_spec(label_budget=n, **fields), trial_result(close, labels=n))
                for n in budgets
                for fields, close in (({}, [[0.6], [0.7]]), (pixels, [[0.61], [0.71]]))
            ]
        )
    )["accuracy_vs_labels"]
    axis = chart.x_axis(chart.panels[0])
    vae, other = (series(chart)[name].points for name in ("vae", "pixels"))
    for one, two, labels in zip(vae, other, budgets, strict=True):
        assert 0.01 < axis.place(two.x) - axis.place(one.x) < 0.02
        assert one.x < labels < two.x
    assert [tick.value for tick in axis.ticks(60)] == list(budgets)
    assert "stands a little apart" in chart.note


def test_what_was_selected_from_few_is_not_joined() -> None:
    """A line from the best of one to the best of another's would show what luck there was."""
    rows = [(2, 0.7, 200), (8, 0.9, 200), (8, 0.8, 400)]
    chart = by_name(
        study_report([measured(dim, [[at], [at]], hidden_neurons=n) for dim, at, n in rows])
    )["accuracy_vs_latent_dim"]
    (vae,) = chart.panels[0].series
    assert vae.kind == "measured"
    assert "of the 1 to 2 that were measured there" in chart.note
    assert [p.text.split("<br>")[-1] for p in vae.points] == [
        "the most accurate of 1",
        "the most accurate of 2",
    ]


def test_a_representation_has_one_colour_in_all_charts() -> None:
    """Of one study and of several, which symbols and dashes tell apart."""
    one = study_report([measured(2, [[0.7], [0.8]]), measured(8, [[0.9], [0.9]]), PIXELS, FAIR])
    for reports in ([one], [one, one.model_copy(update={"study": "other"})]):
        for chart in charts(reports):
            for each in chart.legend:
                for name in ("vae", "pixels"):
                    if name in each.name:
                        assert each.colour == number(name)
    found = series(charts([one, one.model_copy(update={"study": "other"})])[0])
    pairs = [(found[f"study: {what}"], found[f"other: {what}"]) for what in LABELLED]
    assert all(ours.symbol != theirs.symbol for ours, theirs in pairs)
    fronts = found["study: front, 13,859 labels"], found["other: front, 13,859 labels"]
    assert fronts[0].dashes != fronts[1].dashes


def test_colours_are_lightened() -> None:
    """Up to white."""
    assert colour(0) == "#0072B2"
    assert colour(0, 1) == "#FFFFFF"
    assert int(colour(0, 0.5)[1:3], 16) == 128


def test_active_dimensions_of_several_studies_are_told_apart() -> None:
    """By their symbols."""
    one = study_report([measured(2, [[0.7], [0.8]])])
    found = {chart.name: chart for chart in charts([one, one.model_copy(update={"study": "b"})])}
    first, second = series(found["accuracy_vs_encoder"], 1).values()
    assert first.symbol != second.symbol


def test_intervals_that_end_at_nothing_are_shown_whole() -> None:
    """Zero is an accuracy."""
    chart = by_name(study_report([measured(10, [[0.1], [0.9]])]))["accuracy_vs_parameters"]
    assert chart.y_axis.low == 0
