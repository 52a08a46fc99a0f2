"""Whether a study may go on with a config.

It may gain trials, rows, and draws that confirm what it selects; nothing else may change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweep.config import StudyConfig
from sweep.errors import StudyChangedError, UnknownStudyError
from sweep.results import DataFacts
from sweep.search.ledger import Ledger
from sweep.search.space import directions
from sweep.search.storage import Storage


def check_study(
    storage: Storage | None, config: StudyConfig, data: DataFacts | None
) -> StudyConfig:
    """See that a study can begin or go on with a config; writes nothing.

    Args:
        storage: Optuna's storage; None if there is none yet.
        config: the config of this run.
        data: the dataset's facts; None if they are not known yet.

    Returns:
        The config with all decided that it leaves to us.

    Raises:
        StudyChangedError: the study was run with another config or other data, or another program
            made it.
        DamagedStorageError: something of it is not what was written.
    """
    if storage is None:
        return config.settled(None)
    try:
        ledger = Ledger(storage, config.name)
    except UnknownStudyError:
        return config.settled(None)
    settled = continued(config, ledger, data)
    for read in (
        *(ledger.attempts, lambda: ledger.encoders, lambda: ledger.assessments),
        *(lambda: ledger.environments, lambda: ledger.retried, lambda: ledger.confirmations),
    ):
        read()  # refuses what is damaged
    return settled


def continued(config: StudyConfig, ledger: Ledger, data: DataFacts | None) -> StudyConfig:
    """The config that a study goes on with, with all decided that it leaves to us.

    Args:
        config: the config of this run.
        ledger: the study's.
        data: the dataset's facts; None if they are not known yet.

    Raises:
        StudyChangedError: the study was run with another config or other data, or another program
            made it.
    """
    if ledger.is_another_program_s:
        raise StudyChangedError(
            f"the storage has a study '{config.name}' that another program made",
            hint="give this one a name of its own (--set name=...)",
        )
    before = ledger.config
    config = config.settled(before)
    if before is None:
        if ledger.directions != directions(config):
            raise StudyChangedError(
                f"the storage has a study '{config.name}' with other objectives and without a "
                "config: another program made it, or its creation was cut short",
                hint="give this one a name of its own (--set name=...); if the other is yours, "
                f"remove it first: sweep remove {config.name}",
            )
        return config
    changes = _forbidden_changes(before, config.identity)
    if data is not None and ledger.data is not None and ledger.data.sha256 != data.sha256:
        changes.append(f"the dataset's content: sha256 {ledger.data.sha256} became {data.sha256}")
    if changes:
        listed = "\n".join(f"  {change}" for change in changes)
        raise StudyChangedError(
            f"the study '{config.name}' was run with another config:\n{listed}",
            hint="undo the change, or give the new study a name of its own (--set name=...)",
        )
    return config


def _forbidden_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What changed, but for trials, rows and confirming draws that were added."""
    before, after = _flat(old), _flat(new)
    changes = []
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        if path == "rows" and _adds_rows(was or [], now or []):
            continue
        if path.startswith("confirm.") and not any(each.startswith("confirm.") for each in before):
            continue
        if path.endswith(".trials") and (now or 0) >= (was or 0):
            continue
        changes.append(f"{path}: {_shown(was)} became {_shown(now)}")
    if old["rows"] and not _searches(before) and _searches(after):
        changes.append(
            "a search was added to rows that are scored on the test partition; it would be "
            "scored on the validation partition"
        )
    return changes


def _adds_rows(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the old rows are among the new ones; what a row leaves out is None."""
    there = [_flat(row) for row in new]
    return all(any(_same(_flat(row), other) for other in there) for row in old)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in one.keys() | other.keys())


def _searches(flat: Mapping[str, Any]) -> bool:
    return any(value for path, value in flat.items() if path.endswith(".trials"))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _shown(value: Any) -> str:
    return "(not set)" if value is None else str(value)
