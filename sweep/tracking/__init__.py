"""MLflow's home: what it shows of a study, and how to get there.

Importing this package does not import MLflow; opening a tracker does.
"""

from __future__ import annotations

from sweep.tracking.looking import find_trial_run_ids
from sweep.tracking.removal import remove_experiment
from sweep.tracking.runs import Identity, Run, RunStatus
from sweep.tracking.tracker import Tracker

__all__ = [
    "Identity",
    "Run",
    "RunStatus",
    "Tracker",
    "find_trial_run_ids",
    "remove_experiment",
]
