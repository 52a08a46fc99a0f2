"""The command line. Results go to stdout, progress and messages to stderr."""

from __future__ import annotations

import errno
import os
import re
import sys
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from sweep import __version__
from sweep.cli import bundles, health, results, studies
from sweep.cli.options import stderr, tell
from sweep.errors import StoppedError, SweepError, error_number, printable

_WANTS = {
    errno.EMFILE: "no more files may be opened (ulimit -n says how many)",
    errno.ENFILE: "the machine has no more files to open",
    errno.EAGAIN: "no more processes or threads may be started (ulimit -u says how many)",
    errno.ENOMEM: "there is no memory left",
    errno.EROFS: "a place that must take writes does not; workers need /dev/shm or TMPDIR",
    errno.EACCES: "a place that must take writes does not; workers need /dev/shm or TMPDIR",
    errno.ENOSPC: "a place that must take writes is full; workers need /dev/shm or TMPDIR",
}
"""What the system does not give, by the number of its error."""


class _Flags:
    """A command whose help shows flags as flags, without the type of a value."""

    def get_params(self, context: Any) -> list[Any]:
        """The parameters, as typer asks for them."""
        params = super().get_params(context)  # type: ignore[misc]  # of the class it is mixed into
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
        return list(params)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """The context; what is wrong with a value is said without the words of a library."""
        try:
            return super().make_context(*arguments, **options)  # type: ignore[misc]  # as above
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            error.message = re.sub(r"^Input should be", "it must be", error.message)
            raise


class _Command(_Flags, TyperCommand):
    pass


class _Group(_Flags, TyperGroup):
    pass


app = typer.Typer(
    name="sweep",
    help="Compare classifiers on VAE latents with classifiers on pixels: Optuna searches, workers "
    "train, MLflow records.",
    no_args_is_help=True,
    cls=_Group,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    studies.init,
    studies.run,
    studies.validate,
    studies.cluster,
    results.status,
    results.trials,
    results.report,
    results.compare,
    studies.retry,
    studies.sync,
    studies.register,
    studies.remove,
    bundles.bundle,
    bundles.verify,
    results.ui,
    health.doctor,
    health.store,
):
    app.command(cls=_Command)(command)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"sweep {__version__}")
        raise typer.Exit


def run() -> int:
    """Run the command line; its exit status. What a user can mend is shown as one message."""
    try:
        app(standalone_mode=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except SweepError as error:
        kind = "" if isinstance(error, StoppedError) else "error: "
        tell(stderr, Text.assemble((kind, "bold red"), printable(error.message)))
        if error.hint:
            tell(stderr, Text.assemble(("hint: ", "dim"), printable(error.hint)))
        return error.exit_status
    except KeyboardInterrupt:
        stderr.print("interrupted; the same command goes on with the study")
        return StoppedError.exit_status
    except BrokenPipeError:  # as in 'sweep report ... | head'
        sys.stdout = None  # nothing is left to flush
        return 1
    except (OSError, RuntimeError) as error:
        number = error_number(error)
        if number not in _WANTS:
            raise
        where = getattr(error, "filename", None)
        said = f"{_WANTS[number]}{f' ({where})' if where else ''}: {os.strerror(number)}"
        tell(stderr, Text.assemble(("error: ", "bold red"), said))
        return 1
    return 0
