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
from sweep.cli.options import TrialsFormat
from sweep.search.attempt import Attempt

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
            out.print(_table(attempts))
        case TrialsFormat.json:
            print(json.dumps({"study": study, "trials": list(map(_facts, attempts))}, indent=2))
        case TrialsFormat.csv:
            writer = csv.DictWriter(sys.stdout, _KEYS, lineterminator="\n")
            writer.writeheader()
            for facts in map(_facts, attempts):
                varied = " ".join(f"{name}:{value}" for name, value in facts["varied"].items())
                writer.writerow(facts | {"varied": varied})


def _facts(attempt: Attempt) -> dict[str, Any]:
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


def _table(attempts: Sequence[Attempt]) -> Table:
    table = Table()
    for name in ("trial", "configuration", "state"):
        table.add_column(name, justify="right" if name == "trial" else "left")
    for name in ("accuracy %", "classifier", "inference", "time"):
        table.add_column(name, justify="right")
    table.add_column("why it failed")
    for attempt in attempts:
        result, failure = attempt.result, attempt.failure
        measured = ("–",) * 4
        if result is not None:
            measured = (
                f"{100 * result.accuracy:.2f}",
                f"{result.classifier_parameters:,}",
                f"{result.inference_parameters:,}",
                duration(result.train_seconds),
            )
        why = f"{failure.cause}: {failure.message}" if failure is not None else ""
        table.add_row(str(attempt.number), attempt.label, str(attempt.state), *measured, why)
    return table
