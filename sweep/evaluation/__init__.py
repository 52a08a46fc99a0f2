"""From a spec to its result: what a worker does.

Knows TensorFlow (through what it calls) and numpy, and neither Optuna, MLflow nor study configs.
"""

from __future__ import annotations

from sweep.evaluation.selection import kept_assessment, kept_model
from sweep.evaluation.worker import SPEC, prepare_worker

__all__ = ["SPEC", "kept_assessment", "kept_model", "prepare_worker"]
