"""The home's stock of trained encoders: which studies need them, and removing the others."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sweep.coordinator.inspect import open_study, study_list
from sweep.errors import UnknownStudyError
from sweep.home import Home, leftovers
from sweep.representations import REPRESENTATIONS
from sweep.representations.store import EncoderStore
from sweep.specs import EncoderSpec
from sweep.values import KEY_LENGTH

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


def stock(home: Home, storage_url: str) -> list[StoredEncoder]:
    """All trained encoders, the one used last first.

    Raises:
        HomeError: the studies' storage cannot be opened.
    """
    needed = _needed(home, storage_url)
    store = EncoderStore(home)
    found = [
        StoredEncoder(
            key,
            record.spec,
            store.size(key),
            store.last_use(key),
            tuple(needed.get(key, ())),
        )
        for key in store.list_keys()
        if (record := store.record(key))  # doctor names those that are damaged
    ]
    return sorted(found, key=lambda encoder: -encoder.last_use)


def abandoned(home: Home, storage_url: str) -> list[str]:
    """Keys of the half-trained encoders that no study needs.

    Raises:
        HomeError: the studies' storage cannot be opened.
    """
    needed = _needed(home, storage_url)
    return [key for key in EncoderStore(home).list_half_trained() if key not in needed]


def _needed(home: Home, storage_url: str) -> dict[str, list[str]]:
    """The studies that need an encoder, by its key."""
    needed: dict[str, list[str]] = {}
    for study in study_list(home, storage_url):
        try:
            stored = open_study(home, storage_url, study)
        except UnknownStudyError:
            continue  # its creation was cut short, or another program made it
        rows = [stored.config.trial_spec(row, stored.data.sha256) for row in stored.config.cells]
        specs = [attempt.spec for attempt in stored.attempts] + rows
        keys = {
            spec.encoder(draw).key
            for spec in specs
            if REPRESENTATIONS[spec.representation.name].is_trained
            for draw in range(spec.draws)
        }
        for key in keys:
            needed.setdefault(key, []).append(study)
    return needed


def prune(home: Home, keys: Iterable[str]) -> int:
    """Remove encoders, and what interrupted writes have left; how many encoders were removed.

    What a worker holds at this moment is left alone.
    """
    store = EncoderStore(home)
    removed = sum(store.remove(key) for key in keys)
    for path in leftovers(home):
        if path.parent == home.encoders:
            store.remove_leftovers(path.name.removeprefix(".")[:KEY_LENGTH])
        elif path.stat().st_mtime < time.time() - _WRITING_SECONDS:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return removed
