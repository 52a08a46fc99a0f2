"""The memory that a worker takes.

    SWEEP_DATA_DIR=... uv run python -m benchmarks.memory

Follows a process through 200 trials of pixel classifiers on all of MNIST: once with 20 sizes that
come again and again, which would show a leak, and once with a size of its own for each, which shows
what compiled programs take. Besides TensorFlow's files, which all workers share, and which count in
the peak alone.
"""

from __future__ import annotations

import multiprocessing
import re
import tempfile
from itertools import islice
from pathlib import Path

from benchmarks.measuring import mnist, options, publish
from benchmarks.workers import specs
from sweep.data.datasets import DatasetSource
from sweep.evaluation import prepare_worker
from sweep.home import Home
from sweep.specs import DrawSpec

TRIALS, EARLY = 200, 20


def memory(directory: Path, source: DatasetSource, sizes: int) -> dict[str, float]:
    """GB of a worker's process along its trials, of so many sizes; in a home of its own."""
    home = Home.at(directory / f"{sizes}-sizes")
    home.create()
    work = prepare_worker(home, source, 1)
    found = {}
    for number, spec in enumerate(islice(specs("pixels", 1, source.load().sha256), TRIALS)):
        changes = {
            "hidden_neurons": 10 + 37 * (number % sizes) % 300,
            "classifier": spec.trial.classifier.model_copy(update={"epochs": 1}),
            "labels_from": "classifier",
        }
        draw = DrawSpec(trial=spec.trial.model_copy(update=changes), draw=0)
        work(draw.model_dump_json(), lambda _: None)
        if number + 1 in (1, EARLY, TRIALS // 2, TRIALS):
            found[f"after {number + 1} trials"] = gigabytes("RssAnon")
    return found | {"peak, with TensorFlow's files": gigabytes("VmHWM")}


def gigabytes(name: str) -> float:
    """A figure of this process, as Linux has it."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return round(int(found[1]) / 1e6, 2)


def main() -> None:
    options(__doc__)
    source = mnist()
    with (
        tempfile.TemporaryDirectory() as directory,
        multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool,
    ):
        figures = {
            f"GB with {sizes} sizes": pool.apply(memory, (Path(directory), source, sizes))
            for sizes in (EARLY, TRIALS)
        }
    publish("memory", {"trials": TRIALS, **figures})


if __name__ == "__main__":
    main()
