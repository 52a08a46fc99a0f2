"""Whose a study in Optuna's storage is: other programs may keep theirs in the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.study import StudyDirection

from sweep.search.seals import is_sealed

CONFIG, DATA = "config", "data"
"""Names of the attributes that a study of ours is given as it is created, the config last."""

_MOST_OBJECTIVES = 3


def has_config(attributes: Mapping[str, Any]) -> bool:
    """Whether a study's attributes have a config of ours, be it damaged.

    Older versions sealed nothing; theirs is known by what every config has.
    """
    config = attributes.get(CONFIG)
    return is_sealed(config) or (isinstance(config, dict) and "representations" in config)


def may_be_ours(
    attributes: Mapping[str, Any], directions: Sequence[StudyDirection], n_trials: int
) -> bool:
    """Whether a study has our config; or nothing that we would not have written before it.

    Args:
        attributes: the user attributes of the study, as they are stored.
        directions: of its objectives.
        n_trials: how many trials it has.
    """
    if has_config(attributes):
        return True
    data = attributes.get(DATA)
    return (
        n_trials == 0
        and attributes.keys() <= {DATA}
        and (data is None or is_sealed(data))
        and len(directions) <= _MOST_OBJECTIVES
        and directions.count(StudyDirection.MAXIMIZE) <= 1  # only accuracy is to grow
    )
