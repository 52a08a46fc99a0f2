"""The command line as a process, and what a study leaves behind.

Every test imports this module, by way of conftest.py. Optuna and MLflow take seconds to import,
so only the functions that read their databases do.
"""

from __future__ import annotations

import atexit
import json
import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cli.forked import Forks

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

TINY = """
name: tiny
dataset: mnist-5k
partition: {scheme: fractions, encoder: .1, classifier: .2, validation: .6, test: .1}
seed: 3
replicates: {draws: 2, classifiers: 2}
representations:
  vae:
    {epochs: 1, batch_size: 100, learning_rate: 0.001, labels_from: classifier, trials: 4,
     space: {latent_dim: {choices: [2, 3]}, hidden_neurons: {low: 4, high: 64, log: true}},
     classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}
  pixels:
    {labels_from: classifier, trials: 3, space: {hidden_neurons: {low: 4, high: 64, log: true}},
     classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}
  pca: {labels_from: classifier, classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}
search: {sampler: random}
rows:
  - {representation: pixels, hidden_neurons: 10}
"""
TARGET = 8
REPORT_FILES = {
    *("config.yaml", "provenance.json"),
    *(f"report.{suffix}" for suffix in ("md", "csv", "json", "tex", "html")),
    *(
        f"accuracy_vs_{x}{width}.{suffix}"
        for x in ("parameters", "latent_dim", "encoder")
        for width in ("", "_column")
        for suffix in ("png", "svg", "pdf")
    ),
}
"""What a report of the tiny study is written as."""


def environment() -> dict[str, str]:
    """Ours, without what would point a run somewhere else."""
    elsewhere = ("SWEEP_HOME", "SWEEP_STORAGE", "SWEEP_DATA_DIR", "MLFLOW_TRACKING_URI")
    return {key: value for key, value in os.environ.items() if key not in elsewhere}


STARTED: list[subprocess.Popen[str]] = []
"""What was started, and is killed at the end of its test if it still runs."""


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """Start ``sweep`` with its output captured."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sweep", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=options.pop("stderr", subprocess.PIPE),
        text=True,
        env=environment() | options.pop("env", {}),
        **options,
    )
    STARTED.append(process)
    return process


_LOOKING = {"status", "trials", "report", "compare", "store", "doctor", "validate", "verify"}
"""Commands that read: as forks of one process they take a tenth of the time."""


@cache
def _forks() -> Forks:
    forks = Forks()
    atexit.register(forks.close)
    return forks


def sweep(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``sweep`` to its end, for ``timeout`` seconds at most."""
    timeout = options.pop("timeout", 600)
    if arguments[0] in _LOOKING and not options:
        ended = _forks().sweep(*arguments, env=environment(), timeout=timeout)
        assert ended.status is not None, f"not within {timeout} seconds: {ended.err}"
        words = ["sweep", *map(str, arguments)]
        return subprocess.CompletedProcess(words, ended.status, ended.out, ended.err)
    process = start(*arguments, **options)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def free_port() -> str:
    """A port that nobody listens on."""
    from sweep.ui import free_address

    return str(free_address("127.0.0.1", 0).port)


def printed_until(process: subprocess.Popen[str], word: str) -> str:
    """What a process that goes on prints up to the line with a word; it must not end before."""
    assert process.stdout is not None
    printed = ""
    while word not in printed:
        line = process.stdout.readline()
        assert line, process.communicate()
        printed += line
    return printed


def copied(home: Path, to: Path) -> Path:
    """A copy of a home that others read: the files beside SQLite's come and go with them."""
    beside = shutil.ignore_patterns("*-wal", "*-shm")
    return Path(shutil.copytree(home, to, ignore=beside))


def wait_until(condition: Callable[[], object], seconds: float = 300) -> None:
    """Wait for what another process is about to do."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.05)


def processes(chosen: Callable[[int, int], bool]) -> dict[int, str]:
    """Living processes with their command lines, chosen by their parent and their group."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = stat.read_text("latin-1").rpartition(")")[2].split()[:3]
            command = (stat.parent / "cmdline").read_text("latin-1")  # bytes of any kind
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z" and chosen(int(parent), int(group)):
            found[int(stat.parent.name)] = command
    return found


def living(text: str) -> dict[int, str]:
    """Living processes with a text in their command lines."""
    return {pid: line for pid, line in processes(lambda *_: True).items() if text in line}


def trials(home: Path, study: str = "tiny") -> list[FrozenTrial]:
    """A study's trials, read with Optuna's own tools."""
    from tests import guarantee

    return guarantee.trials(f"sqlite:///{home}/optuna.db", study)


def accuracies(home: Path, study: str = "tiny") -> dict[str, list[float]]:
    """For each completed spec, by its key, the accuracies of its replicates."""
    from tests import guarantee

    return guarantee.accuracies(f"sqlite:///{home}/optuna.db", study)


def mlflow_runs(home: Path, study: str = "tiny") -> list[Any]:
    """A study's MLflow runs."""
    from mlflow import MlflowClient

    from tests import guarantee

    return list(guarantee.runs(MlflowClient(f"sqlite:///{home}/mlflow.db"), study))


def assert_exactly_once(home: Path, target: int = TARGET, study: str = "tiny") -> None:
    """See :func:`tests.guarantee.assert_exactly_once`, for the home's own databases."""
    from tests import guarantee

    guarantee.assert_exactly_once(
        f"sqlite:///{home}/optuna.db", f"sqlite:///{home}/mlflow.db", study, target
    )


def report_rows(home: Path, *arguments: str, study: str = "tiny") -> list[dict[str, Any]]:
    """The rows of ``sweep report --format json``."""
    done = sweep("report", study, "--home", home, "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return rows


def answer(text: str, *arguments: object, meanwhile: Callable[[], object] = str) -> str:
    """Answer the question of a command on a terminal; what it says on stderr.

    ``meanwhile`` is done while the question is open.
    """
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "sweep", *map(str, arguments)],
        stdin=end, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(),
    ) as process:  # fmt: skip
        assert process.stderr is not None
        said = ""
        while "?" not in said and (character := process.stderr.read(1)):
            said += character
        meanwhile()
        os.write(terminal, f"{text}\n".encode())
        said += process.stderr.read()
    os.close(terminal)
    os.close(end)
    return said
