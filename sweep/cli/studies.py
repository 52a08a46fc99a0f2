"""Commands that work on a study: init, run, validate, retry, sync, register, remove."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.options import (
    AddressOption,
    ConfigPath,
    Engine,
    EngineOption,
    FactsFormat,
    FactsOption,
    SetOption,
    StudyArgument,
    TrialsOption,
    Where,
    WorkersOption,
    say,
    stderr,
    stdout,
    tell,
)
from sweep.cli.session import Session, command, confirmed
from sweep.errors import InputError, OutOfTimeError, TargetMissedError


@command
def init(
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the study, and of its file NAME.yaml.")
    ] = "my-study",
) -> None:
    """Write a commented config to start from; overwrites nothing."""
    from sweep.config.first import write_first_config

    path = write_first_config(name.removesuffix(".yaml"), Path())
    say(f"Written to {path}")
    session.say(f"See what it would do:  uv run sweep validate {path}")
    session.say(f"Run it:                uv run sweep run {path}")


@command
def run(
    session: Session,
    config: ConfigPath,
    set_: SetOption = None,
    workers: WorkersOption = None,
    trials: TrialsOption = None,
    engine: EngineOption = None,
    address: AddressOption = None,
    stop_after: Annotated[
        str | None,
        typer.Option(
            "--stop-after",
            metavar="DURATION",
            help="Leave by then, as in 90s, 45m, 3h or 1h30m; the same command goes on.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="As sweep validate.")] = False,
    format_: FactsOption = FactsFormat.table,
) -> None:
    """Run a study to its target, or go on with it: the same command resumes."""
    from sweep.cli.durations import parse_duration
    from sweep.coordinator.timelimit import TimeLimit

    limit = (
        TimeLimit(parse_duration("--stop-after", stop_after))
        if stop_after is not None
        else TimeLimit()
    )
    if dry_run:
        _validate(session, config, set_, workers, trials, engine, format_)
        return
    from sweep.cli import printing
    from sweep.cli.display import Display
    from sweep.config import load_config
    from sweep.coordinator.run import run_study

    study = load_config(config, _overrides(set_, workers, engine), trials)
    if address is not None and study.execution.engine != "ray":
        raise InputError(
            f"--address names a Ray cluster, and {study.name} runs without one",
            hint="add --engine ray",
        )
    with Display(stderr, study.name, session.quiet) as display:
        ended = run_study(study, session.workspace, display.show, limit, address)
    as_json = format_ is FactsFormat.json
    printing.print_ended(stdout, stderr, ended, session.workspace, as_json)
    if ended.out_of_time:
        raise OutOfTimeError(
            f"the time of --stop-after {stop_after} is used up; {ended.progress.complete} of "
            f"{ended.progress.target} trials are done",
            hint="the same command goes on with the study",
        )
    for remark in ended.remarks:
        tell(stderr, remark)
    ended.check()


@command
def validate(
    session: Session,
    config: ConfigPath,
    set_: SetOption = None,
    workers: WorkersOption = None,
    trials: TrialsOption = None,
    engine: EngineOption = None,
    format_: FactsOption = FactsFormat.table,
) -> None:
    """Check a config and say what it would do; trains nothing."""
    _validate(session, config, set_, workers, trials, engine, format_)


def _validate(
    session: Session,
    config: Path,
    set_: list[str] | None,
    workers: int | None,
    trials: int | None,
    engine: Engine | None,
    format_: FactsFormat,
) -> None:
    from sweep.cli import printing
    from sweep.config import load_config
    from sweep.coordinator.plan import plan
    from sweep.machine import available_cores

    study = load_config(config, _overrides(set_, workers, engine), trials)
    count = study.execution.workers
    planned = plan(study, session.workspace, available_cores() if count == "auto" else count)
    printing.print_plan(stdout, study.name, planned, as_json=format_ is FactsFormat.json)
    for warning in planned.warnings:
        tell(stderr, f"Warning: {warning}")


@command
def cluster(
    session: Session,
    where: Annotated[
        Where, typer.Argument(metavar="slurm|kubernetes|ssh", help="Where nodes come from.")
    ],
    config: ConfigPath,
) -> None:
    """Print a script or manifest that runs a study with --engine ray."""
    from sweep.config import load_config
    from sweep.deployment import deployment

    study = load_config(config)
    sys.stdout.write(deployment(where.value, study, config, session.workspace.home.root))


@command
def retry(
    session: Session,
    study: StudyArgument,
) -> None:
    """Queue a study's failed trials again, each with the same spec."""
    from sweep.coordinator.upkeep import retry_study

    queued = retry_study(session.workspace, study)
    for attempt in queued:
        assert attempt.failure is not None
        session.say(f"trial {attempt.number}: {attempt.label}: {attempt.failure.cause}")
    count = "no failed trial" if not queued else f"{len(queued)} failed trials are queued again"
    say(f"{study}: {count}" + ("; sweep run with its config runs them" if queued else ""))


@command
def sync(
    session: Session,
    study: StudyArgument,
) -> None:
    """Bring MLflow into agreement with a study, as run does at its start and its end."""
    from sweep.coordinator.upkeep import sync_study

    shown = sync_study(session.workspace, study)
    if shown.chart is None:
        raise TargetMissedError(
            f"MLflow does not hold everything of the study {study} yet",
            hint="the warning above says why, and sweep doctor what mends it; then sync again",
        )
    session.say(f"MLflow holds all of the study {study}.")


@command
def register(
    session: Session,
    study: StudyArgument,
    min_accuracy: Annotated[
        float | None,
        typer.Option(
            "--min-accuracy",
            min=0,
            max=1,
            help="Of those as accurate as this, the one with the fewest parameters at "
            "inference, the encoder's included; instead of the best.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the model; default: the study's.")
    ] = None,
    format_: FactsOption = FactsFormat.table,
) -> None:
    """Register a study's chosen classifier in MLflow, as one model from image to probabilities."""
    from sweep.cli import printing
    from sweep.coordinator.registration import register_study

    registered = register_study(session.workspace, study, min_accuracy, name, session.say)
    printing.print_registered(registered, as_json=format_ is FactsFormat.json)


@command
def remove(
    session: Session,
    study: StudyArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
) -> None:
    """Remove a study from Optuna's storage and MLflow, with its logs; asks first."""
    from sweep.coordinator.removal import check_removal, remove_study

    check_removal(session.workspace, study)
    question = f"Remove the study {study} from Optuna's storage and from MLflow, with its logs?"
    if not (yes or confirmed(question, "sweep remove")):
        return
    remove_study(session.workspace, study)
    say(f"{study}: removed from Optuna's storage and from MLflow, with its logs")
    session.say(
        "Encoders, draws, assessments and models stay, and are used again by whoever needs them; "
        "sweep store --prune removes the encoders that no study needs."
    )


def _overrides(set_: list[str] | None, workers: int | None, engine: Engine | None) -> list[str]:
    """The options that stand for keys of the config, as overrides."""
    overrides = list(set_ or [])
    if workers is not None:
        overrides.append(f"execution.workers={workers}")
    if engine is not None:
        overrides.append(f"execution.engine={engine}")
    return overrides
