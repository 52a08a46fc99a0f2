"""What commands print on stdout."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from sweep.cli.display import duration
from sweep.cli.options import say, tell
from sweep.coordinator.plan import Plan
from sweep.coordinator.registration import Registered
from sweep.coordinator.run import Ended
from sweep.database import masked
from sweep.home import DEFAULT_HOME, Home
from sweep.reports import render
from sweep.reports.comparison import Report
from sweep.reports.tables import notes
from sweep.tracking.connection import UI, is_server
from sweep.tracking.views import printed_path
from sweep.workspace import Workspace


def print_ended(
    out: Console, err: Console, ended: Ended, workspace: Workspace, as_json: bool
) -> None:
    """The report's table, and where to look next."""
    report = ended.report
    if as_json:
        print(render.to_json([report]), end="")
    else:
        print_reports(out, [report])
    # Beside JSON on stdout, the rest belongs to the messages.
    where = err if as_json else out
    if ended.best is not None and ended.best.result is not None:
        best = ended.best.result
        where.print(
            f"Best: {ended.best.label}, {100 * best.accuracy:.2f} %, "
            f"{best.classifier_parameters:,} parameters",
        )
    if ended.was_finished:
        tell(where, f"The study {report.study} was finished already: nothing had to be trained.")
    if report.rows:
        chart = ended.chart[1] if ended.chart else ""
        print_places(where, places_to_look(report.study, ended.page, workspace, chart))


def places_to_look(
    study: str, page: Path | None, workspace: Workspace, chart: str = ""
) -> dict[str, list[str]]:
    """Where a study's report, its chart and its model are: files, addresses and commands.

    Args:
        study: its name.
        page: the report's, if it lies in the home.
        workspace: with the home, and MLflow's place.
        chart: the path of the chart in MLflow's UI, if it is known.
    """
    home = workspace.home.root
    at_home = "" if home == Home.at(DEFAULT_HOME).root else f" --home {_quoted(home)}"
    written = f"uv run sweep report {study} --out DIR{at_home}"
    charts = [f"uv run sweep ui{at_home}", *[f"{UI}{printed_path(study)}"] * bool(chart)]
    if is_server(workspace.tracking):
        charts = [f"{masked(workspace.tracking).rstrip('/')}{chart}"]
    return {
        "Report, with its charts": [_quoted(page) if page else written],
        "Accuracy against parameters, in MLflow's UI": charts,
        "The best classifier as a model": [f"uv run sweep register {study}{at_home}"],
    }


def print_places(out: Console, places: Mapping[str, Sequence[str]]) -> None:
    """Where to look, each in lines of its own: to be copied whole."""
    for name, lines in places.items():
        tell(out, f"{name}:")
        for line in lines:
            out.print(f"  {line}", soft_wrap=True)


def _quoted(path: Path) -> str:
    """A path as a shell takes it: short, where it lies below the working directory."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def print_reports(out: Console, reports: Sequence[Report]) -> None:
    """The table of one study or several, with what a reader must know."""
    for report in reports:
        if not report.rows:
            out.print(f"No trial of the study {report.study} is complete yet.")
    if not any(report.rows for report in reports):
        return
    if len(reports) == 1:
        tell(out, f"Study {reports[0].title}", style="bold")
    out.print(render.to_table(reports))
    out.print()
    for note in notes(reports):
        tell(out, note, style="dim")


def print_registered(registered: Registered, as_json: bool) -> None:
    """What was registered, and how to serve it."""
    version = registered.version
    if as_json:
        facts = {"name": version.name, "version": version.number, "uri": version.uri}
        print_json({**facts, "new": version.is_new, "description": registered.description})
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
        print_json({"study": study, **asdict(plan)})
        return
    rough = "not known without the data" if plan.seconds is None else duration(plan.seconds)
    trials = ", ".join(f"{name} {count}" for name, count in plan.trials.items())
    budgets = ("all" if budget is None else f"{budget:,}" for budget in plan.label_budgets)
    rows = {
        "study": study,
        "data": plan.data,
        "rows": plan.rows,
        "trials": trials or "none",
        "labels": f"each with {', '.join(budgets)}" if plan.label_budgets != (None,) else "all",
        "replicates of each": plan.replicates,
        "encoders": f"{plan.encoders_needed} at most, {plan.encoders_trained} trained already",
        "scored on": f"the {plan.scored_on} partition",
        "rough time": rough,
    }
    if plan.confirming_encoders is not None:
        longer = plan.confirming_seconds
        rows["confirming"] = (
            f"{plan.confirming_encoders} encoders more at most"
            + ("" if longer is None else f", and {duration(longer)}")
            + ": if all were selected"
        )
    for name, value in rows.items():
        tell(out, f"{name:<20}{value}")


def print_json(facts: dict[str, Any]) -> None:
    """Facts as JSON."""
    print(json.dumps(facts, indent=2))
