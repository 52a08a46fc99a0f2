"""What follows from a study's rows: verdicts, curves, fronts, differences."""

from __future__ import annotations

from collections.abc import Iterator

from sweep.reports.comparison import Report
from sweep.reports.rows import Row
from sweep.reports.tables.cells import (
    NOTHING,
    TEST_INTERVAL,
    Table,
    accuracy,
    between,
    gap,
    nats,
    percent,
)
from sweep.reports.verdicts import is_told

_EPOCHS = (1, 2, 5, 10, 20)
"""At which printed curves are set beside ours, and at their last."""


def findings(report: Report) -> Iterator[Table]:
    """The tables, some perhaps with nothing in them."""
    yield _readings(report)
    yield _printed(report)
    yield _encoders(report)
    yield _fronts(report)
    yield _searched(report)
    yield Table("How the search did", notes=report.search_readings)
    yield _differences(report)
    yield _label_budgets(report)


def _readings(report: Report) -> Table:
    """A sentence for each published row, and how to take them together."""
    readings = [row.reading for row in report.rows if row.reading]
    readings += [step.reading for step in report.published_differences]
    verdicts = [row.verdict for row in report.rows]
    verdicts += [step.verdict for step in report.published_differences]
    told = sum(map(is_told, verdicts))
    if told:
        readings.append(
            f"{told} verdicts at 95 % would be wrong {0.05 * told:.1f} times even if every "
            "published row had come from these very networks. Rows that share encoders are not "
            "independent of each other."
        )
    if readings:
        readings.append(
            "Accuracies are those after the last epoch. Whoever publishes the best epoch of a run "
            "publishes more; the accuracy at the best epoch is given beside."
        )
    return Table("What was published", notes=tuple(readings))


def _printed(report: Report) -> Table:
    """The curves that the notebook printed, beside ours, at a few epochs."""
    rows = []
    for each in report.printed:
        epochs = len(each.printed)
        for epoch in [e for e in _EPOCHS if e < epochs] + [epochs]:
            ours = [curve[epoch - 1] for curve in each.ours]
            shown = percent if each.quantity.endswith("accuracy") else nats
            rows.append(
                (
                    each.configuration,
                    each.quantity.replace("_", " "),
                    str(epoch),
                    shown(each.printed[epoch - 1]),
                    shown(sum(ours) / len(ours)),
                    NOTHING if len(ours) < 2 else f"{shown(min(ours))} to {shown(max(ours))}",
                )
            )
    differs = dict.fromkeys(what for each in report.printed for what in each.differs)
    return Table(
        "What the notebook's cells printed",
        ("configuration", "quantity", "epoch", "printed", "ours", "range of draws"),
        tuple(rows),
        (
            "Losses in nats, accuracies in percent; validation is on the partition that is scored. "
            "Of an encoder, ours is the mean over draws; of classifiers, over all replicates.",
            *(["Ours were trained with " + "; ".join(differs) + "."] if differs else []),
        ),
        frozenset({"configuration", "quantity"}),
    )


def _encoders(report: Report) -> Table:
    """A sentence for each configuration whose encoders explain its draws."""
    fits = [fit.reading for fit in report.encoder_fits]
    return Table("How far the encoder explains the accuracy", notes=tuple(fits))


def _searched(report: Report) -> Table:
    """All that a search saw, where the report stands on what of it was confirmed."""
    confirmed = {(row.name, row.labels): row for row in report.rows}
    rows = [(row, confirmed.get((row.name, row.labels))) for row in report.searched]
    return Table(
        "What the search saw",
        ("configuration", "labels", "searched %", "classifier parameters", "confirmed %"),
        tuple(
            (
                row.name,
                f"{row.labels:,}",
                percent(row.accuracy),
                f"{row.classifier_parameters:,}",
                NOTHING if other is None else percent(other.accuracy),
            )
            for row, other in rows
        ),
        ("On the validation partition; what was confirmed, on fresh draws and the test partition.",)
        * bool(rows),
    )


