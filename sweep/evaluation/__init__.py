"""From a spec to its result: what a worker does.

Knows TensorFlow (through what it calls) and numpy, and neither Optuna, MLflow nor study configs.
"""

from __future__ import annotations

from sweep.evaluation.kept import kept_assessment
from sweep.evaluation.needs import needs
from sweep.evaluation.results import trial_result
from sweep.evaluation.selection import kept_model
from sweep.evaluation.worker import RESULTS, prepare_worker

__all__ = ["RESULTS", "kept_assessment", "kept_model", "needs", "prepare_worker", "trial_result"]
