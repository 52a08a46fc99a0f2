"""A node's cache: shared while it is used, small, and gone with its last user."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sweep.errors import HomeError
from sweep.execution.ray.cache import NodeCache
from tests.artifacts.test_encoders import record
from tests.builders import trial_spec


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


USER = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from sweep.execution.ray.cache import NodeCache
cache = NodeCache(sys.argv[2], "node")
print(cache.home.root, flush=True)
sys.stdin.read()
cache.leave()
"""


def user(place: Path, run: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", USER, place, run],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_it_goes_with_its_last_user(temporary: Path) -> None:
    """Of several processes; and nobody else may look into it."""
    first, second = user(temporary, "run"), user(temporary, "run")
    caches = temporary / f"latent-sweep-{os.getuid()}"
    assert caches.stat().st_mode & 0o077 == 0
    first.communicate("")
    assert (caches / "run-node").exists()
    second.communicate("")
    assert not (caches / "run-node").exists()


def test_what_was_killed_is_removed_by_the_next(temporary: Path) -> None:
    """And what is used by another run is left alone."""
    dead, alive = user(temporary, "dead"), user(temporary, "alive")
    dead.kill()
    dead.communicate()
    cache = NodeCache("next", "node")
    assert sorted(each.name for each in cache.home.root.parent.iterdir() if each.is_dir()) == [
        "alive-node",
        "next-node",
    ]
    cache.leave()
    alive.communicate("")


def test_another_s_directory_is_refused(temporary: Path) -> None:
    """Whoever could write there could choose what is trained."""
    caches = temporary / f"latent-sweep-{os.getuid()}"
    caches.mkdir(mode=0o700)
    caches.chmod(0o777)
    with pytest.raises(HomeError, match="not this user's alone"):
        NodeCache("run", "node")


def test_it_stays_small(temporary: Path) -> None:
    """What was not used for longest goes first, and nothing that may be in use."""
    cache = NodeCache("run", "node")
    encoders, now = cache.store.encoders, time.time()
    specs = [trial_spec().encoder(draw) for draw in range(4)]
    for age, spec in zip((40, 30, 20, 10), specs, strict=True):

        def make(out: Path, spec=spec):  # type: ignore[no-untyped-def]  # one of the loop's
            (out / "weights").write_bytes(bytes(1000))
            return record(spec)

        encoders.get_or_make(spec, make)
        os.utime(encoders.path(spec.key) / "manifest.json", (now - age, now - age))
    size = encoders.size(specs[0].key)
    cache.trim(most=2 * size, unused_for=35, now=now)
    assert [encoders.has(spec.key) for spec in specs] == [False, True, True, True]
    cache.trim(most=2 * size, unused_for=5, now=now)
    assert [encoders.has(spec.key) for spec in specs] == [False, False, True, True]
    cache.leave()
