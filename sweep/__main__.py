"""The command line's entry; ``python -m sweep`` is the same as ``sweep``."""

from __future__ import annotations

import os
import sys
import threading

_LAST_SECONDS = 0.5


def main() -> None:
    """Run the command line; imported late, because worker processes import this module, too."""
    from sweep.cli.app import run

    status = run()
    for thread in threading.enumerate():
        if thread.name.startswith("mlflow"):
            thread.join(_LAST_SECONDS)
            if thread.is_alive():
                _leave(status)
    sys.exit(status)


def _leave(status: int) -> None:
    """End at once: MLflow was waited for long enough, and Python would wait for it to the end.

    What is cut short there is brought there by the next run.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
