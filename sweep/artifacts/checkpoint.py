"""Checkpoints: a training that is cut short goes on from its last finished epoch."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.files import publish_bytes, set_aside
from sweep.results import EncoderHistory

TrainingState = Mapping[str, NDArray[Any]]
"""All that a training needs to go on, by name."""

_DIGEST_BYTES = hashlib.sha256().digest_size
_SECONDS, _KEY, _HISTORY = "seconds", "key", "history"


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
        state.pop(_HISTORY, None)
        return state

    def history(self) -> EncoderHistory | None:
        """The history so far, for those who watch; None if there is none that can be read.

        Reads that alone, however large the state is, and its CRC-32 is checked. Versions that did
        not save it have left none.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(_DIGEST_BYTES)
                with np.load(file, allow_pickle=False) as stored:
                    if str(stored[_KEY]) != self._path.name:
                        return None
                    curves = json.loads(bytes(stored[_HISTORY]))
            return {name: tuple(map(float, values)) for name, values in curves.items()}
        except Exception:  # whatever a file raises that is none of ours, or damaged
            return None

    def _read(self) -> dict[str, NDArray[Any]] | None:
        try:
            content = self._path.read_bytes()
        except OSError:
            return None
        return self._state(content)

    def agrees(self, content: bytes) -> bool:
        """Whether the content of a file is whole, and of this training."""
        return self._state(content) is not None

    def _state(self, content: bytes) -> dict[str, NDArray[Any]] | None:
        digest, content = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            state = dict(stored)
        key = state.pop(_KEY, None)  # older versions wrote none
        return state if key is None or str(key) == self._path.name else None

    def save(self, state: TrainingState, history: EncoderHistory) -> None:
        """Keep a state in place of the one before, with the history of the epochs so far."""
        content = io.BytesIO()
        known = {
            _SECONDS: np.array(self.seconds),
            _KEY: np.array(self._path.name),
            _HISTORY: np.frombuffer(json.dumps(history).encode(), np.uint8),
        }
        np.savez(content, allow_pickle=False, **state, **known)
        digest = hashlib.sha256(content.getbuffer()).digest()
        publish_bytes(self._path, digest + content.getvalue())

    def remove(self) -> None:
        """Forget the state: the training is done."""
        self._path.unlink(missing_ok=True)
