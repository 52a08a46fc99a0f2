"""What commands have in common: where they print, and their options."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

# Piped output is not folded to the width of a terminal that is not there. What is printed is the
# user's, paths for example: brackets and colons in it are no markup.
stdout = Console(
    width=None if sys.stdout.isatty() else 160, markup=False, emoji=False, highlight=False
)
stderr = Console(
    stderr=True,
    width=None if sys.stderr.isatty() else 1000,
    markup=False,
    emoji=False,
    highlight=False,
)


class Engine(StrEnum):
    """Where workers run."""

    local = "local"


class Facts(StrEnum):
    """How facts are printed."""

    table = "table"
    json = "json"


class TrialsFormat(StrEnum):
    """How trials are printed."""

    table = "table"
    json = "json"
    csv = "csv"


class ReportFormat(StrEnum):
    """How a report is printed."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    json = "json"
    latex = "latex"


ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The study's YAML file.")]
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
StudyArgument = Annotated[str, typer.Argument(help="The study.")]
ReportFormatOption = Annotated[ReportFormat, typer.Option("--format", help="How to print.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Also write every format and the plots there.")
]
FactsOption = Annotated[Facts, typer.Option("--format", help="How to print.")]


def say(line: str) -> None:
    """Print a line to stdout at once and whole: another program may be waiting for it."""
    stdout.print(line, soft_wrap=True)
    sys.stdout.flush()
