"""Checkpoints: a training that is cut short goes on from its last finished epoch."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.files import publish_bytes, set_aside

TrainingState = Mapping[str, NDArray[Any]]
"""All that a training needs to go on, by name."""

_DIGEST_BYTES = hashlib.sha256().digest_size
_SECONDS, _KEY = "seconds", "key"


class Checkpoint:
    """The state of one training, in a file that its key names: a SHA-256 and an ``.npz``."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet; the training's seconds count from here."""
        self._path = path
        self._earlier = 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds spent on what is kept of the training, by this process and those before it."""
        return self._earlier + time.perf_counter() - self._began

    def load(self) -> TrainingState | None:
        """The state as it was last saved; None if there is none.

        What is not whole, or was saved by another training, is set aside.
        """
        state = self._read()
        if state is None:
            if self._path.exists():
                set_aside(self._path)
            return None
        self._earlier = float(state.pop(_SECONDS))
        return state

    def _read(self) -> dict[str, NDArray[Any]] | None:
        try:
            content = self._path.read_bytes()
        except OSError:
            return None
        digest, content = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            state = dict(stored)
        key = state.pop(_KEY, None)  # older versions wrote none
        return state if key is None or str(key) == self._path.name else None

    def save(self, state: TrainingState) -> None:
        """Keep a state in place of the one before."""
        content = io.BytesIO()
        known = {_SECONDS: np.array(self.seconds), _KEY: np.array(self._path.name)}
        np.savez(content, allow_pickle=False, **state, **known)
        digest = hashlib.sha256(content.getbuffer()).digest()
        publish_bytes(self._path, digest + content.getvalue())

    def remove(self) -> None:
        """Forget the state: the training is done."""
        self._path.unlink(missing_ok=True)
