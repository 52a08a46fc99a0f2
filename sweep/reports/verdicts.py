"""What measured accuracies say of published ones: verdicts, and what could not have been told.

A published row is one run, so it is held against the prediction interval of one new run of ours. A
verdict wants five draws, however many classifiers, and a study that follows the notebook's protocol
to the letter; a sentence says the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Literal

import numpy as np

from sweep.reports.intervals import FEWEST_DRAWS, Interval, Layout
from sweep.reports.published import PUBLISHED, Match, PublishedRow
from sweep.values import Value

Verdict = Literal["consistent", "published higher", "published lower", "too few runs"]


def is_told(found: Verdict | None) -> bool:
    """Whether a verdict says anything: there is one, and it stands on enough draws."""
    return found not in (None, "too few runs")


def verdict(match: Match, accuracies: Layout) -> Verdict | None:
    """Whether one published run is what one new run of ours could have given.

    None where ours were not trained as the notebook's were.
    """
    if match.differs:
        return None
    published = match.row
    return _verdict(published.accuracy, accuracies, published.half_unit)


def _verdict(published: float, ours: Layout, rounding: float) -> Verdict:
    interval = ours.prediction_interval(rounding)
    if interval is None or ours.draws < FEWEST_DRAWS:
        return "too few runs"
    if published > interval.high:
        return "published higher"
    if published < interval.low:
        return "published lower"
    return "consistent"


def reading(match: Match, accuracies: Layout, best_epoch: float) -> str:
    """A verdict, or why there is none, for a reader who knows the notebook.

    Args:
        match: the published row, and what differs from its protocol.
        accuracies: ours, after the last epoch.
        best_epoch: the mean of ours at their best epochs.
    """
    row = match.row
    cell = "" if row.cell_accuracy is None else f" (its own cell: {100 * row.cell_accuracy:.2f} %)"
    parts = [f"{row.name}: published {100 * row.accuracy:.4g} %{cell}, one run"]
    found = verdict(match, accuracies)
    if not is_told(found):
        parts.append(_gap(row, accuracies))
        parts.append(
            "no verdict: " + "; ".join(match.differs)
            if match.differs
            else f"a verdict wants {FEWEST_DRAWS} draws"
        )
        text = "; ".join(parts) + "."
    else:
        text = "; ".join([*parts, _prediction(found, accuracies, row.half_unit)]) + "."
        text += _power(accuracies, row.half_unit)
    text += f" At their best epoch instead of the last, ours have {100 * best_epoch:.2f} %."
    if row.is_misprinted:
        text += (
            f" Its parameters were printed as {row.printed_parameters:,}; "
            f"they are {row.classifier_parameters:,}."
        )
    return text


def _gap(row: PublishedRow, ours: Layout) -> str:
    scatter = "one draw does not say how draws scatter"
    if ours.draw_sd is not None:
        scatter = f"draws scatter by {100 * ours.draw_sd:.2f} points"
    return (
        f"ours {100 * ours.mean:.2f} % in {_runs(ours)}, a gap of "
        f"{_points(100 * (row.accuracy - ours.mean))}; {scatter}"
    )


def _prediction(found: Verdict | None, ours: Layout, rounding: float) -> str:
    interval = ours.prediction_interval(rounding)
    assert interval is not None
    low, high = 100 * interval.low, 100 * interval.high
    return (
        f"one new run of ours would lie between {low:.2f} and {high:.2f} % "
        f"(95 %, width {high - low:.2f} points, from {_runs(ours)}): {found}"
    )


def _power(ours: Layout, rounding: float) -> str:
    """What a verdict could not have excluded."""
    detectable, flagged = ours.detectable(rounding), ours.flagged(0.01, rounding)
    assert detectable is not None
    assert flagged is not None
    return (
        f" A row that is off by 1 point would be noticed in {100 * flagged:.0f} % of cases, and it "
        f"takes {100 * detectable:.2f} points to be noticed in 80 %: less is not excluded."
    )


def _runs(ours: Layout) -> str:
    runs, draws = ours.values.size, ours.draws
    return f"{runs} run{'s' * (runs > 1)} over {draws} draw{'s' * (draws > 1)}"


def _points(value: float) -> str:
    return f"{value:+.2f} points"


class PublishedDifference(Value):
    """The step from one published row to the next larger of the same features, and ours.

    Where both rows stand on one encoder it cancels: that has power with few draws. Differences are
    the second row's accuracy minus the first's, fractions.
    """

    first: str
    second: str
    published: float
    difference: float
    """Ours, mean over the replicates."""
    low: float | None
    high: float | None
    """95 % prediction interval for one new pair of runs on one new draw, widened by half a unit of
    both rows' last printed digits; null for one draw."""
    detectable: float | None
    """The smallest difference between the published step and ours that is noticed in 80 % of
    cases; null for one draw."""
    n_draws: int
    verdict: Verdict
    reading: str


def published_differences(
    measured: Sequence[tuple[Match, Layout]],
) -> tuple[PublishedDifference, ...]:
    """Of each pair of neighbouring published rows that were both measured to the letter.

    Args:
        measured: what was measured beside published rows, accuracies after the last epoch; the
            draws of all are the same, in the same order.
    """
    known = {match.row.name: (match, layout) for match, layout in measured if not match.differs}

    def features(row: PublishedRow) -> tuple[str, int]:
        return row.representation, row.latent_dim or 0

    found = []
    ordered = sorted(PUBLISHED, key=lambda row: (*features(row), row.hidden_neurons))
    for _, group in groupby(ordered, key=features):
        rows = [row for row in group if row.name in known]
        for first, second in pairwise(rows):
            one, other = known[first.name][1], known[second.name][1]
            if one.values.shape == other.values.shape:
                found.append(_published_difference(first, second, one, other))
    return tuple(found)


def _published_difference(
    first: PublishedRow, second: PublishedRow, one: Layout, other: Layout
) -> PublishedDifference:
    steps = Layout(np.subtract(other.values, one.values))
    rounding = first.half_unit + second.half_unit
    published = second.accuracy - first.accuracy
    interval = steps.prediction_interval(rounding)
    found = _verdict(published, steps, rounding)
    detectable = steps.detectable(rounding)
    return PublishedDifference(
        first=first.name,
        second=second.name,
        published=published,
        difference=steps.mean,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        detectable=detectable,
        n_draws=steps.draws,
        verdict=found,
        reading=_step_reading(first, second, published, steps, interval, found, detectable),
    )


def _step_reading(
    first: PublishedRow,
    second: PublishedRow,
    published: float,
    steps: Layout,
    interval: Interval | None,
    found: Verdict,
    detectable: float | None,
) -> str:
    text = (
        f"From {first.name} to {second.name}: published {_points(100 * published)}; "
        f"ours {_points(100 * steps.mean)} in {_runs(steps)}"
    )
    if interval is None or detectable is None:
        return f"{text}; a verdict wants {FEWEST_DRAWS} draws."
    low, high = 100 * interval.low, 100 * interval.high
    text += f", and one new pair would lie between {low:+.2f} and {high:+.2f}"
    if found == "too few runs":
        return f"{text}; a verdict wants {FEWEST_DRAWS} draws."
    text += (
        f" (95 %): {found}. It takes {100 * detectable:.2f} points to be noticed in 80 % of cases."
    )
    return text if first.latent_dim is None else f"{text} The encoder that both share cancels here."
