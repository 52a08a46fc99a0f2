"""MLflow's home: what it shows of a study, and how to get there.

Importing this package does not import MLflow; opening a tracker does.
"""

from __future__ import annotations

from sweep.tracking.removal import remove_experiment
from sweep.tracking.tracker import Run, RunStatus, Tracker, find_trial_run_ids

__all__ = ["Run", "RunStatus", "Tracker", "find_trial_run_ids", "remove_experiment"]
