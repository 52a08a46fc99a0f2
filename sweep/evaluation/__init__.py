"""From a spec to its result: what a worker does.

Knows TensorFlow (through what it calls) and numpy, and neither Optuna, MLflow nor study configs.
"""

from __future__ import annotations

from sweep.evaluation.trial_result import trial_result
from sweep.evaluation.worker import RESULTS, prepare_worker

__all__ = ["RESULTS", "prepare_worker", "trial_result"]
