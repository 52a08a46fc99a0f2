"""The lease: one owner, and a dead owner holds nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sweep.errors import StudyBusyError
from sweep.home import Home
from sweep.lease import lease

OWNER = """
import sys, time
from pathlib import Path
from sweep.lease import lease
from sweep.home import Home
with lease(Home.at(Path(sys.argv[1])), "study"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lease_has_one_owner_and_ends_with_it(tmp_path: Path) -> None:
    """A living owner is named; when it is killed, the lease is free at once."""
    home = Home.at(tmp_path)
    home.create()
    with subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        busy = pytest.raises(StudyBusyError, match=f"process {owner.pid}")
        with busy as raised, lease(home, "study"):
            pass
        assert raised.value.exit_status == 1
        with lease(home, "another"):
            pass
        owner.kill()
        owner.wait()
        with lease(home, "study"):
            pass
