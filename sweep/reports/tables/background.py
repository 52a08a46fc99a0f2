"""What a study's rows cost, how their classifiers err, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator

from sweep.reports.comparison import Report
from sweep.reports.tables.cells import NOTHING, Table, number, percent
from sweep.results import Environment, numeric_kinds


def background(report: Report) -> Iterator[Table]:
    """The tables, some perhaps with nothing in them."""
    yield _costs(report)
    yield from _confusions(report)
    yield _provenance(report)


def _costs(report: Report) -> Table:
    """What a configuration costs, in use and in training."""
    return Table(
        "Costs",
        (
            *("configuration", "labels", "inference parameters", "multiply-adds"),
            "ms for 1,000 images",
            *("training s", "encoders' training s", "active dimensions"),
        ),
        tuple(
            (
                row.name,
                f"{row.labels:,}",
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
            "milliseconds on one thread, in one batch, of what was selected, beside whatever else "
            "ran on the machine: they vary with that. Training is of all replicates together; rows "
            "may share encoders. Active dimensions are means over them.",
        ),
    )


def _confusions(report: Report) -> Iterator[Table]:
    """How the best of each representation confuses the digits."""
    for confusion in report.confusions:
        classes = [str(label) for label in range(len(confusion.counts))]
        yield Table(
            f"Confusion on the test partition: {confusion.configuration}, "
            f"{confusion.labels:,} labels",
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
        "trials": f"{origin.began or NOTHING} to {origin.ended or NOTHING}",
        "training": f"{origin.train_seconds:,.0f} s of classifiers, "
        f"{origin.encoder_seconds:,.0f} s of encoders",
    }
    for place, group in enumerate(origin.encoders, start=1):
        where = _environment(group.environment) if group.environment else "not written down"
        facts[f"encoders {place}"] = (
            f"{group.count} trained from {group.began} to {group.ended}: {where}"
        )
    for place, environment in enumerate(origin.environments, start=1):
        facts[f"study run {place}"] = _environment(environment)
    notes = ["The config and all of this, to be read by programs: config.yaml, report.json."]
    trained_in = (group.environment for group in origin.encoders if group.environment)
    kinds = numeric_kinds((*origin.environments, *trained_in))
    if kinds > 1:
        notes.append(
            f"{kinds} kinds of machines or versions: on another one, the same configuration "
            "differs in its last digits, and an encoder as it would with another seed."
        )
    return Table(
        "Provenance",
        ("what", "is"),
        tuple(facts.items()),
        tuple(notes),
        frozenset({"what", "is"}),
    )


def _environment(environment: Environment) -> str:
    units = ", ".join(environment.bf16_units) or "no bf16 units"
    return (
        f"{environment.cpu}, {environment.cores} cores, {units}; {environment.system}; "
        f"Python {environment.python}, "
        + ", ".join(f"{name} {version}" for name, version in environment.packages.items())
        + (f"; revision {environment.git_revision}" if environment.git_revision else "")
        + "".join(f"; {name}={value}" for name, value in environment.variables.items())
    )
