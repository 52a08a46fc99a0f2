"""Checking a machine: versions, processor, graphics card, memory, limits, and what is set."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from sweep.data.datasets import keras_home
from sweep.doctor.finding import Finding
from sweep.evaluation.numerics import unheeded, unheeded_settings
from sweep.machine import available_cores, cpu_flags, early_variables

_DISTRIBUTION = "latent-sweep"
_SHOWN = ("tensorflow", "keras", "optuna", "mlflow", "numpy", "scikit-learn")
# The peak of a worker on all of MNIST, most of it TensorFlow and the images.
_WORKER_BYTES = 1.5e9
_LEAST_FILES = 256
_LEAST_THREADS = 100
"""What each worker, and the command itself, may begin; Linux counts threads as processes."""
_LEAST_SHARED = 1e6


def machine() -> Iterator[Finding]:
    """Look at the machine, one finding after the other."""
    yield _versions()
    yield _cpu()
    yield _gpu()
    yield _memory()
    yield _limits()
    yield _shared_memory()
    yield _numbers()


def _versions() -> Finding:
    def version(name: str) -> str:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return "missing"

    wrong = [
        f"{requirement.name} {version(requirement.name)}, where {requirement.specifier} is needed"
        for requirement in map(Requirement, metadata.requires(_DISTRIBUTION) or ())
        if (requirement.marker is None or requirement.marker.evaluate({"extra": ""}))
        and not (
            version(requirement.name) != "missing"
            and requirement.specifier.contains(version(requirement.name), prereleases=True)
        )
    ]
    pythons = SpecifierSet(metadata.metadata(_DISTRIBUTION)["Requires-Python"])
    if not pythons.contains(platform.python_version()):
        wrong.append(f"Python {platform.python_version()}, where {pythons} is needed")
    if wrong:
        return Finding("versions", "problem", "; ".join(wrong), "uv sync")
    shown = ", ".join(f"{name} {version(name)}" for name in _SHOWN)
    ours = f"sweep {version(_DISTRIBUTION)}, Python {platform.python_version()}"
    return Finding("versions", "ok", f"{ours}, {shown}")


def _cpu() -> Finding:
    cores = f"{available_cores()} cores"
    flags = cpu_flags()
    if not flags:
        return Finding("cpu", "ok", f"{cores} ({platform.machine()})")
    known = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 bf16"}
    known["amx_bf16"] = "AMX bf16"
    has = [title for flag, title in known.items() if flag in flags]
    if platform.machine() == "x86_64" and "avx2" not in flags:
        mend = "another machine trains several times as fast"
        return Finding("cpu", "warning", f"{cores} without AVX2", mend)
    return Finding("cpu", "ok", ", ".join([cores, *has]))


def _gpu() -> Finding:
    cards = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    texts = (card.read_text(encoding="utf-8") for card in cards)
    models = [text.partition("Model:")[2].split("\n")[0].strip() for text in texts]
    return Finding("gpu", "ok", ", ".join(models) or "none; training is on the CPU")


def _numbers() -> Finding:
    """What users have set that changes numbers, or would if it were heeded."""
    ignored = unheeded()
    if settings := unheeded_settings():
        ignored.append(f"{keras_home() / 'keras.json'} ({', '.join(settings)})")
    unheard = f"workers do not heed {', '.join(ignored)}"
    set_early = [f"{name}={value}" for name, value in early_variables().items()]
    if set_early:
        found = f"{', '.join(set_early)} may change their last digits, and acts before we begin"
        found += f"; {unheard}" if ignored else ""
        return Finding("numbers", "warning", found, "unset it where results are compared")
    return Finding("numbers", "ok", unheard if ignored else "nothing is set that changes them")


def _memory() -> Finding:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    if not kilobytes:
        return Finding("memory", "ok", "not known on this system")
    available = 1024 * kilobytes[0]
    workers = int(available // _WORKER_BYTES)
    found = f"{available / 1e9:.1f} GB available"
    if workers < available_cores():
        mend = f"--workers {max(1, workers)}: each worker takes up to {_WORKER_BYTES / 1e9:g} GB"
        return Finding("memory", "warning", f"{found} for {available_cores()} workers", mend)
    return Finding("memory", "ok", found)


def _limits() -> Finding:
    """How many files and processes the system gives: with few, commands end in the middle."""
    least = {"files": _LEAST_FILES, "processes": _LEAST_THREADS * (available_cores() + 1)}
    numbers = {"files": resource.RLIMIT_NOFILE, "processes": resource.RLIMIT_NPROC}
    limits = {name: resource.getrlimit(number)[0] for name, number in numbers.items()}
    shown = {name: "any number of" if n == resource.RLIM_INFINITY else f"{n:,}"
             for name, n in limits.items()}  # fmt: skip
    low = [n for n, limit in limits.items() if limit != resource.RLIM_INFINITY and limit < least[n]]
    found = ", ".join(f"{shown[name]} {name}" for name in low or limits)
    if not low:
        return Finding("limits", "ok", found)
    options = {"files": "ulimit -n", "processes": "ulimit -u"}
    mend = ", ".join(f"{options[name]} {least[name]}" for name in low)
    return Finding(
        "limits", "warning", f"{found} may be open or begun at once", f"raise it: {mend}"
    )


def _shared_memory() -> Finding:
    """Whether there is a place for what processes share."""
    place = Path("/dev/shm")  # noqa: S108  # Linux's own
    mend = f"mount {place} as tmpfs with room in it (in a container: --shm-size)"
    if platform.system() != "Linux":
        return Finding("shared memory", "ok", "not looked at on this system")
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding("shared memory", "problem", f"{place} cannot be written", mend)
    free = shutil.disk_usage(place).free
    if free < _LEAST_SHARED:
        return Finding("shared memory", "problem", f"{place} is full", mend)
    return Finding("shared memory", "ok", f"{free / 1e6:,.0f} MB free in {place}")
