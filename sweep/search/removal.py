"""Removing a study from Optuna's storage."""

from __future__ import annotations

import re

from sweep.config import STUDY_NAME
from sweep.errors import UnknownStudyError
from sweep.search.ledger import Ledger
from sweep.search.patience import at_once
from sweep.search.storage import Storage


def check_removable(storage: Storage, name: str) -> None:
    """See that a study is there, and ours: its trials may be damaged.

    Raises:
        UnknownStudyError: there is no study of this name, or another program made it.
        DamagedStorageError: it is not even clear whose it is.
        OutageError: the storage is out of reach.
    """
    if Ledger(storage, name).is_another_program_s or not re.fullmatch(STUDY_NAME, name):
        raise UnknownStudyError(
            f"the study '{name}' was made by another program",
            hint="that one, or Optuna's own command line, can remove it",
        )


def delete_study(storage: Storage, name: str) -> None:
    """Remove a study with its trials.

    Raises:
        UnknownStudyError: there is no study of this name.
        OutageError: the storage is out of reach.
    """
    study_id = Ledger(storage, name).study_id
    at_once(storage, lambda: storage.delete_study(study_id))
