"""How often the prediction interval holds the one new run that it is for, on simulated accuracies.

    uv run python -m benchmarks.coverage [--repetitions 20000]

Each repetition draws 5 outer draws of 3 members from the one-way random-effects model, and one new
run of a new draw; it is covered if it lies in the 95 % prediction interval of the others. Between
draws the standard deviation is so many times that between the members of a draw.
"""

from __future__ import annotations

import numpy as np

from benchmarks.measuring import options, publish
from sweep.reports.intervals import Layout

DRAWS, MEMBERS = 5, 3
RATIOS = (0.0, 0.5, 1.0, 2.0, 4.0, 10.0)
"""Standard deviation between draws over that between the members of one draw."""


def coverage(ratio: float, repetitions: int, seed: int = 0) -> float:
    """The share of repetitions whose new run lies in the interval, 0 to 1."""
    random = np.random.default_rng([seed, round(1000 * ratio)])
    draws = ratio * random.standard_normal((repetitions, DRAWS + 1, 1))
    runs = draws[:, :DRAWS] + random.standard_normal((repetitions, DRAWS, MEMBERS))
    new = draws[:, DRAWS, 0] + random.standard_normal(repetitions)
    covered = 0
    for values, one in zip(runs, new, strict=True):
        interval = Layout(values).prediction_interval()
        assert interval is not None
        covered += interval.low <= one <= interval.high
    return covered / repetitions


def main() -> None:
    asked = options(__doc__ or "", repetitions=20_000)
    publish(
        "coverage",
        {
            "repetitions": asked.repetitions,
            "draws x members": f"{DRAWS} x {MEMBERS}",
            "coverage (%) by ratio of standard deviations, between draws over within": {
                f"{ratio:g}": round(100 * coverage(ratio, asked.repetitions), 2) for ratio in RATIOS
            },
        },
    )


if __name__ == "__main__":
    main()
