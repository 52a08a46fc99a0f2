"""What commands print on stdout."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sweep.cli.display import duration
from sweep.cli.options import say
from sweep.coordinator.plan import Plan
from sweep.coordinator.registration import Registered
from sweep.coordinator.run import Ended
from sweep.coordinator.studies import StudyStatus
from sweep.database import masked
from sweep.home import Home
from sweep.reports import render
from sweep.reports.comparison import Report
from sweep.reports.tables import notes
from sweep.search.attempt import Attempt
from sweep.tracking.connection import is_server

_UI = "http://127.0.0.1:5000"


def print_ended(out: Console, err: Console, ended: Ended, home: Home, as_json: bool) -> None:
    """The report's table, and where to look next."""
    if as_json:
        print(render.to_json([ended.report]), end="")
    else:
        print_reports(out, [ended.report])
    # Beside JSON on stdout, the rest belongs to the messages.
    where = err if as_json else out
    if ended.best is not None and ended.best.result is not None:
        best = ended.best.result
        where.print(
            f"Best: {ended.best.label}, {100 * best.accuracy:.2f} %, "
            f"{best.classifier_parameters:,} parameters",
        )
    if ended.chart is None:
        return
    uri, path = ended.chart
    if is_server(uri):
        lines = ["Chart of accuracy against parameters:", f"  {masked(uri).rstrip('/')}{path}"]
    else:
        command = "uv run sweep ui"
        if home.root != Home.at(Path("runs")).root:
            command += f" --home {shlex.quote(str(home.root))}"
        lines = [
            "Chart of accuracy against parameters: start MLflow's UI with",
            f"  {command}",
            "and open",
            f"  {_UI}{path}",
        ]
    where.print("\n".join(lines), soft_wrap=True)


def print_reports(out: Console, reports: Sequence[Report]) -> None:
    """The table of one study or several, with what a reader must know."""
    for report in reports:
        if not report.rows:
            out.print(f"No trial of the study {report.study} is complete yet.")
    if not any(report.rows for report in reports):
        return
    if len(reports) == 1:
        out.print(f"Study {reports[0].study}", style="bold")
    out.print(render.to_table(reports))
    out.print()
    for note in notes(reports):
        out.print(note, style="dim")


def print_registered(registered: Registered, as_json: bool) -> None:
    """What was registered, and how to serve it."""
    version = registered.version
    if as_json:
        facts = {"name": version.name, "version": version.number, "uri": version.uri}
        _print_json({**facts, "new": version.is_new, "description": registered.description})
        return
    done = "is now" if version.is_new else "was already"
    say(f"{version.uri} {done} {registered.description}.")
    say(
        f"Serve it with\n  MLFLOW_TRACKING_URI={shlex.quote(masked(registered.uri))} "
        f"uv run mlflow models serve -m {version.uri} --env-manager local --port 5001"
    )


def print_plan(out: Console, study: str, plan: Plan, as_json: bool) -> None:
    """What a config would do."""
    if as_json:
        _print_json({"study": study, **asdict(plan)})
        return
    table = Table.grid(padding=(0, 2))
    table.add_row("study", study)
    table.add_row("data", plan.data)
    table.add_row("rows", str(plan.rows))
    trials = ", ".join(f"{name} {count}" for name, count in plan.trials.items())
    table.add_row("trials", trials or "none")
    if plan.label_budgets != (None,):
        budgets = ("all" if budget is None else f"{budget:,}" for budget in plan.label_budgets)
        table.add_row("labels", f"each with {', '.join(budgets)}")
    table.add_row("replicates of each", str(plan.replicates))
    table.add_row(
        "encoders", f"{plan.encoders_needed} at most, {plan.encoders_trained} trained already"
    )
    table.add_row("scored on", f"the {plan.scored_on} partition")
    rough = "not known without the data" if plan.seconds is None else duration(plan.seconds)
    table.add_row("rough time", rough)
    out.print(table)


def print_statuses(out: Console, statuses: Sequence[StudyStatus], as_json: bool) -> None:
    """How studies stand."""
    if as_json:
        _print_json({"studies": [_status_facts(status) for status in statuses]})
        return
    table = Table()
    table.add_column("study")
    for name in ("target", "complete", "failed", "interrupted", "running", "waiting"):
        table.add_column(name, justify="right")
    table.add_column("best")
    for status in statuses:
        best = "–"
        if status.best is not None and status.best.result is not None:
            accuracy = 100 * status.best.result.accuracy
            best = f"{accuracy:.2f} % by {status.best.label}"
        counts = (
            status.target,
            status.complete,
            status.failed,
            status.interrupted,
            status.running,
            status.waiting,
        )
        table.add_row(status.study, *(str(count) for count in counts), best)
    out.print(table)
    for status in statuses:
        if status.owner is not None and not status.owner.is_alive:
            out.print(
                f"{status.study}: {status.owner}, which ran it, is dead; "
                "sweep run with its config goes on",
                soft_wrap=not out.is_terminal,
            )
    if len(statuses) == 1:
        for failure in map(_failure_facts, statuses[0].failures):
            line = "trial {trial}: {configuration}: {cause}: {message}".format_map(failure)
            out.print(line, markup=False, highlight=False, soft_wrap=True)


def _failure_facts(attempt: Attempt) -> dict[str, Any]:
    assert attempt.failure is not None
    return {
        "trial": attempt.number,
        "configuration": attempt.label,
        "cause": attempt.failure.cause,
        "message": attempt.failure.message,
    }


def _status_facts(status: StudyStatus) -> dict[str, Any]:
    facts = {name: value for name, value in vars(status).items() if name != "best"}
    facts["failures"] = [_failure_facts(attempt) for attempt in status.failures]
    owner = status.owner
    facts["owner"] = owner and {"host": owner.host, "pid": owner.pid, "alive": owner.is_alive}
    best = status.best
    facts["best"] = (
        best
        and best.result
        and {
            "trial": best.number,
            **best.cell.model_dump(),
            "varied": dict(best.cell.varied),
            "accuracy": best.result.accuracy,
            "classifier_parameters": best.result.classifier_parameters,
        }
    )
    return facts


def _print_json(facts: dict[str, Any]) -> None:
    print(json.dumps(facts, indent=2))
