"""How long a cluster's head may be silent; a stand-in answers in Ray's place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from sweep.errors import OutageError
from sweep.execution.ray import nodes as nodes_module
from sweep.execution.ray.nodes import Nodes

LOOKING = """
import time
from sweep.execution.ray import nodes

nodes._INTERVAL_SECONDS, nodes._TELLING_SECONDS, nodes._PATIENCE_SECONDS = 0.05, 1.0, 2.0
nodes.LONGEST_LOOK = 0.5


class Head:
    def nodes(self):
        time.sleep(0.02)
        return [{"NodeID": "a", "Resources": {"CPU": 1.0}, "Alive": True}]


asked = nodes.Nodes(Head())
while asked.alive() is None:
    time.sleep(0.01)
print("looking", flush=True)
ends = time.monotonic() + 5
while time.monotonic() < ends:
    assert asked.alive() == {"a": {"CPU": 1.0}}
    time.sleep(0.01)
"""


def test_time_in_which_we_were_stopped_is_no_silence() -> None:
    """A coordinator that was suspended goes on, though the head could not answer it meanwhile."""
    command = [sys.executable, "-c", LOOKING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "looking\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(3)
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(timeout=60) == 0


def test_a_head_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After it was told that it is waited for."""
    monkeypatch.setattr(nodes_module, "_INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(nodes_module, "_TELLING_SECONDS", 0.2)
    monkeypatch.setattr(nodes_module, "_PATIENCE_SECONDS", 0.4)

    class Gone:
        def nodes(self) -> None:
            raise ConnectionError("no head")

    asked = Nodes(Gone())

    def look_until_given_up() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert asked.alive() is None
            time.sleep(0.01)

    try:
        with pytest.raises(OutageError, match="head of the Ray cluster is out of reach"):
            look_until_given_up()
    finally:
        asked.close()
