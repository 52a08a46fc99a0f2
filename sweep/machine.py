"""What this machine has."""

from __future__ import annotations

import os
from pathlib import Path


def available_cores() -> int:
    """Cores of this machine that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_flags() -> frozenset[str]:
    """What the CPU can do, in Linux's words; empty where the system does not say."""
    try:
        return frozenset(
            Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
        )
    except OSError:
        return frozenset()
