"""The command line. Results go to stdout, progress and messages to stderr."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import ExitStack, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from sweep import __version__
from sweep.errors import StoppedError, SweepError, TargetMissedError
from sweep.home import Home

if TYPE_CHECKING:
    from sweep.config import StudyConfig
    from sweep.data.datasets import DatasetSource

app = typer.Typer(
    name="sweep",
    help="Compare classifiers on VAE latents with classifiers on pixels: Optuna searches, workers "
    "train, MLflow records.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Piped output is not folded to the width of a terminal that is not there.
_out = Console(width=None if sys.stdout.isatty() else 160)
_err = Console(stderr=True, width=None if sys.stderr.isatty() else 1000)


class Engine(StrEnum):
    """Where workers run."""

    local = "local"


class LogLevel(StrEnum):
    """What to say on stderr."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


class Facts(StrEnum):
    """How facts are printed."""

    table = "table"
    json = "json"


class ReportFormat(StrEnum):
    """How a report is printed."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    json = "json"


ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The study's YAML file.")]
HomeOption = Annotated[
    Path,
    typer.Option("--home", envvar="SWEEP_HOME", help="Directory that keeps the studies."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B.C=VALUE", help="Override a key of the config; repeatable."),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Worker processes; default: one a core.")
]
TrialsOption = Annotated[
    int | None,
    typer.Option("--trials", min=0, help="Trials of every representation that is searched."),
]
EngineOption = Annotated[Engine | None, typer.Option("--engine", help="Where workers run.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
LogOption = Annotated[LogLevel, typer.Option("--log-level", help="What to say on stderr.")]
FactsOption = Annotated[Facts, typer.Option("--format", help="How to print.")]


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"sweep {__version__}")
        raise typer.Exit


@app.command("run")
def run_command(
    config: ConfigPath,
    home: HomeOption = Path("runs"),
    set_: SetOption = None,
    workers: WorkersOption = None,
    trials: TrialsOption = None,
    engine: EngineOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="As sweep validate.")] = False,
    format_: FactsOption = Facts.table,
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Run a study to its target, or go on with it: the same command resumes."""
    if dry_run:
        validate(config, home, set_, workers, trials, engine, format_, quiet, log_level)
        return
    _log_to_stderr(log_level)
    from sweep.cli import printing
    from sweep.cli.display import Display
    from sweep.config import load_config
    from sweep.coordinator.run import run_study

    study = load_config(config, _overrides(set_, workers, engine), trials)
    source = _source(study, home)
    with Display(_err, study.name, quiet) as display:
        ended = run_study(study, source, _storage_url(source.home), display.show)
    printing.print_ended(_out, _err, ended, source.home, as_json=format_ is Facts.json)
    if ended.stopped:
        raise StoppedError(
            f"stopped; {ended.progress.complete} of {ended.progress.target} trials are done",
            hint="the same command goes on with the study",
        )
    if ended.exhausted:
        _err.print(
            f"The space of {', '.join(ended.exhausted)} is used up: every cell has been tried."
        )
    if ended.shortfall:
        raise TargetMissedError(
            f"{ended.progress.complete} of {ended.progress.target} trials are complete, "
            f"{ended.progress.failed} failed",
            hint=f"sweep status {study.name} and MLflow say why",
        )
    if ended.progress.failed:
        _err.print(f"Warning: {ended.progress.failed} trials failed beside the target.")


