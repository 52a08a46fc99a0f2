"""Four studies at once in one home, looked at all the while: memory, descriptors, and what is lost.

    uv run python -m benchmarks.soak

One has thousands of short trials, three have fewer; all share their encoders. Meanwhile ``status``,
``report`` and ``doctor`` are called again and again, and ``sweep ui`` is asked for its page. Memory
is what a process has for itself, in MB.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.measuring import options, publish

CONFIG = Path(__file__).with_name("soak.yaml")
TRIALS, FEWER = 3000, 300
ENCODERS = 4
LOOKS = (("status",), ("report", "soak-0"), ("doctor",), ("status", "soak-0"))
_LOOK_SECONDS = 2.0
WITHOUT_WORKERS = "coordinators without workers"
"""Those that begin, or draw a report, which takes a hundred MB at once."""
TRAINED = re.compile(r"training .* \((encoder|draw) ([0-9a-f]{32})\)$", re.MULTILINE)
"""What a worker's log says as a training begins."""


@dataclass
class Soak:
    """What was seen."""

    sizes: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    """By the kind of process: its memory and its descriptors, along time."""
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By the command that looked."""
    wrong: list[str] = field(default_factory=list)
    """What must not have been said or done."""
    took: float = 0.0

    def note_process(self, kind: str, pid: int) -> None:
        """How large a process is, if it lives."""
        with suppress(OSError, AttributeError):
            status = Path(f"/proc/{pid}/status").read_text()
            found = re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)
            descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            if found is not None:
                self.sizes[kind].append((int(found[1]) / 1000, descriptors))

    def note_said(self, command: Sequence[str], status: int, said: str) -> None:
        """What a command has said, and how it ended."""
        if status != 0 or "locked" in said or "Traceback" in said:
            self.wrong.append(f"{' '.join(command)}: {status}: {said}")

    def figures(self) -> dict[str, Any]:
        """All of it, at the quarters of the time."""
        found: dict[str, Any] = {"minutes": round(self.took / 60, 1)}
        for kind, sizes in sorted(self.sizes.items()):
            found[kind] = {
                "MB": quarters([each[0] for each in sizes]),
                "descriptors": quarters([each[1] for each in sizes]),
            }
        for name, seconds in self.seconds.items():
            found[f"{name}: seconds"] = quarters(seconds)
            found[f"{name}: times"] = len(seconds)
        return found


def quarters(values: Sequence[float]) -> list[float]:
    """The median of each quarter of some values."""
    ends = [round(number * len(values) / 4) for number in range(5)]
    parts = [values[begin:end] for begin, end in pairwise(ends)]
    return [round(statistics.median(part), 1) for part in parts if part]


def sweep(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """Start a command."""
    command = [sys.executable, "-m", "sweep", *map(str, arguments)]
    environment = {k: v for k, v in os.environ.items() if k not in ("SWEEP_HOME", "SWEEP_STORAGE")}
    return subprocess.Popen(command, text=True, env=environment, **options)


def soak(home: Path, trials: int, fewer: int) -> Soak:
    """Run it all in a home that is not there yet."""
    seen, began = Soak(), time.monotonic()
    logs = [home.with_name(f"{home.name}-{number}.log") for number in range(4)]
    studies = [
        start_study(home, number, trials if number == 0 else fewer, log)
        for number, log in enumerate(logs)
    ]
    while not (home / "mlflow.db").exists():
        assert all(study.poll() is None for study in studies), logs[0].read_text()
        time.sleep(0.2)
    ui = sweep("ui", "--home", home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert ui.stdout is not None
    page = re.findall(r"\S+$", ui.stdout.readline())[0]
    ended = threading.Event()
    looking = threading.Thread(target=look, args=(home, page, seen, ended))
    looking.start()
    try:
        while any(study.poll() is None for study in studies):
            for number, study in enumerate(studies):
                kind = "coordinators of few trials" if number else "coordinator of many trials"
                workers = children(study.pid, "spawn_main")
                seen.note_process(kind if workers else WITHOUT_WORKERS, study.pid)
                for worker in workers:
                    seen.note_process("workers", worker)
            for server in children(ui.pid, "mlflow"):
                seen.note_process("MLflow's server", server)
            time.sleep(_LOOK_SECONDS)
    finally:
        ended.set()
        looking.join()
        ui.send_signal(signal.SIGINT)
        ui.communicate(timeout=60)
    seen.took = time.monotonic() - began
    for study, log in zip(studies, logs, strict=True):
        seen.note_said(["run"], study.returncode, log.read_text())
    seen.wrong += missing(home, [trials, fewer, fewer, fewer])
    seen.wrong += trained_amiss(home)
    return seen


def start_study(home: Path, number: int, trials: int, log: Path) -> subprocess.Popen[str]:
    """A study whose cells no other has, and whose encoders all have."""
    low = 4 + 5 * number
    space = f"representations.vae.space.hidden_neurons={{low: {low}, high: {low + 4}}}"
    settings = (f"name=soak-{number}", space, f"representations.vae.trials={trials}")
    with log.open("w") as file:
        return sweep(
            *("run", CONFIG, "--home", home, "--workers", 1),
            *(part for each in settings for part in ("--set", each)),
            stdout=file,
            stderr=file,
        )


def look(home: Path, page: str, seen: Soak, ended: threading.Event) -> None:
    """Look at the studies as their users do, until it is over."""
    while True:
        for command in LOOKS:
            if ended.is_set():
                return
            began = time.monotonic()
            asked = sweep(
                *command, "--home", home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            said = asked.communicate()[0]
            seen.seconds[" ".join(command)].append(time.monotonic() - began)
            seen.note_said(command, asked.returncode, said)
        began = time.monotonic()
        with urllib.request.urlopen(page, timeout=60) as answer:
            if "soak-0" not in answer.read().decode():
                seen.wrong.append("the page of studies lacks one")
        seen.seconds["ui"].append(time.monotonic() - began)


def missing(home: Path, targets: Sequence[int]) -> Iterator[str]:
    """What is not there in the end, or is there twice."""
    with sqlite3.connect(home / "optuna.db") as connection:
        rows = connection.execute(
            "SELECT study_name, state, count(*) FROM trials JOIN studies USING (study_id) "
            "GROUP BY study_name, state"
        ).fetchall()
    wanted = [(f"soak-{number}", "COMPLETE", target) for number, target in enumerate(targets)]
    if sorted(rows) != wanted:
        yield f"trials: {rows}"
    with sqlite3.connect(home / "mlflow.db") as connection:
        kinds: Mapping[str, int] = dict(
            connection.execute(
                "SELECT value || ' ' || status, count(*) FROM tags JOIN runs USING (run_uuid) "
                "WHERE key = 'sweep.kind' GROUP BY 1"
            )
        )
    expected = {"trial FINISHED": sum(targets), "study FINISHED": 4}
    if {name: kinds.get(name) for name in expected} != expected:
        yield f"runs: {dict(kinds)}"
    if (made := len(list(home.glob("encoders/[0-9a-f]*")))) != ENCODERS:
        yield f"{made} encoders"


def trained_amiss(home: Path) -> Iterator[str]:
    """What was trained twice, or is there and nobody trained it, as the workers of all studies say.

    Files would not tell: what is kept already stays, however often it is made.
    """
    logs = [path.read_text() for path in home.glob("logs/*/worker-*.log")]
    times = Counter(TRAINED.findall("\n".join(logs)))
    kept = {("encoder", path.name) for path in home.glob("encoders/[0-9a-f]*")}
    kept |= {("draw", path.stem) for path in home.glob("draws/[0-9a-f]*.json")}
    for kind, key in sorted({*kept, *times}):
        if (found := times[kind, key]) != 1:
            yield f"the {kind} {key} was trained {found} times"


def children(pid: int, named: str = "") -> list[int]:
    """The children of a process that have a text in their command lines, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                if named in Path(f"/proc/{child}/cmdline").read_text():
                    found.append(child)
                found += children(child, named)
    return found


def main() -> None:
    given = options(__doc__, trials=TRIALS, fewer=FEWER)
    with tempfile.TemporaryDirectory() as directory:
        seen = soak(Path(directory, "home"), given.trials, given.fewer)
    print("\n".join(seen.wrong))
    trials = {"trials": [given.trials, *[given.fewer] * 3], "wrong": len(seen.wrong)}
    publish("soak", trials | seen.figures())


if __name__ == "__main__":
    main()
