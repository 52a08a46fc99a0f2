"""A whole search beside what a user's own script takes, as commands in processes of their own.

    uv run --with keras-tuner python -m benchmarks.search [--trials 100] [--rounds 1]

VAE-latent trials over five latent dimensions on 5,000 digits, one classifier each, the same epochs
for all; and as many trials of the pixel classifier, beside KerasTuner. See benchmarks/peers.py for
what the peers do and leave out. Every command starts from nothing: imports, compilation and
databases are in its time. Where the time goes is told in seconds of busy processes: ours has two
workers, and what they do not spend on training is start-up, waiting and the rest of the system.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import alternate, options, publish, ratio
from sweep.artifacts import ArtifactStore
from sweep.home import Home

LATENTS, PIXELS = (Path(__file__).with_name(name) for name in ("search.yaml", "pixels.yaml"))
WORKERS = 2

Spent = dict[str, float]
"""Seconds by what they were spent on."""


def completed(*arguments: object) -> str:
    """What a Python module prints, which must succeed."""
    words = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ours(config: Path, trials: int) -> Spent:
    """Run a study in a new home; its workers' seconds."""
    with tempfile.TemporaryDirectory() as directory:
        home = Home.at(Path(directory))
        arguments = ["--trials", trials, "--workers", WORKERS, "--home", home.root]
        started = time.perf_counter()
        completed("sweep", "run", config, *arguments)
        wall = time.perf_counter() - started
        store = ArtifactStore(home)
        draws = [json.loads(path.read_bytes())["result"] for path in home.draws.iterdir()]
        records = [store.encoders.record(key) for key in store.encoders.published()]
        encoders = sum(record.train_seconds for record in records if record)
        classifiers = sum(draw["seconds"] for draw in draws)
    rest = WORKERS * wall - encoders - classifiers
    return {"encoders": encoders, "classifiers": classifiers, "rest": rest}


def peer(name: str, trials: int) -> Spent:
    """Run a peer in a new directory; its process's seconds."""
    with tempfile.TemporaryDirectory() as directory:
        arguments = ["--trials", trials, "--home", f"{directory}/home"]
        started = time.perf_counter()
        printed = completed("benchmarks.peers", name, *arguments)
        wall = time.perf_counter() - started
    spent: Spent = json.loads(printed.splitlines()[-1])
    return {**spent, "rest": wall - sum(spent.values())}


def main() -> None:
    chosen = options(__doc__, trials=100, rounds=1)
    trials = chosen.trials
    spent: dict[str, Spent] = {}

    def noting(name: str, run: Callable[[], Spent]) -> Callable[[], None]:
        return lambda: spent.update({name: run()})

    searches: dict[str, Callable[[], Spent]] = {
        "ours": lambda: ours(LATENTS, trials),
        "plain": lambda: peer("plain", trials),
        "tuned": lambda: peer("tuned", trials),
        "ours, pixels": lambda: ours(PIXELS, trials),
        "KerasTuner, pixels": lambda: peer("keras-tuner", trials),
    }
    taken = alternate({name: noting(name, run) for name, run in searches.items()}, chosen.rounds)
    publish(
        "search",
        {
            "trials": chosen.trials,
            "rounds": chosen.rounds,
            "threads": f"ours: {WORKERS} workers of 1; peers: TensorFlow's own choice, all cores",
            "seconds": {name: round(statistics.median(each)) for name, each in taken.items()},
            "where they go (of each process, last round)": {
                name: {what: round(each) for what, each in parts.items()}
                for name, parts in spent.items()
            },
            "plain / ours": round(ratio(taken["plain"], taken["ours"]), 1),
            "tuned / ours": round(ratio(taken["tuned"], taken["ours"]), 1),
            "KerasTuner / ours": round(
                ratio(taken["KerasTuner, pixels"], taken["ours, pixels"]), 1
            ),
        },
    )


if __name__ == "__main__":
    main()
