"""What this machine has."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = ("latent-sweep", "tensorflow", "keras", "optuna", "mlflow", "numpy", "scikit-learn")
_FROM_THE_START = (
    *("LD_PRELOAD", "GLIBC_TUNABLES", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES"),
    *("OPENBLAS_CORETYPE", "MKL_CBWR", "MKL_DEBUG_CPU_TYPE"),
)
"""Variables that may change numbers, and act before Python begins or as soon as NumPy is there."""


def available_cores() -> int:
    """Cores of this machine that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_flags() -> frozenset[str]:
    """What the CPU can do, in Linux's words; empty where the system does not say."""
    try:
        return frozenset(
            Path("/proc/cpuinfo")
            .read_text(encoding="utf-8")
            .partition("flags")[2]
            .partition("\n")[0]
            .split()
        )
    except OSError:
        return frozenset()


def cpu_model() -> str:
    """The CPU's name, or its architecture where the system does not say."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        cpuinfo = ""
    model = cpuinfo.partition("model name")[2].partition(":")[2].partition("\n")[0].strip()
    return model or platform.machine()


def early_variables() -> dict[str, str]:
    """Variables that are set, may change numbers, and cannot be taken back."""
    return {name: os.environ[name] for name in _FROM_THE_START if name in os.environ}


def environment() -> dict[str, Any]:
    """What numbers may depend on that no config says, as JSON."""
    return {
        "cpu": cpu_model(),
        "cores": available_cores(),
        "bf16_units": sorted({"amx_bf16", "avx512_bf16"} & cpu_flags()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "git_revision": _git_revision(),
        "variables": early_variables(),
    }


def _git_revision() -> str | None:
    """The commit of this code, with "+" if it was changed since; None outside of a clone."""
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(  # noqa: S603  # nothing in it comes from outside
            command, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "sweep")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):  # no git, or a clone of another user
        return None
