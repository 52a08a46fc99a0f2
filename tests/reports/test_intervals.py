"""Intervals: against the textbook's sums, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.coverage import RATIOS, collapsing, coverage
from sweep.reports.intervals import Layout


def layout(rows: list[list[float]]) -> Layout:
    return Layout.of([(draw, y) for draw, row in enumerate(rows) for y in row])


ROWS = [[0.90, 0.92, 0.91], [0.95, 0.94, 0.96], [0.93, 0.93, 0.90], [0.91, 0.95, 0.94]]


def test_mean_squares_are_those_of_the_analysis_of_variance() -> None:
    """MSA / MSE is the F statistic that SciPy computes, and MSE its pooled variance."""
    found = layout(ROWS)
    assert found.mean_square_between / found.mean_square_within == pytest.approx(
        stats.f_oneway(*ROWS).statistic
    )
    assert found.mean_square_within == pytest.approx(np.mean([np.var(r, ddof=1) for r in ROWS]))


def test_the_interval_of_the_mean_is_that_of_the_draws_means() -> None:
    """With balanced data it is Student's interval of the a means."""
    means = np.mean(ROWS, axis=1)
    expected = stats.t.interval(0.95, 3, loc=means.mean(), scale=stats.sem(means))
    interval = layout(ROWS).mean_interval()
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(expected)


def test_the_prediction_interval_by_hand() -> None:
    """V and ν computed from their definition; rounding widens both ends by itself."""
    found = layout(ROWS)
    a, n = 4, 3
    between = (a + 1) / (a * n) * found.mean_square_between
    within = (n - 1) / n * found.mean_square_within
    freedom = (between + within) ** 2 / (between**2 / (a - 1) + within**2 / (a * (n - 1)))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(between + within)
    for rounding in (0.0, 0.0005):
        interval = found.prediction_interval(rounding)
        assert interval is not None
        assert interval.high - found.mean == pytest.approx(half + rounding)
        assert found.mean - interval.low == pytest.approx(half + rounding)


def test_one_member_a_draw_is_the_usual_prediction_interval() -> None:
    """mean ± t s sqrt(1 + 1/a)."""
    values = [0.9, 0.92, 0.95, 0.91]
    interval = layout([[y] for y in values]).prediction_interval()
    assert interval is not None
    half = stats.t.ppf(0.975, 3) * np.std(values, ddof=1) * np.sqrt(1 + 1 / 4)
    assert interval.high - interval.low == pytest.approx(2 * half)


def test_one_draw_has_no_interval() -> None:
    """Nothing is known of how draws differ."""
    found = layout([[0.9, 0.91, 0.92]])
    assert found.mean_interval() is None
    assert found.prediction_interval() is None
    assert found.sd == pytest.approx(0.01)
    assert layout([[0.9]]).sd is None


def test_equal_values_have_an_interval_of_no_width() -> None:
    """And no division by zero."""
    interval = layout([[0.5, 0.5], [0.5, 0.5]]).prediction_interval(0.01)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((0.49, 0.51))


values = st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=6).filter(
    lambda rows: np.ptp(rows) > 1e-3
)


@given(values, st.floats(-2, 2), st.floats(0.1, 10))
def test_intervals_follow_the_scale(rows: list[list[float]], shift: float, scale: float) -> None:
    """Moving and stretching the values moves and stretches the intervals."""
    moved = [[shift + scale * y for y in row] for row in rows]
    for name in ("mean_interval", "prediction_interval"):
        before, after = getattr(layout(rows), name)(), getattr(layout(moved), name)()
        assert after.low == pytest.approx(shift + scale * before.low, rel=1e-6, abs=1e-6)
        assert after.high == pytest.approx(shift + scale * before.high, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_prediction_interval_covers_one_new_run(ratio: float) -> None:
    """About 95 % of the time, however much more draws differ than the members of one."""
    assert 0.93 <= coverage(3000, ratio=ratio)["one new run"] <= 0.965


def test_five_draws_of_one_classifier_are_enough_for_a_verdict() -> None:
    """The number of classifiers does not matter; few draws of several do."""
    assert 0.94 <= coverage(4000, members=1)["one new run"] <= 0.96
    assert coverage(4000, draws=2, ratio=1.0)["one new run"] < 0.94


def test_where_encoders_collapse_the_mean_s_interval_is_too_short() -> None:
    """The prediction interval still holds; what the docs say of both rests on this."""
    found = coverage(3000, scatter=collapsing)
    assert found["one new run"] > 0.91
    assert found["the mean"] < 0.8


@pytest.mark.parametrize(("draws", "members"), [(5, 1), (5, 3), (10, 2)])
def test_power_is_how_often_an_offset_is_flagged(draws: int, members: int) -> None:
    """The noncentral t distribution agrees with counting, where the variance is as estimated."""
    random = np.random.default_rng([draws, members])
    scale = np.array([[-1.0], [1.0]] * (draws // 2) + [[0.0]] * (draws % 2))
    model = Layout(scale / scale.std(ddof=1) + np.zeros(members))  # no scatter within a draw
    offset = model.detectable()
    assert offset is not None
    assert model.flagged(offset) == pytest.approx(0.8, abs=1e-3)
    flagged, repetitions = 0, 4000
    for _ in range(repetitions):
        effects = random.standard_normal((draws, 1)) + np.zeros(members)
        interval = Layout(effects).prediction_interval()
        assert interval is not None
        new = offset + random.standard_normal()
        flagged += not interval.low <= new <= interval.high
    assert flagged / repetitions == pytest.approx(0.8, abs=0.025)


@given(
    st.integers(2, 20),
    st.integers(1, 4),
    st.floats(1e-6, 0.1),
    st.floats(0, 0.1),
    st.floats(0, 0.2),
)
def test_power_is_a_probability(
    draws: int, members: int, between: float, within: float, offset: float
) -> None:
    """Whatever scatters how much, and however far off a row is."""
    random = np.random.default_rng([draws, members])
    scatter = between * random.standard_normal((draws, 1))
    found = Layout(scatter + within * random.standard_normal((draws, members))).flagged(offset)
    assert found is not None
    assert 0 <= found <= 1


@pytest.mark.parametrize("between", np.geomspace(1e-5, 1e-2, 200))
def test_power_of_what_hardly_scatters_is_1(between: float) -> None:
    """A row that is off by a point is noticed; SciPy's series gives out there, with no number."""
    values = between * np.array([[-1.0], [1.0], [0.5], [-0.5], [0.0]]) + np.zeros(3)
    found = Layout(values).flagged(0.01)
    assert found is not None
    assert 0 <= found <= 1
    if between < 1e-3:
        assert found == pytest.approx(1, abs=1e-6)


def test_rounding_makes_an_offset_harder_to_flag() -> None:
    """By itself; and one draw has no power."""
    found = layout(ROWS)
    assert found.detectable(0.01) == pytest.approx((found.detectable() or 0) + 0.01)
    assert found.flagged(0.05, rounding=0.01) == found.flagged(0.04)
    assert found.flagged(0.0) == pytest.approx(0.05)
    single = layout([[0.9, 0.91]])
    assert (single.detectable(), single.flagged(0.1)) == (None, None)
