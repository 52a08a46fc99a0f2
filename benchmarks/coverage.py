"""How often intervals hold what they are for, on simulated accuracies.

    uv run python -m benchmarks.coverage [--repetitions 20000]

Each repetition draws outer draws of some classifiers from the one-way random-effects model, and one
new run of a new draw. The prediction interval covers if the new run lies in it, the interval of the
mean if the model's mean does. Encoders scatter in three ways: normally, skewed (now and then one is
much worse: minus an exponential), and collapsing (one in five is worse by ten standard
deviations).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import options, publish
from sweep.reports.intervals import Interval, Layout

MEMBERS = 3
RATIOS = (0.0, 0.5, 1.0, 2.0, 4.0, 10.0)
"""Standard deviation between draws over that between the members of one draw."""
_SCATTERED = 4.0
"""That ratio where encoders are skewed or collapse; theirs is what matters there."""
_COLLAPSES, _DEPTH = 0.2, 10.0

Scatter = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]
"""Gives effects of draws, of mean 0, in standard deviations of what does not collapse."""


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return random.standard_normal(shape)


def skewed(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return 1 - random.standard_exponential(shape)


def collapsing(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    collapsed = random.random(shape) < _COLLAPSES
    return random.standard_normal(shape) + _DEPTH * (_COLLAPSES - collapsed)


def coverage(
    repetitions: int,
    scatter: Scatter = normal,
    ratio: float = _SCATTERED,
    draws: int = 5,
    members: int = MEMBERS,
    seed: int = 0,
) -> dict[str, float]:
    """The shares of repetitions that the intervals of one new run and of the mean cover, 0 to 1."""
    random = np.random.default_rng([seed, round(1000 * ratio), draws, members])
    effects = ratio * scatter(random, (repetitions, draws + 1, 1))
    runs = effects[:, :draws] + random.standard_normal((repetitions, draws, members))
    new = effects[:, draws, 0] + random.standard_normal(repetitions)
    covered = {"one new run": 0, "the mean": 0}
    for values, one in zip(runs, new, strict=True):
        layout = Layout(values)
        covered["one new run"] += holds(layout.prediction_interval(), one)
        covered["the mean"] += holds(layout.mean_interval(), 0.0)
    return {name: count / repetitions for name, count in covered.items()}


def holds(interval: Interval | None, value: float) -> bool:
    assert interval is not None
    return interval.low <= value <= interval.high


def main() -> None:
    repetitions = options(__doc__ or "", repetitions=20_000).repetitions

    def percent(**model: object) -> dict[str, float]:
        found = coverage(repetitions, **model)  # type: ignore[arg-type]  # named as its arguments
        return {name: round(100 * share, 2) for name, share in found.items()}

    publish(
        "coverage",
        {
            "repetitions": repetitions,
            "coverage (%) of 5 draws x 3, by ratio of standard deviations, between over within": {
                f"{ratio:g}": percent(ratio=ratio) for ratio in RATIOS
            },
            "coverage (%) of normal encoders, by draws x classifiers": {
                f"{draws} x {members}": percent(draws=draws, members=members)
                for draws in (2, 3, 5, 10)
                for members in (1, MEMBERS)
            },
            "coverage (%) by encoders and draws": {
                f"{scatter.__name__}, {draws} draws": percent(scatter=scatter, draws=draws)
                for scatter in (skewed, collapsing)
                for draws in (5, 10, 20)
            },
        },
    )


if __name__ == "__main__":
    main()
