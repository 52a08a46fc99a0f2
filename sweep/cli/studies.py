"""Commands that work on a study: run, validate, retry, sync, register."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.options import (
    ConfigPath,
    Engine,
    EngineOption,
    Facts,
    FactsOption,
    HomeOption,
    LogLevel,
    LogOption,
    QuietOption,
    SetOption,
    StudyArgument,
    TrialsOption,
    WorkersOption,
    data_dir,
    log_to_stderr,
    say,
    stderr,
    stdout,
    storage_url,
)
from sweep.errors import StoppedError, TargetMissedError
from sweep.home import Home

if TYPE_CHECKING:
    from sweep.config import StudyConfig
    from sweep.data.datasets import DatasetSource


def run(
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
    log_to_stderr(log_level)
    from sweep.cli import printing
    from sweep.cli.display import Display
    from sweep.config import load_config
    from sweep.coordinator.run import run_study

    study = load_config(config, _overrides(set_, workers, engine), trials)
    place = Home.at(home)
    with Display(stderr, study.name, quiet) as display:
        ended = run_study(study, place, _source(study), storage_url(place), display.show)
    printing.print_ended(stdout, stderr, ended, place, as_json=format_ is Facts.json)
    if ended.stopped:
        raise StoppedError(
            f"stopped; {ended.progress.complete} of {ended.progress.target} trials are done",
            hint="the same command goes on with the study",
        )
    if ended.exhausted:
        stderr.print(
            f"The space of {', '.join(ended.exhausted)} is used up: every cell has been tried."
        )
    if ended.shortfall:
        raise TargetMissedError(
            f"{ended.progress.complete} of {ended.progress.target} trials are complete, "
            f"{ended.progress.failed} failed",
            hint=f"sweep status {study.name} and MLflow say why",
        )
    if ended.not_assessed:
        raise TargetMissedError(
            f"{ended.not_assessed} of the selected could not be scored on the test partition",
            hint="the warnings above say why; the same command tries them again",
        )
    if ended.progress.failed:
        stderr.print(f"Warning: {ended.progress.failed} trials failed beside the target.")


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
    log_to_stderr(log_level)
    from sweep.cli import printing
    from sweep.config import load_config
    from sweep.coordinator.inspect import plan
    from sweep.machine import available_cores

    study = load_config(config, _overrides(set_, workers, engine), trials)
    at = Home.at(home)
    planned = plan(study, at, _source(study), storage_url(at), workers or available_cores())
    printing.print_plan(stdout, study.name, planned, as_json=format_ is Facts.json)


def retry(
    study: StudyArgument,
    home: HomeOption = Path("runs"),
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Queue a study's failed trials again, each with the same spec."""
    log_to_stderr(log_level)
    from sweep.coordinator.upkeep import retry_study

    at = Home.at(home)
    queued = retry_study(at, storage_url(at), study)
    if not quiet:
        for attempt in queued:
            assert attempt.failure is not None
            stderr.print(f"trial {attempt.number}: {attempt.spec.label}: {attempt.failure.cause}")
    count = "no failed trial" if not queued else f"{len(queued)} failed trials are queued again"
    say(f"{study}: {count}" + ("; sweep run with its config runs them" if queued else ""))


def sync(
    study: StudyArgument,
    home: HomeOption = Path("runs"),
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Bring MLflow into agreement with a study, as run does at its start and its end."""
    log_to_stderr(log_level)
    from sweep.coordinator.upkeep import sync_study

    at = Home.at(home)
    shown = sync_study(at, storage_url(at), study)
    if shown.chart is None:
        raise TargetMissedError(
            "MLflow does not hold everything yet", hint="see the warning above; then sync again"
        )
    if not quiet:
        stderr.print(f"MLflow holds all of the study {study}.")


def register(
    study: StudyArgument,
    min_accuracy: Annotated[
        float | None,
        typer.Option(
            "--min-accuracy",
            min=0,
            max=1,
            help="The smallest configuration that is as accurate as this, instead of the best.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the model; default: the study's.")
    ] = None,
    home: HomeOption = Path("runs"),
    format_: FactsOption = Facts.table,
    quiet: QuietOption = False,
    log_level: LogOption = LogLevel.warning,
) -> None:
    """Register a study's chosen classifier in MLflow, as one model from image to probabilities."""
    log_to_stderr(log_level)
    from sweep.cli import printing
    from sweep.coordinator.registering import register_study

    at = Home.at(home)
    registered = register_study(
        at,
        storage_url(at),
        study,
        _source,
        min_accuracy,
        name,
        (lambda _: None) if quiet else stderr.print,
    )
    printing.print_registered(registered, as_json=format_ is Facts.json)


def _overrides(set_: list[str] | None, workers: int | None, engine: Engine | None) -> list[str]:
    """The options that stand for keys of the config, as overrides."""
    overrides = list(set_ or [])
    if workers is not None:
        overrides.append(f"execution.workers={workers}")
    if engine is not None:
        overrides.append(f"execution.engine={engine}")
    return overrides


def _source(study: StudyConfig) -> DatasetSource:
    from sweep.data.datasets import DatasetSource

    return DatasetSource.of(study.dataset, data_dir())
