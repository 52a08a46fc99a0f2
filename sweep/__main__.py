"""The command line's entry; ``python -m sweep`` is the same as ``sweep``."""

from __future__ import annotations

import os
import sys
import threading
import time

INTERRUPTED = 130
_LAST_SECONDS = 0.5


def main() -> None:
    """Run the command line; imported late, because worker processes import this module, too."""
    try:
        from sweep.cli.streams import settle_streams

        settle_streams()
        from sweep.cli.app import run
    except KeyboardInterrupt:  # of the user, or of OpenBLAS, which has said that it got no threads
        sys.stderr.write("interrupted before it began\n")
        sys.exit(INTERRUPTED)
    status = run()
    try:
        deadline = time.monotonic() + _LAST_SECONDS
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join(max(0, deadline - time.monotonic()))
                if thread.is_alive():
                    _leave(status)
    except KeyboardInterrupt:
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
