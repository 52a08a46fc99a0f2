"""Nobody waits for an answer for longer than it is worth; what comes in time is handed on."""

from __future__ import annotations

import threading
import time

import pytest

from sweep.tracking.deadline import answer_of, within


def test_what_comes_in_time_is_handed_on() -> None:
    """Answers and errors alike, also a timeout that is somebody else's."""
    assert within(60, lambda: "answer") == "answer"

    def refuse() -> None:
        raise TimeoutError("of a socket")

    with pytest.raises(TimeoutError, match="of a socket"):
        within(60, refuse)


def test_what_does_not_come_is_left() -> None:
    """A file is waited for: it is no server's."""
    never = threading.Event()
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.1 s"):
        answer_of("http://127.0.0.1", never.wait, 0.1)
    assert time.monotonic() - began < 10
    assert answer_of("sqlite:////nowhere", lambda: not never.wait(0.2), 0.1)
    never.set()
