"""How far an encoder explains the accuracy of the classifiers on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from sweep.values import Value

Explanation = Literal["loss", "active_dimensions"]
EXPLANATIONS: tuple[Explanation, ...] = ("loss", "active_dimensions")
_FEWEST = 3
"""A line through two points explains everything."""


class EncodedDraw(Value):
    """One draw of a configuration that stands on an encoder."""

    configuration: str
    representation: str
    latent_dim: int | None
    labels: int
    draw: int
    loss: float | None
    """Of the draw's encoder after its last epoch, nats per image."""
    active_dimensions: float | None
    """Of the draw's encoder; see ``active_dimensions`` of its history."""
    accuracy: float
    """Mean over the draw's classifiers, a fraction."""


class EncoderFit(Value):
    """Accuracy over the draws of one configuration as a line over what its encoders came to."""

    configuration: str
    labels: int
    over: Explanation
    n_draws: int
    slope: float
    """Fraction of accuracy for one nat, or for one active dimension."""
    intercept: float
    correlation: float
    draw_sd: float
    """Standard deviation of the draws' accuracies, a fraction."""
    residual_sd: float
    """Standard deviation about the line, with n - 2 degrees of freedom."""

    @property
    def is_told(self) -> bool:
        """Whether the correlation is farther from 0 than 95 % of those without any (t-test)."""
        freedom = self.n_draws - 2
        t = float(stdtrit(freedom, 0.975))
        return abs(self.correlation) > t / math.hypot(t, math.sqrt(freedom))

    @property
    def reading(self) -> str:
        """The fit as a sentence."""
        unit = "nat of the encoder's loss" if self.over == "loss" else "active dimension"
        return (
            f"{self.configuration}: {100 * self.slope:+.2f} points for each {unit} "
            f"(r = {self.correlation:.2f}, {self.n_draws} encoders); draws scatter by "
            f"{100 * self.draw_sd:.2f} points, about the line by {100 * self.residual_sd:.2f}"
            + ("." if self.is_told else "; so few encoders may show that much by chance (5 %).")
        )


def encoder_fits(draws: Sequence[EncodedDraw]) -> tuple[EncoderFit, ...]:
    """Least-squares lines over the draws of one configuration, where three or more are known.

    What does not vary over the draws explains nothing, and has no line.
    """
    return tuple(_fits(draws))


def _fits(draws: Sequence[EncodedDraw]) -> Iterator[EncoderFit]:
    for over in EXPLANATIONS:
        pairs = [(x, d.accuracy) for d in draws if (x := getattr(d, over)) is not None]
        if len(pairs) < _FEWEST:
            continue
        xs, ys = (np.array(values) for values in zip(*pairs, strict=True))
        if np.ptp(xs) == 0 or np.ptp(ys) == 0:
            continue
        slope, intercept = np.polyfit(xs, ys, 1)
        rest = ys - (slope * xs + intercept)
        yield EncoderFit(
            configuration=draws[0].configuration,
            labels=draws[0].labels,
            over=over,
            n_draws=len(pairs),
            slope=float(slope),
            intercept=float(intercept),
            correlation=float(np.corrcoef(xs, ys)[0, 1]),
            draw_sd=float(ys.std(ddof=1)),
            residual_sd=float(np.sqrt(np.square(rest).sum() / (len(pairs) - 2))),
        )
