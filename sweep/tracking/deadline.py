"""What answers over a network is waited for as long as it is worth, and no longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from sweep.database import sqlite_file

T = TypeVar("T")

_SECONDS = 20.0


def answer_of(uri: str, ask: Callable[[], T], seconds: float = _SECONDS) -> T:
    """What asking MLflow gives, in time; a file is waited for, as it answers or fails by itself.

    Args:
        uri: of what is asked.
        ask: asks it.
        seconds: that a server, or a database that is reached through a network, may take.

    Raises:
        TimeoutError: it takes longer.
        Exception: whatever asking raises.
    """
    return ask() if sqlite_file(uri) is not None else within(seconds, ask)


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What asking gives; what has not come back by then goes on without us, until we end.

    The timeout of a socket is no such bound: it counts anew from every byte, and a driver or a
    client tries again.

    Raises:
        TimeoutError: nothing came back in time.
        Exception: whatever asking raises.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # it is raised below, where it is waited for
            answer.set_exception(error)

    thread = threading.Thread(target=run, name="asking", daemon=True)  # a process ends without it
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds:g} s")
    return answer.result()