@app.command()
def validate(
    config: ConfigPath,
    home: HomeOption = Path("runs"),
    set_: SetOption = None,
    workers: WorkersOption = None,
    trials: TrialsOption = None,
    engine: EngineOption = None,
    format_: FactsOption = Facts.table,
    quiet: QuietOption = False,  # noqa: ARG001  # every command takes it; here is nothing to hush
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Check a config and say what it would do; trains nothing."""
    _log_to_stderr(log_level)
    from sweep.cli import printing
    from sweep.config import load_config
    from sweep.coordinator.inspect import plan

    study = load_config(config, _overrides(set_, workers, engine), trials)
    cores = workers or os.cpu_count() or 1
    planned = plan(study, _source(study, home), cores)
    printing.print_plan(_out, study.name, planned, as_json=format_ is Facts.json)


@app.command()
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
    _log_to_stderr(log_level)
    from sweep.cli import printing
    from sweep.coordinator.inspect import statuses

    at = Home.at(home)
    found = statuses(at, _storage_url(at), study)
    if found or format_ is Facts.json:
        printing.print_statuses(_out, found, as_json=format_ is Facts.json)
    elif not quiet:
        _err.print(f"No study in {at.root} yet; sweep run CONFIG begins one.")


@app.command()
def report(
    study: Annotated[str, typer.Argument(help="The study.")],
    home: HomeOption = Path("runs"),
    format_: Annotated[
        ReportFormat, typer.Option("--format", help="How to print.")
    ] = ReportFormat.table,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write every format and the plots there.")
    ] = None,
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Print a study's comparison table, and write it with its plots."""
    _log_to_stderr(log_level)
    from sweep.cli import printing
    from sweep.coordinator.inspect import open_study
    from sweep.coordinator.reporting import study_report, write_report
    from sweep.reports import render

    at = Home.at(home)
    config, is_mnist, attempts = open_study(at, _storage_url(at), study)
    found = study_report(config, is_mnist, attempts, _mlflow_run_ids(at, study))
    match format_:
        case ReportFormat.table:
            printing.print_report(_out, found)
        case ReportFormat.markdown:
            print(render.to_markdown(found), end="")
        case ReportFormat.csv:
            print(render.to_csv(found), end="")
        case ReportFormat.json:
            print(render.to_json(found), end="")
    if out is not None:
        try:
            paths = write_report(found, config, out)
        except OSError as error:
            raise SweepError(f"the report cannot be written to {out}: {error.strerror}") from error
        if not quiet:
            _err.print(f"Written to {out}: {', '.join(path.name for path in paths)}")


@app.command()
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
    _log_to_stderr(log_level)
    from sweep import ui as servers

    at = Home.at(home)
    at_port = servers.free_port(host, port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    with suppress(KeyboardInterrupt), ExitStack() as running:
        if not quiet:
            _err.print("Starting MLflow's UI ...")
        started = [running.enter_context(servers.mlflow_server(at, host, at_port))]
        url = f"http://{host}:{at_port}"
        _say(f"MLflow's UI: {url}{servers.START_PATH}")
        for study, link in servers.chart_links(url).items():
            _say(f"Accuracy against parameters of {study}:\n  {link}")
        if optuna:
            other = servers.free_port(host, 8080)
            server = servers.optuna_dashboard(at, _storage_url(at), host, other)
            started.append(running.enter_context(server))
            _say(f"Optuna's dashboard: http://{host}:{other}")
        if not quiet:
            _err.print("Ctrl-C ends it.")
        while True:
            for server in started:
                server.check()
            time.sleep(0.2)


def run() -> int:
    """Run the command line; its exit status. What a user can mend is shown as one message."""
    try:
        app(standalone_mode=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except SweepError as error:
        kind = "" if isinstance(error, StoppedError) else "[bold red]error:[/] "
        _err.print(f"{kind}{escape(error.message)}", highlight=False)
        if error.hint:
            _err.print(f"[dim]hint:[/] {escape(error.hint)}", highlight=False)
        return error.exit_status
    except KeyboardInterrupt:
        _err.print("interrupted; the same command goes on with the study")
        return StoppedError.exit_status
    except BrokenPipeError:  # as in 'sweep report ... | head'
        sys.stdout = None  # nothing is left to flush
        return 1
    return 0


def _say(line: str) -> None:
    """Print a line to stdout at once and whole: another program may be waiting for it."""
    _out.print(line, markup=False, highlight=False, soft_wrap=True)
    sys.stdout.flush()


def _log_to_stderr(level: LogLevel) -> None:
    from rich.logging import RichHandler

    handler = RichHandler(console=_err, show_path=False, show_time=False)
    logging.basicConfig(level=level.upper(), format="%(message)s", handlers=[handler], force=True)


def _overrides(set_: list[str] | None, workers: int | None, engine: Engine | None) -> list[str]:
    """The options that stand for keys of the config, as overrides."""
    overrides = list(set_ or [])
    if workers is not None:
        overrides.append(f"execution.workers={workers}")
    if engine is not None:
        overrides.append(f"execution.engine={engine}")
    return overrides


def _source(study: StudyConfig, home: Path) -> DatasetSource:
    from sweep.data.datasets import DatasetSource

    data_dir = os.environ.get("SWEEP_DATA_DIR")
    return DatasetSource.of(
        study.dataset, Home.at(home), Path(data_dir).expanduser() if data_dir else None
    )


def _storage_url(home: Home) -> str:
    return os.environ.get("SWEEP_STORAGE") or f"sqlite:///{home.optuna_db}"


def _mlflow_run_ids(home: Home, study: str) -> dict[int, str]:
    """The trials' MLflow runs; a report does without where MLflow is out of reach."""
    from sweep.tracking import find_trial_run_ids

    try:
        return find_trial_run_ids(home, study)
    except Exception as error:  # whatever MLflow raises
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        logging.getLogger("sweep").warning("MLflow cannot be read (%s): no run ids", reason)
        return {}
