"""The report's tables, as plain text in cells; ``render`` and ``page`` draw them.

Accuracies are in percent. Every table is of one study, but for the first, which may hold several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sweep.reports.comparison import Report
from sweep.reports.rows import Row

NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """A table with its title; without columns it is just its notes, a paragraph each."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    left: frozenset[str] = field(default=frozenset({"study", "configuration", "verdict"}))
    """Columns of text; those of numbers stand to the right."""


def comparison_table(reports: Sequence[Report]) -> Table:
    """Every row, with its uncertainty, beside what was published."""
    several, compared = len(reports) > 1, is_compared(reports)
    columns: dict[str, Callable[[Report, Row], str]] = {}
    if several:
        columns["study"] = lambda report, _: report.study
    columns |= {
        "configuration": lambda _, row: row.name,
        "accuracy %": lambda _, row: percent(row.accuracy),
        "95 % interval": lambda _, row: between(row.accuracy_ci_low, row.accuracy_ci_high),
        "one new run %": lambda _, row: between(row.prediction_low, row.prediction_high),
        "n": lambda _, row: replicates(row),
        "labels": lambda _, row: f"{row.labels:,}",
        "classifier parameters": lambda _, row: f"{row.classifier_parameters:,}",
        "inference parameters": lambda _, row: f"{row.inference_parameters:,}",
    }
    if compared:
        columns |= {
            "published %": lambda _, row: percent(row.published_accuracy),
            "printed parameters": lambda _, row: number(row.published_parameters),
            "verdict": lambda _, row: row.verdict or NOTHING,
        }
    return Table(
        title=", ".join(report.study for report in reports),
        columns=tuple(columns),
        rows=tuple(
            tuple(cell(report, row) for cell in columns.values())
            for report, row in report_rows(reports)
        ),
        notes=tuple(notes(reports)),
    )


def further_tables(reports: Sequence[Report]) -> list[Table]:
    """What follows from the rows: only tables that have anything in them."""
    return [
        replace(table, title=f"{report.study}: {table.title}") if len(reports) > 1 else table
        for report in reports
        for table in _further_tables(report)
        if table.rows or (table.notes and not table.columns)
    ]


def _further_tables(report: Report) -> Iterator[Table]:
    yield _readings(report)
    yield _fronts(report)
    yield _differences(report)
    yield _label_budgets(report)
    yield _costs(report)
    yield from _confusions(report)
    yield _provenance(report)


def notes(reports: Sequence[Report]) -> list[str]:
    """What a reader must know to read the comparison's table."""
    scored_on = {report.study: report.scored_on for report in reports}
    partitions = f"the {reports[0].scored_on} partition"
    if len(set(scored_on.values())) > 1:
        partitions = " and ".join(f"the {part} partition ({s})" for s, part in scored_on.items())
    lines = [
        f"Accuracy after the last epoch on {partitions}, mean of n = draws x classifiers, with a "
        "95 % interval that stands on the draws (none for one draw).",
        "Parameters of the classifier, and of all that inference needs: the representation, too.",
    ]
    if not is_compared(reports):
        lines.append(
            "No published accuracies beside these rows: they hold for all of MNIST and the "
            "notebook's protocol (study_configs/notebook_table.yaml)."
        )
    elif any(row.verdict == "too few runs" for _, row in report_rows(reports)):
        lines.append(
            "A published accuracy is one run; whether it is consistent with these needs 5 draws "
            "of 3 classifiers at least."
        )
    return lines


def is_compared(reports: Sequence[Report]) -> bool:
    """Whether any row stands beside a published one."""
    return any(row.published_accuracy is not None for _, row in report_rows(reports))


def report_rows(reports: Sequence[Report]) -> Iterator[tuple[Report, Row]]:
    """All rows, each with its report."""
    return ((report, row) for report in reports for row in report.rows)


def replicates(row: Row) -> str:
    """Draws x classifiers."""
    return f"{row.n_draws} x {row.n_replicates // row.n_draws}"


def percent(fraction: float | None) -> str:
    """A fraction in percent, with two decimals."""
    return NOTHING if fraction is None else f"{100 * fraction:.2f}"


def accuracy(row: Row) -> str:
    """A row's accuracy in percent, with half the width of its interval if there is one."""
    if row.accuracy_ci_low is None or row.accuracy_ci_high is None:
        return percent(row.accuracy)
    half = 50 * (row.accuracy_ci_high - row.accuracy_ci_low)
    return f"{percent(row.accuracy)} ± {half:.2f}"


def number(value: float | None) -> str:
    """A whole number."""
    return NOTHING if value is None else f"{value:,.0f}"


def between(low: float | None, high: float | None) -> str:
    """An interval of fractions, in percent."""
    return NOTHING if low is None or high is None else f"{percent(low)} to {percent(high)}"


