"""Commands that show what studies have found: status, trials, report, compare, ui."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.options import (
    FactsFormat,
    FactsOption,
    OutOption,
    ReportFormat,
    ReportFormatOption,
    StudyArgument,
    TrialsFormat,
    say,
    stdout,
    study_names,
)
from sweep.cli.session import Session, command
from sweep.errors import InputError


@command
def status(
    session: Session,
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="STUDY",
            help="A study; all of them if none is named.",
            autocompletion=study_names,
        ),
    ] = None,
    format_: FactsOption = FactsFormat.table,
) -> None:
    """Say how studies stand: complete, failed, running, waiting, best; of one, all about it."""
    from sweep.cli import standing
    from sweep.coordinator import studies

    workspace, as_json = session.workspace, format_ is FactsFormat.json
    if study is not None:
        one = studies.status(workspace, study)
        if as_json:
            standing.print_statuses(stdout, [one], as_json=True)
        else:
            standing.print_standing(stdout, one, workspace)
        return
    found, unreadable = studies.statuses(workspace)
    if found or as_json:
        standing.print_statuses(stdout, found, as_json=as_json)
    elif not unreadable:
        session.say(f"No study in {workspace.home.root} yet; sweep run CONFIG begins one.")
    if unreadable:
        raise InputError("\n".join(each.message for each in unreadable), hint=unreadable[0].hint)


@command
def trials(
    session: Session,
    study: StudyArgument,
    format_: Annotated[
        TrialsFormat, typer.Option("--format", help="How to print.")
    ] = TrialsFormat.table,
) -> None:
    """List a study's trials, a line each: what was trained, what came of it, why it failed."""
    from sweep.cli.listing import print_trials
    from sweep.coordinator.studies import open_study

    print_trials(stdout, study, open_study(session.workspace, study).attempts, format_)


@command
def report(
    session: Session,
    study: StudyArgument,
    format_: ReportFormatOption = ReportFormat.table,
    out: OutOption = None,
) -> None:
    """Print a study's comparison table; with --out, write it in every form with its plots."""
    _report(session, [study], format_, out)


@command
def compare(
    session: Session,
    studies: Annotated[
        list[str],
        typer.Argument(metavar="STUDY...", help="The studies.", autocompletion=study_names),
    ],
    format_: ReportFormatOption = ReportFormat.table,
    out: OutOption = None,
) -> None:
    """Print several studies, a table each; with --out, write them as one with one plot."""
    _report(session, list(dict.fromkeys(studies)), format_, out)


def _report(session: Session, studies: list[str], format_: ReportFormat, out: Path | None) -> None:
    from sweep.cli import printing
    from sweep.coordinator.documents import PAGE, document, mlflow_run_ids, write_report
    from sweep.coordinator.studies import is_running, open_study
    from sweep.reports import render
    from sweep.reports.latex import to_latex
    from sweep.tracking.connection import ui_address

    workspace = session.workspace
    # Asked first: a study that ends meanwhile is not said to have been left.
    running = {study: is_running(workspace, study) for study in studies}
    opened = {study: open_study(workspace, study) for study in studies}
    run_ids = mlflow_run_ids(workspace, studies)
    documents = [
        document(recorded, run_ids[study], workspace.store, is_running=running[study])
        for study, recorded in opened.items()
    ]
    reports = [each.report for each in documents]
    match format_:
        case ReportFormat.table:
            printing.print_reports(stdout, reports)
        case ReportFormat.markdown:
            print(render.to_markdown(reports), end="")
        case ReportFormat.csv:
            print(render.to_csv(reports), end="")
        case ReportFormat.json:
            print(render.to_json(reports), end="")
        case ReportFormat.latex:
            print(to_latex(reports), end="")
    if out is not None:
        paths = write_report(documents, out, ui_address(workspace.tracking))
        session.say(f"Written to {out}: {PAGE}, and {len(paths) - 1} files beside it")


@command
def ui(
    session: Session,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; the default stays on this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port; if it is taken, another one.")
    ] = 5000,
    optuna: Annotated[bool, typer.Option("--optuna", help="Optuna's dashboard beside it.")] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="A further name of this machine by which browsers ask; repeatable.",
        ),
    ] = None,
) -> None:
    """Show studies in MLflow's UI, until Ctrl-C; prints the links that open the charts."""
    from sweep import ui as servers

    names = allow_host or []
    address = servers.free_address(host, port, names)
    # Both end it in the same way, also where a shell started it in the background: with SIGINT off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as running:
        session.say("Starting MLflow's UI ...")
        dashboard = servers.free_address(host, 8080, names) if optuna else None
        server = servers.mlflow_server(session.workspace, address, dashboard)
        started = [running.enter_context(server)]
        say(f"MLflow's UI: {address.url}{servers.START_PATH}")
        for study, link in servers.chart_links(address).items():
            say(f"Accuracy against parameters of {study}:\n  {link}")
        if dashboard is not None:
            server = servers.optuna_dashboard(session.workspace, dashboard)
            started.append(running.enter_context(server))
            say(f"Optuna's dashboard: {dashboard.url}/dashboard")
        session.say("Ctrl-C ends it.")
        while True:
            for server in started:
                server.check()
            time.sleep(0.2)
