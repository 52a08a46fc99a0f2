"""Checking a machine: versions, processor, graphics card, memory."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from sweep.doctor.finding import Finding
from sweep.evaluation.numerics import unheeded
from sweep.machine import available_cores, cpu_flags, early_variables

_DISTRIBUTION = "latent-sweep"
_SHOWN = ("tensorflow", "keras", "optuna", "mlflow", "numpy", "scikit-learn")
# The peak of a worker on all of MNIST, most of it TensorFlow and the images.
_WORKER_BYTES = 1.5e9


def machine() -> Iterator[Finding]:
    """Look at the machine, one finding after the other."""
    yield _versions()
    yield _cpu()
    yield _gpu()
    yield _memory()
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
    """What users have set that changes numbers."""
    set_early = [f"{name}={value}" for name, value in early_variables().items()]
    ignored = unheeded()
    if set_early:
        found = f"{', '.join(set_early)} may change their last digits, and acts before we begin"
        return Finding("numbers", "warning", found, "unset it where results are compared")
    if ignored:
        found = f"workers do not heed {', '.join(ignored)}"
        return Finding("numbers", "ok", found)
    return Finding("numbers", "ok", "nothing is set that changes them")


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
