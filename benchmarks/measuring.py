"""What all benchmarks share: the machine's facts, alternating rounds, a file of results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

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


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = cpuinfo.partition("model name")[2].partition(":")[2].split("\n")[0].strip()
    flags = cpuinfo.partition("flags")[2].split("\n")[0].split()
    return {
        "cpu": model or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "bf16 units": sorted({"amx_bf16", "avx512_bf16"} & set(flags)),
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
