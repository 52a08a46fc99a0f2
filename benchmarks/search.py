"""A whole search beside what a user's own script takes, as commands in processes of their own.

    uv run --with keras-tuner python -m benchmarks.search [--trials 100] [--rounds 1]

VAE-latent trials over five latent dimensions on 5,000 digits, one classifier each, the same epochs
for all; and as many trials of the pixel classifier, beside KerasTuner. See benchmarks/peers.py for
what the peers do and leave out. Every command starts from nothing: imports, compilation and
databases are in its time.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import alternate, options, publish, ratio

LATENTS, PIXELS = (Path(__file__).with_name(name) for name in ("search.yaml", "pixels.yaml"))


def command(*arguments: object) -> Callable[[], object]:
    """Runs a Python module with a new directory as its ``--home``."""

    def run() -> None:
        with tempfile.TemporaryDirectory() as directory:
            words = [sys.executable, "-m", *map(str, arguments), "--home", f"{directory}/home"]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr

    return run


def main() -> None:
    chosen = options(__doc__, trials=100, rounds=1)
    trials = ("--trials", chosen.trials)
    taken = alternate(
        {
            "ours": command("sweep", "run", LATENTS, *trials),
            "plain": command("benchmarks.peers", "plain", *trials),
            "tuned": command("benchmarks.peers", "tuned", *trials),
            "ours, pixels": command("sweep", "run", PIXELS, *trials),
            "KerasTuner, pixels": command("benchmarks.peers", "keras-tuner", *trials),
        },
        chosen.rounds,
    )
    publish(
        "search",
        {
            "trials": chosen.trials,
            "rounds": chosen.rounds,
            "threads": "ours: 2 workers of 1; peers: TensorFlow's own choice, all cores",
            "seconds": {name: round(statistics.median(each)) for name, each in taken.items()},
            "plain / ours": round(ratio(taken["plain"], taken["ours"]), 1),
            "tuned / ours": round(ratio(taken["tuned"], taken["ours"]), 1),
            "KerasTuner / ours": round(
                ratio(taken["KerasTuner, pixels"], taken["ours, pixels"]), 1
            ),
        },
    )


if __name__ == "__main__":
    main()
