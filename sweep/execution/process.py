"""What runs in a worker process."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from sweep.execution.base import WorkFunction

_function: WorkFunction | None = None
_shared_fraction: Any = None


def initialize(
    prepare: Callable[[], WorkFunction], fraction: Any, pid: Any, log: str, coordinator: int
) -> None:
    """Make this process a worker.

    Args:
        prepare: makes the function that does tasks.
        fraction: a shared number, of the task that is done.
        pid: a shared number, of this process once it is ready to prepare.
        log: the file for all that is printed here.
        coordinator: the process with which this one ends.
    """
    global _function, _shared_fraction
    # Nothing needs cleaning up in a worker: it may end at once, even in the middle of a long call.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    if descriptor > 2:  # else it has taken the place of a stream that was closed
        os.close(descriptor)
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("sweep").setLevel(logging.INFO)
    _end_with(coordinator)
    _shared_fraction = fraction
    pid.value = os.getpid()
    _function = prepare()


def work(payload: str) -> str:
    """Do a task."""
    assert _function is not None
    _report(0.0)
    return _function(payload, _report)


def _report(fraction: float) -> None:
    _shared_fraction.value = fraction


def _end_with(coordinator: int) -> None:
    """End this process when the coordinator ends, even if it is killed."""
    if sys.platform == "linux":  # at once, even in a long call that holds the interpreter's lock
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != coordinator:
        os._exit(1)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:  # everywhere: a pipe that is closed when the coordinator is gone
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
