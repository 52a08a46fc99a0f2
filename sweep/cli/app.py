"""The command line. Results go to stdout, progress and messages to stderr."""

from __future__ import annotations

import errno
import sys
from typing import Annotated

import typer
from rich.text import Text

from sweep import __version__
from sweep.cli import health, results, studies
from sweep.cli.options import stderr
from sweep.errors import StoppedError, SweepError

_WANTS = {
    errno.EMFILE: "no more files may be opened (ulimit -n says how many)",
    errno.ENFILE: "the machine has no more files to open",
    errno.EAGAIN: "no more processes may be started (ulimit -u says how many)",
    errno.ENOMEM: "there is no memory left",
    errno.EROFS: "a place that must take writes does not; workers need /dev/shm or TMPDIR",
    errno.EACCES: "a place that must take writes does not; workers need /dev/shm or TMPDIR",
    errno.ENOSPC: "a place that must take writes is full; workers need /dev/shm or TMPDIR",
}
"""What the system does not give, by the number of its error."""

app = typer.Typer(
    name="sweep",
    help="Compare classifiers on VAE latents with classifiers on pixels: Optuna searches, workers "
    "train, MLflow records.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(studies.run)
app.command()(studies.validate)
app.command()(results.status)
app.command()(results.trials)
app.command()(results.report)
app.command()(results.compare)
app.command()(studies.retry)
app.command()(studies.sync)
app.command()(studies.register)
app.command()(studies.remove)
app.command()(results.ui)
app.command()(health.doctor)
app.command()(health.store)


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
        folded = stderr.is_terminal
        stderr.print(Text.assemble((kind, "bold red"), error.message), soft_wrap=not folded)
        if error.hint:
            stderr.print(Text.assemble(("hint: ", "dim"), error.hint), soft_wrap=not folded)
        return error.exit_status
    except KeyboardInterrupt:
        stderr.print("interrupted; the same command goes on with the study")
        return StoppedError.exit_status
    except BrokenPipeError:  # as in 'sweep report ... | head'
        sys.stdout = None  # nothing is left to flush
        return 1
    except OSError as error:
        want = _WANTS.get(error.errno or 0)
        if want is None:
            raise
        where = f" ({error.filename})" if error.filename else ""
        stderr.print(Text.assemble(("error: ", "bold red"), f"{want}{where}: {error.strerror}"))
        return 1
    return 0
