"""Commands that show what studies have found: status, report, compare, ui."""

from __future__ import annotations

import logging
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.options import (
    Facts,
    FactsOption,
    HomeOption,
    LogLevel,
    LogOption,
    OutOption,
    QuietOption,
    ReportFormat,
    ReportFormatOption,
    StudyArgument,
    log_to_stderr,
    say,
    stderr,
    stdout,
    storage_url,
)
from sweep.errors import SweepError
from sweep.home import Home


def status(
    study: Annotated[
        str | None, typer.Argument(help="A study; all of them if none is named.")
    ] = None,
    home: HomeOption = Path("runs"),
    format_: FactsOption = Facts.table,
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Say how studies stand: complete, failed, running, waiting, target, best."""
    log_to_stderr(log_level)
    from sweep.cli import printing
    from sweep.coordinator.inspect import statuses

    at = Home.at(home)
    found = statuses(at, storage_url(at), study)
    if found or format_ is Facts.json:
        printing.print_statuses(stdout, found, as_json=format_ is Facts.json)
    elif not quiet:
        stderr.print(f"No study in {at.root} yet; sweep run CONFIG begins one.")


def report(
    study: StudyArgument,
    home: HomeOption = Path("runs"),
    format_: ReportFormatOption = ReportFormat.table,
    out: OutOption = None,
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Print a study's comparison table, and write it with its plots."""
    log_to_stderr(log_level)
    _report([study], home, format_, out, quiet)


def compare(
    studies: Annotated[list[str], typer.Argument(metavar="STUDY...", help="The studies.")],
    home: HomeOption = Path("runs"),
    format_: ReportFormatOption = ReportFormat.table,
    out: OutOption = None,
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Print several studies' rows in one table, and write it with one plot."""
    log_to_stderr(log_level)
    _report(list(dict.fromkeys(studies)), home, format_, out, quiet)


def _report(
    studies: list[str], home: Path, format_: ReportFormat, out: Path | None, quiet: bool
) -> None:
    from sweep.cli import printing
    from sweep.coordinator.inspect import open_study
    from sweep.coordinator.reporting import document, write_report
    from sweep.reports import render

    at = Home.at(home)
    documents = [
        document(open_study(at, storage_url(at), study), _mlflow_run_ids(at, study), at)
        for study in studies
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
            print(render.to_latex(reports), end="")
    if out is not None:
        try:
            paths = write_report(documents, out)
        except OSError as error:
            raise SweepError(f"the report cannot be written to {out}: {error.strerror}") from error
        if not quiet:
            stderr.print(f"Written to {out}: {', '.join(path.name for path in paths)}")


def ui(
    home: HomeOption = Path("runs"),
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; the default stays on this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port; if it is taken, another one.")
    ] = 5000,
    optuna: Annotated[bool, typer.Option("--optuna", help="Optuna's dashboard beside it.")] = False,
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Show studies in MLflow's UI, until Ctrl-C; prints the links that open the charts."""
    log_to_stderr(log_level)
    from sweep import ui as servers

    at = Home.at(home)
    at_port = servers.free_port(host, port)
    # Both end it in the same way, also where a shell started it in the background: with SIGINT off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as running:
        if not quiet:
            stderr.print("Starting MLflow's UI ...")
        started = [running.enter_context(servers.mlflow_server(at, host, at_port))]
        url = f"http://{host}:{at_port}"
        say(f"MLflow's UI: {url}{servers.START_PATH}")
        for study, link in servers.chart_links(url).items():
            say(f"Accuracy against parameters of {study}:\n  {link}")
        if optuna:
            other = servers.free_port(host, 8080)
            server = servers.optuna_dashboard(at, storage_url(at), host, other)
            started.append(running.enter_context(server))
            say(f"Optuna's dashboard: http://{host}:{other}")
        if not quiet:
            stderr.print("Ctrl-C ends it.")
        while True:
            for server in started:
                server.check()
            time.sleep(0.2)


def _mlflow_run_ids(home: Home, study: str) -> dict[int, str]:
    """The trials' MLflow runs; a report does without where MLflow is out of reach."""
    from sweep.database import reason
    from sweep.tracking import find_trial_run_ids

    try:
        return find_trial_run_ids(home, study)
    except Exception as error:  # whatever MLflow raises
        logging.getLogger("sweep").warning("MLflow cannot be read (%s): no run ids", reason(error))
        return {}
