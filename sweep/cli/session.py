"""What every command has: a workspace, and how much it says. Its options stand here, once."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.logging import RichHandler

from sweep.cli.options import stderr, tell
from sweep.errors import InputError
from sweep.home import DEFAULT_HOME
from sweep.workspace import Workspace


class LogLevel(StrEnum):
    """What to say on stderr."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


@dataclass(frozen=True)
class Session:
    """One call of a command."""

    workspace: Workspace
    quiet: bool
    """Whether nothing but errors is said on stderr."""

    def say(self, line: str) -> None:
        """Say something on stderr that a user can do without."""
        if not self.quiet:
            tell(stderr, line)


def confirmed(question: str, what: str) -> bool:
    """Ask on the terminal; whether the answer is yes.

    Args:
        question: the question.
        what: what is asked for, as in "sweep remove".

    Raises:
        InputError: nobody is there to answer.
    """
    if not sys.stdin.isatty():
        raise InputError(
            f"{what} asks before it removes, and nobody is there to answer",
            hint="say --yes beside it",
        )
    return typer.confirm(question, err=True)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A command whose first parameter is its session: the options of that stand in its place."""
    signature = inspect.signature(function, eval_str=True)
    _, *own = signature.parameters.values()
    options = inspect.signature(_session, eval_str=True).parameters

    @functools.wraps(function)
    def called(**values: Any) -> None:
        session = _session(**{name: values.pop(name) for name in options})
        function(session, **values)

    called.__signature__ = signature.replace(  # type: ignore[attr-defined]  # what typer reads
        parameters=[*own, *options.values()]
    )
    del called.__wrapped__  # typer would read that one's
    called.__annotations__ = {each.name: each.annotation for each in [*own, *options.values()]}
    return called


def _session(
    *,
    home: Annotated[
        Path,
        typer.Option("--home", envvar="SWEEP_HOME", help="Directory that keeps the studies."),
    ] = DEFAULT_HOME,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    log_level: Annotated[
        LogLevel, typer.Option("--log-level", help="What to say on stderr.")
    ] = LogLevel.warning,
) -> Session:
    handler = RichHandler(console=stderr, show_path=False, show_time=False)
    logging.basicConfig(
        level=log_level.upper(), format="%(message)s", handlers=[handler], force=True
    )
    return Session(Workspace.at(home), quiet)
