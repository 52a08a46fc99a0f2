"""Every fault in every phase of a study, one after the other; its numbers are as if undisturbed.

One study goes through its phases, and each phase has its fault. The short form does so once for
each place where a study may keep its databases; the long form, ``uv run pytest -m chaos -n0
tests/chaos/test_phases.py --faults all``, has every fault that the place knows in every phase.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.chaos.disks import full, mounted
from tests.chaos.servers import MlflowServer, Postgres, postgres
from tests.chaos.study import workers_of
from tests.cli.process import start, sweep, wait_until
from tests.guarantee import accuracies, assert_exactly_once

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.getuid() != 0, reason="only root may mount"),
]

STUDY, TRIALS, FAULTS_OF_A_RUN = "phases", 5, 6
TIMEOUT = 40  # seconds that a task may take: long on a busy machine, too
CONFIG = f"""
name: {STUDY}
dataset: mnist-5k
partition: {{scheme: fractions, encoder: .2, classifier: .3, validation: .3, test: .2}}
seed: 7
replicates: {{draws: 1, classifiers: 2}}
representations:
  vae:
    {{epochs: 5, batch_size: 50, labels_from: classifier, trials: 3,
     space: {{latent_dim: {{choices: [2]}}, hidden_neurons: {{low: 4, high: 40}}}},
     classifier: {{epochs: 10, batch_size: 64}}}}
  pixels:
    {{labels_from: classifier, trials: 2, space: {{hidden_neurons: {{low: 4, high: 40}}}},
     classifier: {{epochs: 10, batch_size: 64}}}}
search: {{sampler: random}}
confirm: {{draws: 1, classifiers: 2}}
execution: {{workers: 2, trial_timeout: {TIMEOUT}}}
"""


@dataclass(frozen=True)
class Place:
    """Where a study lives, and what can befall it there."""

    home: Path
    storage: str
    tracking: str
    mlflow: MlflowServer | None = None
    postgres: Postgres | None = None

    @property
    def environment(self) -> dict[str, str]:
        if self.mlflow is None:
            return {}
        return {"SWEEP_STORAGE": self.storage, "MLFLOW_TRACKING_URI": self.tracking}


@contextmanager
def files(directory: Path) -> Iterator[Place]:
    """All of it in the home, on a small disk of its own."""
    with mounted(directory / "home", "-t", "tmpfs", "-o", "size=100m", "tmpfs") as home:
        yield Place(home, f"sqlite:///{home}/optuna.db", f"sqlite:///{home}/mlflow.db")


@contextmanager
def servers(directory: Path) -> Iterator[Place]:
    """Trials in a PostgreSQL, runs in an MLflow server."""
    server = MlflowServer(directory)
    server.start()
    with postgres() as storage:
        try:
            home = directory / "home"
            yield Place(home, storage.url("optuna"), server.uri, server, storage)
        finally:
            server.kill()


class Command:
    """A command that may have to be called again: once for each of its faults, and a last time."""

    def __init__(self, place: Place, log: Path, *arguments: object) -> None:
        self._place = place
        self._log = log
        self._arguments = (*arguments, "--home", place.home)
        self._calls_left = FAULTS_OF_A_RUN + 1
        self._call()

    def _call(self) -> None:
        assert self._calls_left, self._log.read_text()
        self._calls_left -= 1
        with self._log.open("a") as log:
            self.process = start(
                *self._arguments, env=self._place.environment, stderr=log, start_new_session=True
            )

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def reach(self, phase: Callable[[Place], bool]) -> None:
        """Call it, again if need be, until a phase has begun."""
        while not phase(self._place):
            wait_until(lambda: phase(self._place) or self.has_ended, 300)
            if self.has_ended and not phase(self._place):
                self._end()
                self._call()
        if self.has_ended:  # it was left in this phase by what befell it in an earlier one
            self._end()
            self._call()

    def finish(self) -> None:
        """Call it, again if need be, until it has done all it should."""
        while self._end() != 0:
            self._call()

    def _end(self) -> int:
        """Wait for its end; its exit status, which it has explained in a sentence."""
        self.process.communicate(timeout=300)
        status = self.process.returncode
        said = self._log.read_text()
        assert "Traceback" not in said, said
        assert status in (0, 1, 2, -signal.SIGKILL), said
        return status


# Faults, each in a process that goes on meanwhile.


def killed(place: Place, process: subprocess.Popen[str]) -> None:
    """A worker, or the coordinator where it has none."""
    victim = next(iter(workers_of(process)), process.pid)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


def disk_full(place: Place, process: subprocess.Popen[str]) -> None:
    with full(place.home), suppress(subprocess.TimeoutExpired):
        process.wait(8)


def mlflow_away(place: Place, process: subprocess.Popen[str]) -> None:
    assert place.mlflow is not None
    place.mlflow.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    place.mlflow.start()


def storage_restarted(place: Place, process: subprocess.Popen[str]) -> None:
    assert place.postgres is not None
    place.postgres.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(3)
    place.postgres.start()


def stopped(place: Place, process: subprocess.Popen[str]) -> None:
    """All of it, for longer than a task may take."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(TIMEOUT + 3)
        os.killpg(process.pid, signal.SIGCONT)


