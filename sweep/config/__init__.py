"""The study config: what a user writes, checked and frozen.

Reading a config imports neither TensorFlow, Optuna nor MLflow.
"""

from __future__ import annotations

from sweep.config.blocks import Cell
from sweep.config.dimensions import LAST, Choices, Dimension, Range
from sweep.config.loading import load_config, overridden, parse_config
from sweep.config.model import ALL_LABELS, STUDY_NAME, THREADS_PER_TASK, StudyConfig
from sweep.config.space import Space

__all__ = [
    "ALL_LABELS",
    "LAST",
    "STUDY_NAME",
    "THREADS_PER_TASK",
    "Cell",
    "Choices",
    "Dimension",
    "Range",
    "Space",
    "StudyConfig",
    "load_config",
    "overridden",
    "parse_config",
]