def _readings(report: Report) -> Table:
    """A sentence for each published row, and how to take them together."""
    readings = [row.reading for row in report.rows if row.reading]
    told = sum(row.verdict not in (None, "too few runs") for row in report.rows)
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


def _fronts(report: Report) -> Table:
    """What nothing beats at its size, how sure that is, and what the test partition says of it."""
    rows = [row for row in report.rows if row.pareto or row.pareto_inference]
    tested = any(row.test_accuracy is not None for row in rows)
    columns = (
        *("configuration", "accuracy %", "classifier parameters", "on the front"),
        *("inference parameters", "on that front"),
        *(("test %", "95 % interval") if tested else ()),
    )
    lines = [
        "On a front is what nothing of at most as many parameters beats, among the rows of the "
        "same label budget; the percentage says how often, if the draws are drawn anew "
        "(bootstrap).",
    ]
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
    """Pairs of representations within the same number of parameters."""
    return Table(
        "Differences within the same number of parameters",
        ("counted", "at most", "first", "second", "difference", "95 % interval", "draws"),
        tuple(
            (
                each.counted,
                f"{each.max_parameters:,}",
                _of_pair(each.first, each.label_budget, each.first_labels),
                _of_pair(each.second, each.label_budget, each.second_labels),
                f"{100 * each.difference:+.2f}",
                NOTHING
                if each.low is None or each.high is None
                else f"{100 * each.low:+.2f} to {100 * each.high:+.2f}",
                str(each.n_draws),
            )
            for each in report.differences
        ),
        (
            "In points of accuracy: the first minus the second, each with its most accurate "
            "configuration within the bound, paired over the draws that they have in common.",
        ),
        frozenset({"counted", "first", "second"}),
    )


def _of_pair(name: str, budget: int | None, labels: int) -> str:
    """A configuration with its number of labels, which its name has if it is a budget."""
    return name if budget is not None else f"{name}, all {labels:,} labels"


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


def _costs(report: Report) -> Table:
    """What a configuration costs, in use and in training."""
    return Table(
        "Costs",
        (
            *("configuration", "inference parameters", "multiply-adds", "ms for 1,000 images"),
            *("training s", "encoders' training s", "active dimensions"),
        ),
        tuple(
            (
                row.name,
                f"{row.inference_parameters:,}",
                f"{row.multiply_adds:,}",
                NOTHING if row.latency_ms is None else f"{row.latency_ms:,.1f}",
                f"{row.train_seconds:,.0f}",
                number(row.encoder_seconds),
                NOTHING if row.active_dimensions is None else f"{row.active_dimensions:.1f}",
            )
            for row in report.rows
        ),
        (
            "Parameters and multiply-adds of classifying one image, from its pixels on; measured "
            "milliseconds on one thread, in one batch, of what was selected. Training is of all "
            "replicates together; rows may share encoders. Active dimensions are means over them.",
        ),
    )


def _confusions(report: Report) -> Iterator[Table]:
    """How the best of each representation confuses the digits."""
    for confusion in report.confusions:
        classes = [str(label) for label in range(len(confusion.counts))]
        yield Table(
            f"Confusion on the test partition: {confusion.configuration}",
            ("class", *classes, "right %"),
            tuple(
                (label, *(f"{count:,}" for count in counts), percent(right))
                for label, counts, right in zip(
                    classes, confusion.counts, confusion.class_accuracies, strict=True
                )
            ),
            ("Rows are true classes, columns predicted ones; all replicates added.",),
        )


def _provenance(report: Report) -> Table:
    """Where the numbers come from."""
    origin = report.provenance
    facts = {
        "dataset": f"{origin.dataset.name}, content's SHA-256 {origin.dataset.sha256[:16]}…",
        "seed": f"{origin.seed}, from which all others derive",
        "attempts": ", ".join(f"{count} {state}" for state, count in origin.attempts.items()),
        "began, ended": f"{origin.began or NOTHING}, {origin.ended or NOTHING}",
        "training": f"{origin.train_seconds:,.0f} s of classifiers, "
        f"{origin.encoder_seconds:,.0f} s of encoders",
    }
    for environment in origin.environments:
        units = ", ".join(environment.bf16_units) or "no bf16 units"
        facts[f"machine {len(facts) - 4}"] = (
            f"{environment.cpu}, {environment.cores} cores, {units}; {environment.system}; "
            f"Python {environment.python}, "
            + ", ".join(f"{name} {version}" for name, version in environment.packages.items())
            + (f"; revision {environment.git_revision}" if environment.git_revision else "")
        )
    return Table(
        "Provenance",
        ("what", "is"),
        tuple(facts.items()),
        ("The config and all of this, to be read by programs: config.yaml, report.json.",),
        frozenset({"what", "is"}),
    )
