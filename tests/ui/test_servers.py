"""A server that does not come up is an error with its log's last line; nothing of it is left."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from sweep.errors import SweepError
from sweep.ui import servers
from tests.cli.process import free_port, living, wait_until


def server(log: Path, code: str) -> servers.Server:
    """One that runs a piece of Python, and answers nobody."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-u", "-c", f"{code}  # {log}"]
    return servers.Server("A server", command, url, log, {})


def test_one_that_ends_says_why(tmp_path: Path) -> None:
    """With its last words, without the passwords in them; or that it had none."""
    log = tmp_path / "server.log"
    words = "print('first'); print('no way to postgresql://me:secret@host/db')"
    with pytest.raises(SweepError) as raised, server(log, words):
        pass
    assert raised.value.message == "A server has ended: no way to postgresql://me:***@host/db"
    assert raised.value.hint == f"its log: {log}"
    with pytest.raises(SweepError, match="A server has ended: it said nothing"), server(log, ""):
        pass


@pytest.mark.slow
def test_one_that_does_not_answer_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hang where it begins: nobody waits for ever, and its children go with it."""
    monkeypatch.setattr(servers, "_START_SECONDS", 3)
    log = tmp_path / "server.log"
    child = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', "
    child += f"'import time; time.sleep(600)  # {log}']); print('waiting'); time.sleep(600)"
    began = time.monotonic()
    with pytest.raises(SweepError) as raised, server(log, child):
        pass
    assert raised.value.message == "A server does not answer after 3 seconds: waiting"
    assert raised.value.hint == f"its log: {log}"
    assert time.monotonic() - began < 30
    wait_until(lambda: not living(str(log)), seconds=10)
