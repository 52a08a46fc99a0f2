"""What all benchmarks share: the machine's facts, alternating rounds, a file of results."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from sweep.data.datasets import DatasetSource
from sweep.machine import available_cores, cpu_flags, cpu_model
from sweep.workspace import Workspace

RESULTS = Path(__file__).parents[1] / "results" / "benchmarks"


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def alternate(
    contenders: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Wall seconds of each contender in each round; they take turns, and so see the same noise."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            taken[name].append(seconds(work))
    return taken


def ratio(slow: list[float], fast: list[float]) -> float:
    """The median, over the rounds, of how many times as long ``slow`` took."""
    return statistics.median(s / f for s, f in zip(slow, fast, strict=True))


def options(about: str, **defaults: int) -> argparse.Namespace:
    """A benchmark's options, all of them numbers; ``about`` is its docstring."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def mnist() -> DatasetSource:
    """All of MNIST, from where a study would take it."""
    return DatasetSource.of("mnist", Workspace.at(Path("runs")).data)


def set_threads(threads: int) -> None:
    """Set TensorFlow's threads as a worker does."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": cpu_model(),
        "cores": available_cores(),
        "bf16 units": sorted({"amx_bf16", "avx512_bf16"} & cpu_flags()),
        **{name: metadata.version(name) for name in ("tensorflow", "keras", "optuna", "mlflow")},
    }


def publish(name: str, figures: Mapping[str, Any]) -> None:
    """Print a benchmark's figures as JSON, and keep them in ``results/benchmarks``."""
    content = json.dumps(
        {"benchmark": name, "date": time.strftime("%Y-%m-%d"), "machine": machine(), **figures},
        indent=2,
    )
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(content + "\n")
    print(content)