def _fronts(report: Report) -> Table:
    """What nothing beats at its size, how sure that is, and what the test partition says of it."""
    rows = [row for row in report.rows if row.pareto or row.pareto_inference]
    tested = any(row.test_accuracy is not None for row in rows)
    columns = (
        *("configuration", "labels", "accuracy %", "classifier parameters", "on the front"),
        *("inference parameters", "on that front"),
        *(("test %", TEST_INTERVAL) if tested else ()),
    )
    lines = [
        "On a front is what nothing of at most as many parameters beats, among the rows with as "
        "many labels."
    ]
    if any(row.pareto_share is not None for row in rows):
        lines.append(
            "The percentage is the place's stability: how often it is kept if the draws are drawn "
            "anew (bootstrap). It is no confidence."
        )
    if tested:
        lines.append(
            "These were selected by their accuracy on the validation partition, and then scored on "
            "the test partition, once."
        )
    return Table(
        "Pareto fronts",
        columns,
        tuple(
            (
                row.name,
                f"{row.labels:,}",
                percent(row.accuracy),
                f"{row.classifier_parameters:,}",
                _place(row.pareto, row.pareto_share),
                f"{row.inference_parameters:,}",
                _place(row.pareto_inference, row.pareto_inference_share),
                *(
                    (percent(row.test_accuracy), between(row.test_ci_low, row.test_ci_high))
                    if tested
                    else ()
                ),
            )
            for row in rows
        ),
        tuple(lines),
    )


def _place(is_on: bool, share: float | None) -> str:
    return ("yes" if is_on else "no") + ("" if share is None else f" ({100 * share:.0f} %)")


def _differences(report: Report) -> Table:
    """Pairs of representations within the same number of parameters and labels.

    Only those that have an interval: of one draw, a difference says nothing.
    """
    title = "Differences within the same number of parameters"
    told = [
        (each, each.low, each.high)
        for each in report.differences
        if each.low is not None and each.high is not None
    ]
    if not told:
        alone = (
            "None is shown: these configurations have one draw each, a difference of two of them "
            "has no interval, and so it may be nothing but luck. Two draws have one."
        )
        return Table(title, notes=(alone,) if report.differences else ())
    lines = [
        "In points of accuracy: the first minus the second, each with its most accurate "
        "configuration within the bound, paired over the draws that they have in common, with "
        "equal labels. What a search selected stands with its scores on the test partition where "
        "both have them; validation scores that selected are too good."
    ]
    if len(told) > 1:
        lines.append(
            f"Of {len(told)} differences, {0.05 * len(told):.1f} would have an interval that "
            "excludes 0 by chance even if there were none; and they are not independent."
        )
    return Table(
        title,
        (
            *("counted", "at most", "labels", "first", "second"),
            *("difference", "95 % interval of difference", "draws", "scored on"),
        ),
        tuple(
            (
                each.counted,
                f"{each.max_parameters:,}",
                f"{each.labels:,}",
                each.first,
                each.second,
                gap(each.difference),
                f"{gap(low)} to {gap(high)}",
                str(each.n_draws),
                each.scored_on,
            )
            for each, low, high in told
        ),
        tuple(lines),
        frozenset({"counted", "first", "second", "scored on"}),
    )


def _label_budgets(report: Report) -> Table:
    """The most accurate of each representation with each number of labels."""
    budgets = {
        row.label_budget: "all labels"
        if row.label_budget is None
        else f"{row.label_budget:,} labels"
        for row in report.rows
    }
    best: dict[tuple[str, int | None], Row] = {}
    for row in report.rows:
        key = (row.representation, row.label_budget)
        if key not in best or row.accuracy > best[key].accuracy:
            best[key] = row
    names = dict.fromkeys(row.representation for row in report.rows)

    def cell(name: str, budget: int | None) -> str:
        row = best.get((name, budget))
        return NOTHING if row is None else accuracy(row)

    return Table(
        "Label budgets",
        ("representation", *budgets.values()),
        tuple((name, *(cell(name, budget) for budget in budgets)) for name in names)
        if len(budgets) > 1
        else (),
        (
            "Accuracy in percent of each representation's most accurate configuration. All labels "
            "are those of the partition that a representation takes its labels from.",
        ),
        frozenset({"representation"}),
    )
