"""The command line in forks of one process, which has imported already what takes seconds.

A fork is a process of its own, as a command of a user's is: nothing that one command has opened or
remembered reaches the next. TensorFlow is not imported: it is at home in the workers.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

_SLOW = [
    "sweep.cli.app",
    *("mlflow.tracking", "mlflow.artifacts", "mlflow.store.tracking.sqlalchemy_store"),
    *("mlflow.store.model_registry.sqlalchemy_store", "mlflow.models"),
    *("optuna", "optuna.storages", "optuna.visualization", "pandas", "plotly.graph_objects"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg"),
    *("jinja2", "scipy.stats", "pebble", "ruamel.yaml", "PIL.Image", "rich.table"),
]
_NOT_HERE = ("tensorflow", "keras", "mlflow.server", "torch")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int | None
    """None if it did not end; minus the signal that ended it."""
    out: str
    err: str
    seconds: float


class Forks:
    """Runs commands of ``sweep``, one after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forked"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        )

    def sweep(self, *arguments: object, env: Mapping[str, str], timeout: float = 300) -> Ended:
        """Run a command to its end, or kill it with its workers after so many seconds.

        Args:
            arguments: of the command line.
            env: its whole environment.
            timeout: seconds.
        """
        with tempfile.TemporaryDirectory() as directory:
            out, err = Path(directory, "out"), Path(directory, "err")
            request = {"arguments": ["sweep", *map(str, arguments)], "timeout": timeout}
            request |= {"env": dict(env), "cwd": str(Path.cwd())}
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(request | {"out": str(out), "err": str(err)}))
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
            return Ended(answer["status"], _text(out), _text(err), answer["seconds"])

    def close(self) -> None:
        self._process.communicate()


def _text(path: Path) -> str:
    return path.read_text(errors="replace")


def _serve() -> None:
    before = dict(os.environ)
    _import()
    set_by_imports = {k: v for k, v in os.environ.items() if before.get(k) != v}
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        request["env"] |= set_by_imports
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            _command(request)
        status = _wait(child, request["timeout"])
        with contextlib.suppress(ProcessLookupError):  # workers that are left, if it was killed
            os.killpg(child, signal.SIGKILL)
        answer = {"status": status, "seconds": time.monotonic() - began}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _import() -> None:
    """Import what commands import, but for what belongs to workers and servers."""
    for name in _SLOW:
        importlib.import_module(name)
    import sweep

    blocked = dict.fromkeys(_NOT_HERE)  # None in sys.modules: it cannot be imported
    sys.modules.update(blocked)  # type: ignore[arg-type]
    for module in pkgutil.walk_packages(sweep.__path__, "sweep.", onerror=lambda _: None):
        with contextlib.suppress(ImportError):
            importlib.import_module(module.name)
    for name in blocked:
        del sys.modules[name]


def _command(request: dict[str, Any]) -> NoReturn:
    """In the fork: the command line, with the arguments and the streams that are asked for."""
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    streams = [os.open(os.devnull, os.O_RDONLY)]
    streams += [os.open(request[name], os.O_WRONLY | os.O_CREAT) for name in ("out", "err")]
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    sys.argv = request["arguments"]
    from sweep.cli.app import run

    try:
        status = run()
    except BaseException:
        traceback.print_exc()
        status = 1
    _end(status)


def _end(status: int) -> NoReturn:
    """End as a process does, but without taking apart what was imported, which takes a second."""
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join()
    atexit._run_exitfuncs()
    gc.collect()
    for each in gc.get_objects():  # what was there before the fork is not among them
        if isinstance(each, sqlite3.Connection):
            each.close()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(status)


def _wait(child: int, timeout: float) -> int | None:
    """Its exit status; None if it was killed, because it did not end in time."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


if __name__ == "__main__":
    _serve()
