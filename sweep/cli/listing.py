"""A study's trials as a table, as JSON and as CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from sweep.cli.display import duration
from sweep.cli.options import TrialsFormat, tell
from sweep.cli.tables import make_table
from sweep.search.attempt import Attempt
from sweep.specs import configuration_label, variation

_KEYS = (
    *("trial", "attempt", "representation", "latent_dim", "hidden_neurons", "varied"),
    "label_budget",
    *("state", "accuracy", "classifier_parameters", "inference_parameters", "train_seconds"),
    *("cause", "message"),
)


def print_trials(
    out: Console, study: str, attempts: Sequence[Attempt], format_: TrialsFormat
) -> None:
    """All of them, in their order."""
    match format_:
        case TrialsFormat.table:
            out.print(attempts_table(attempts))
            for attempt in attempts:
                if attempt.failure is not None:
                    tell(out, failure_line(attempt))
        case TrialsFormat.json:
            print(
                json.dumps({"study": study, "trials": list(map(attempt_facts, attempts))}, indent=2)
            )
        case TrialsFormat.csv:
            writer = csv.DictWriter(sys.stdout, _KEYS, lineterminator="\n")
            writer.writeheader()
            for facts in map(attempt_facts, attempts):
                varied = " ".join(f"{name}:{value}" for name, value in facts["varied"].items())
                writer.writerow(facts | {"varied": varied})


def attempt_facts(attempt: Attempt) -> dict[str, Any]:
    """A trial by the stable keys; None is what it does not have."""
    cell, result, failure = attempt.cell, attempt.result, attempt.failure
    values = (
        *(attempt.number, attempt.attempt),
        *(cell.representation, cell.latent_dim, cell.hidden_neurons, dict(cell.varied)),
        cell.label_budget,
        str(attempt.state),
        result and result.accuracy,
        result and result.classifier_parameters,
        result and result.inference_parameters,
        result and result.train_seconds,
        failure and str(failure.cause),
        failure and failure.message,
    )
    return dict(zip(_KEYS, values, strict=True))


def attempts_table(attempts: Sequence[Attempt]) -> Table:
    """A line for each attempt."""
    several = any(attempt.cell.label_budget is not None for attempt in attempts)
    table = make_table(
        *("trial", "configuration", *["labels"] * several, "state"),
        *("accuracy %", "classifier", "inference", "time"),
        closely=several,
    )
    for attempt in attempts:
        result = attempt.result
        measured = ("–",) * 4
        if result is not None:
            measured = (
                f"{100 * result.accuracy:.2f}",
                f"{result.classifier_parameters:,}",
                f"{result.inference_parameters:,}",
                duration(result.train_seconds),
            )
        budget = attempt.cell.label_budget
        label = configuration_label(attempt.spec.representation, attempt.spec.hidden_neurons, None)
        table.add_row(
            str(attempt.number),
            label + variation(attempt.cell.varied),
            *["all" if budget is None else f"{budget:,}"] * several,
            str(attempt.state),
            *measured,
        )
    return table


def failure_line(attempt: Attempt) -> str:
    """Why an attempt did not complete."""
    assert attempt.failure is not None
    failure = attempt.failure
    return f"trial {attempt.number}: {attempt.label}: {failure.cause}: {failure.message}"
