"""The home's stock of trained encoders: which studies need them, and removing the others."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from sweep.coordinator.studies import open_study, study_list
from sweep.errors import UnknownStudyError
from sweep.specs import EncoderSpec
from sweep.values import KEY_LENGTH
from sweep.workspace import Workspace

_WRITING_SECONDS = 3600.0  # a write that is younger may still be going on


@dataclass(frozen=True)
class StoredEncoder:
    """One trained encoder of the home."""

    key: str
    spec: EncoderSpec
    size: int
    """Bytes."""
    last_use: float
    """Seconds since the epoch."""
    studies: tuple[str, ...]
    """The studies that need it."""


@dataclass(frozen=True)
class Pruned:
    """What was removed."""

    encoders: tuple[str, ...]
    """Their keys."""
    leftovers: int


def stock(workspace: Workspace) -> list[StoredEncoder]:
    """All trained encoders, the one used last first.

    Raises:
        HomeError: the studies' storage cannot be opened.
    """
    needed = _needed(workspace)
    encoders = workspace.store.encoders
    found = [
        StoredEncoder(
            key,
            record.spec,
            encoders.size(key),
            encoders.last_use(key),
            tuple(needed.get(key, ())),
        )
        for key in encoders.published()
        if (record := encoders.record(key))  # doctor names those that are damaged
    ]
    return sorted(found, key=lambda encoder: -encoder.last_use)


def _needed(workspace: Workspace) -> dict[str, list[str]]:
    """The studies that need an encoder, by its key."""
    needed: dict[str, list[str]] = {}
    for study in study_list(workspace):
        try:
            stored = open_study(workspace, study)
        except UnknownStudyError:
            continue  # its creation was cut short, or another program made it
        rows = [stored.config.trial_spec(row, stored.data.sha256) for row in stored.config.cells]
        specs = [attempt.spec for attempt in stored.attempts] + rows
        if stored.config.confirm is not None:  # whatever of it may be selected, and confirmed
            specs += [stored.config.confirming_spec(spec) for spec in specs]
        for key in {encoder.key for spec in specs for encoder in spec.encoders}:
            needed.setdefault(key, []).append(study)
    return needed


def unneeded(workspace: Workspace) -> set[str]:
    """Keys of the encoders that no study needs, however far they are trained.

    Raises:
        HomeError: the studies' storage cannot be opened.
    """
    store = workspace.store
    return {*store.encoders.published(), *store.half_trained()} - _needed(workspace).keys()


def leftovers(workspace: Workspace) -> list[Path]:
    """What interrupted writes have left, and what was set aside as damaged, as far as it may go:
    all that lies at encoders, which have locks, and elsewhere what is old.
    """
    oldest = time.time() - _WRITING_SECONDS
    return [
        path
        for path in workspace.store.leftovers()
        if path.parent == workspace.home.encoders or path.stat().st_mtime < oldest
    ]


def prune(workspace: Workspace) -> Pruned:
    """Remove the encoders that no study needs, and the leftovers.

    What is needed is decided when nobody can come to need more of it; what a worker holds at this
    moment is left alone.

    Raises:
        HomeError: the studies' storage cannot be opened.
    """
    store = workspace.store
    left = leftovers(workspace)
    removed = store.remove_encoders(unneeded(workspace), lambda: _needed(workspace).keys())
    for path in left:
        if path.parent == workspace.home.encoders:
            store.encoders.remove_leftovers(path.name.removeprefix(".")[:KEY_LENGTH])
        elif path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Pruned(tuple(removed), sum(not path.exists() for path in left))
