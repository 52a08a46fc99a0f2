"""What commands have in common: where they print, and their options."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from sweep.errors import SweepError, printable
from sweep.home import DEFAULT_HOME


class _Console(Console):
    """A console whose terminal nothing commands but rich: not what a file or a study is called."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of what is printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


# Piped output is not folded to the width of a terminal that is not there. What is printed is the
# user's, paths for example: brackets and colons in it are no markup.
stdout = _Console(
    width=None if sys.stdout.isatty() else 160, markup=False, emoji=False, highlight=False
)
stderr = _Console(
    stderr=True,
    width=None if sys.stderr.isatty() else 1000,
    markup=False,
    emoji=False,
    highlight=False,
)


def study_names(context: typer.Context, incomplete: str) -> list[str]:
    """The studies of the home whose names begin so, for a shell to complete."""
    from sweep.coordinator.studies import study_list
    from sweep.workspace import Workspace

    home = Path(context.params.get("home") or os.environ.get("SWEEP_HOME") or DEFAULT_HOME)
    try:
        return [name for name in study_list(Workspace.at(home)) if name.startswith(incomplete)]
    except SweepError:  # a shell has no place for what is wrong
        return []


class Engine(StrEnum):
    """Where workers run."""

    local = "local"
    ray = "ray"


class Where(StrEnum):
    """Where the nodes of a cluster come from."""

    slurm = "slurm"
    kubernetes = "kubernetes"
    ssh = "ssh"


class FactsFormat(StrEnum):
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
    int | None,
    typer.Option(
        "--workers", min=1, help="Worker processes; default: the config's, or one a core."
    ),
]
TrialsOption = Annotated[
    int | None,
    typer.Option("--trials", min=0, help="Trials of every representation that is searched."),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="The Ray cluster that --engine ray joins, as RAY_ADDRESS says it; else one is started "
        "on this machine.",
    ),
]
EngineOption = Annotated[Engine | None, typer.Option("--engine", help="Where workers run.")]
StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="The study.", autocompletion=study_names)
]
ReportFormatOption = Annotated[ReportFormat, typer.Option("--format", help="How to print.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Also write every format and the plots there.")
]
FactsOption = Annotated[FactsFormat, typer.Option("--format", help="How to print.")]


def is_live(console: Console) -> bool:
    """Whether somebody sees it as it changes: FORCE_COLOR alone makes no file a terminal."""
    return console.file.isatty() and not console.is_dumb_terminal


def tell(console: Console, text: Text | str, style: str = "") -> None:
    """Print text that a terminal shows folded between words; no word, or path, is broken."""
    text = Text(text, style) if isinstance(text, str) else text
    if console.file.isatty():
        text.plain = _folded(text.plain, console.width)
    console.print(text, soft_wrap=True)


def _folded(text: str, width: int) -> str:
    """A text of the same length, in which spaces have become ends of lines."""
    characters = list(text)
    start, space = 0, None
    for place, character in enumerate(text):
        if character == "\n":
            start, space = place + 1, None
        elif character == " " and text[start:place].strip():
            space = place
        if place - start >= width and space is not None:
            characters[space] = "\n"
            start, space = space + 1, None
    return "".join(characters)


def say(line: str) -> None:
    """Print a line to stdout at once and whole: another program may be waiting for it."""
    stdout.print(line, soft_wrap=True)
    sys.stdout.flush()