Fault = Callable[[Place, "subprocess.Popen[str]"], None]
FAULTS: Mapping[Callable[[Path], Any], tuple[Fault, ...]] = {
    files: (killed, disk_full, stopped),
    servers: (killed, mlflow_away, storage_restarted, stopped),
}


# Phases, as they are seen from outside.


@dataclass(frozen=True)
class Made:
    """What a study has made in the end."""

    numbers: dict[str, list[float]]
    """Of each trial's replicates."""
    rows: list[Any]
    """The report's, without times."""
    model: float
    """The accuracy of the registered model."""
    draws: int
    assessments: int


def count(place: Place, pattern: str) -> int:
    return len(list(place.home.glob(pattern)))


def phases(made: Made) -> dict[str, Callable[[Place], bool]]:
    """Whether each phase has begun."""
    return {
        "opening": lambda place: (place.home / f"locks/study-{STUDY}.lock").exists(),
        "encoders": lambda place: count(place, "checkpoints/[0-9a-f]*") > 0,
        "draws": lambda place: count(place, "encoders/[0-9a-f]*") > 0,
        "confirming": lambda place: count(place, "draws/*.json") > TRIALS,
        "assessing": lambda place: count(place, "draws/*.json") == made.draws,
        "reporting": lambda place: count(place, "assessments/*.json") == made.assessments,
    }


def registering(place: Place) -> bool:
    return count(place, "locks/model-*.lock") > 0


# The test.


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("phases") / "phases.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def undisturbed(config: Path) -> Made:
    home = config.parent / "undisturbed"
    place = Place(home, f"sqlite:///{home}/optuna.db", f"sqlite:///{home}/mlflow.db")
    for command in (("run", config), ("register", STUDY)):
        done = sweep(*command, "--home", home)
        assert done.returncode == 0, done.stderr
    return made(place)


def made(place: Place) -> Made:
    """What lies in a place when all is done."""
    said = sweep(
        *("report", STUDY, "--home", place.home, "--format", "json"), env=place.environment
    )
    names = ("representation", "latent_dim", "hidden_neurons", "replicates", "accuracy", "pareto")
    rows = [
        [row[name] for name in (*names, "test_accuracy", "searched_accuracy")]
        for row in json.loads(said.stdout)["rows"]
    ]
    (record,) = place.home.glob("models/[0-9a-f]*/record.json")
    return Made(
        numbers=accuracies(place.storage, STUDY),
        rows=sorted(rows, key=str),
        model=json.loads(record.read_text())["accuracy"],
        draws=count(place, "draws/*.json"),
        assessments=count(place, "assessments/*.json"),
    )


def rounds() -> list[Any]:
    """The places, and the number of the fault that the first phase has in each round."""
    return [
        pytest.param(place, first, id=f"{place.__name__}-{first}")
        for place, faults in FAULTS.items()
        for first in range(len(faults))
    ]


@pytest.mark.parametrize(("where", "first"), rounds())
def test_a_fault_in_each_phase(
    where: Callable[[Path], Any],
    first: int,
    config: Path,
    undisturbed: Made,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """The same commands end with the same numbers; each trial stands once in Optuna and MLflow."""
    if first and request.config.getoption("--faults") == "some":
        pytest.skip("the long form has it: --faults all")
    faults = FAULTS[where]
    with ExitStack() as stack:
        place = stack.enter_context(where(tmp_path))
        run = Command(place, tmp_path / "run", "run", config)
        stack.callback(lambda: run.process.kill())
        for number, (name, phase) in enumerate(phases(undisturbed).items(), start=first):
            run.reach(phase)
            befall(faults[number % len(faults)], name, place, run)
        run.finish()
        register = Command(place, tmp_path / "register", "register", STUDY)
        stack.callback(lambda: register.process.kill())
        register.reach(registering)
        befall(faults[(first + FAULTS_OF_A_RUN) % len(faults)], "registering", place, register)
        register.finish()
        again = sweep("run", config, "--home", place.home, env=place.environment)
        assert again.returncode == 0, again.stderr
        assert "not hold everything" not in again.stderr
        assert made(place) == undisturbed
        assert_exactly_once(place.storage, place.tracking, STUDY, TRIALS)
        versions = MlflowClient(place.tracking).search_model_versions(f"name='{STUDY}'")
        assert len(versions) == 1


def befall(fault: Fault, phase: str, place: Place, command: Command) -> None:
    print(f"{phase}: {fault.__name__}")
    assert not command.has_ended, "the phase has passed"
    fault(place, command.process)
