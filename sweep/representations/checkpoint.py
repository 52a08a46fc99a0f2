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

from sweep.home import publish_bytes

State = Mapping[str, NDArray[Any]]
"""All that a training needs to go on, by name."""

_DIGEST_BYTES = hashlib.sha256().digest_size
_SECONDS = "seconds"


class Checkpoint:
    """The state of one training, in one file: a SHA-256 and an ``.npz``."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet; the training's seconds count from here."""
        self._path = path
        self._earlier = 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds spent on what is kept of the training, by this process and those before it."""
        return self._earlier + time.perf_counter() - self._began

    def load(self) -> State | None:
        """The state as it was last saved; None if there is none, or not whole."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        digest, content = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            state = dict(stored)
        self._earlier = float(state.pop(_SECONDS))
        return state

    def save(self, state: State) -> None:
        """Keep a state in place of the one before."""
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **state, **{_SECONDS: np.array(self.seconds)})
        digest = hashlib.sha256(content.getbuffer()).digest()
        publish_bytes(self._path, digest + content.getvalue())

    def remove(self) -> None:
        """Forget the state: the training is done."""
        self._path.unlink(missing_ok=True)
