"""The content-addressed store of trained encoders.

An encoder's directory is named by its spec's key, appears whole, and is never trained twice:
whoever trains holds the key's lock, and looks again once the lock is held. A manifest holds the
SHA-256 of every file; an encoder that does not agree with it is set aside and trained again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from sweep.errors import DivergedError
from sweep.home import Home, published_directory, remove_leftovers, set_aside
from sweep.machine import environment
from sweep.representations.checkpoint import Checkpoint
from sweep.results import EncoderHistory, EncoderRecord, Environment
from sweep.specs import EncoderSpec

Training = Callable[[Path, Checkpoint], EncoderHistory]
"""Fills a directory with an encoder."""

_MANIFEST = "manifest.json"
_RECORD = "record.json"


class EncoderStore:
    """The encoders of a home."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def path(self, key: str) -> Path:
        """Where an encoder lies or would lie."""
        return self._home.encoders / key

    def has(self, key: str) -> bool:
        """Whether an encoder has been published; cheap, reads no file."""
        return (self.path(key) / _MANIFEST).exists()

    def record(self, key: str) -> EncoderRecord | None:
        """What is known of a published encoder; None if nothing that can be believed is."""
        try:
            record = EncoderRecord.model_validate_json((self.path(key) / _RECORD).read_bytes())
        except (OSError, ValueError):  # pydantic's errors are ValueErrors
            return None
        return record if record.spec.key == key else None

    def pictures(self, key: str) -> list[Path]:
        """The pictures that were drawn of a published encoder."""
        return sorted(self.path(key).glob("*.png"))

    def get_or_train(self, spec: EncoderSpec, parameters: int, train: Training) -> EncoderRecord:
        """What is known of the encoder; ``train`` fills its directory if it is not there yet.

        Args:
            spec: which encoder.
            parameters: its number of parameters at inference, for its record.
            train: fills the directory it is given, and returns the history; it may keep its state
                in a checkpoint, and go on from what an earlier training has left there.
        """
        path = self.path(spec.key)
        with FileLock(self._home.locks / f"encoder-{spec.key}.lock"):
            if not self.is_intact(spec.key):
                if path.exists():
                    set_aside(path)
                remove_leftovers(path)  # of a training that was killed: the lock is ours now
                with published_directory(path) as directory:
                    checkpoint = self._checkpoint(spec.key)
                    try:
                        history = train(directory, checkpoint)
                    except DivergedError:
                        checkpoint.remove()  # nobody is to go on from there
                        raise
                    seconds, finished = checkpoint.seconds, time.time()
                    record = EncoderRecord(
                        spec=spec,
                        history=history,
                        parameters=parameters,
                        train_seconds=seconds,
                        started_at=int(1000 * (finished - seconds)),
                        finished_at=int(1000 * finished),
                        environment=Environment.model_validate(environment(), strict=False),
                    )
                    (directory / _RECORD).write_text(record.model_dump_json())
                    (directory / _MANIFEST).write_text(json.dumps(_checksums(directory)))
                checkpoint.remove()
            made = self.record(spec.key)
            assert made is not None  # it was intact, or has just been written
            with suppress(OSError):  # as on a disk that cannot be written: it is used all the same
                os.utime(path / _MANIFEST)  # the time of its last use
        return made

    def progress(self, key: str) -> int:
        """A number that changes when a training that goes on keeps more; 0 if nothing is kept."""
        try:
            return (self._home.checkpoints / key).stat().st_mtime_ns
        except OSError:
            return 0

    def list_half_trained(self) -> list[str]:
        """The keys of encoders whose training has left a checkpoint."""
        names = (path.name for path in self._home.checkpoints.glob("[!.]*"))
        return sorted(name for name in names if "." not in name)  # others were set aside

    def list_keys(self) -> list[str]:
        """The keys of all published encoders."""
        return sorted(path.parent.name for path in self._home.encoders.glob(f"[!.]*/{_MANIFEST}"))

    def last_use(self, key: str) -> float:
        """When an encoder was last trained or fetched, in seconds since the epoch."""
        return (self.path(key) / _MANIFEST).stat().st_mtime

    def size(self, key: str) -> int:
        """Bytes that an encoder takes, as far as its directory can be looked at."""
        return sum(file.stat().st_size for file in self.path(key).iterdir() if file.is_file())

    def is_intact(self, key: str) -> bool:
        """Whether a published encoder agrees with its manifest, and is the one of this key."""
        try:
            manifest = json.loads((self.path(key) / _MANIFEST).read_bytes())
            is_whole = bool(manifest == _checksums(self.path(key)))
        except (OSError, ValueError):
            return False
        return is_whole and self.record(key) is not None

    def remove(self, key: str) -> bool:
        """Remove an encoder, however far it is trained; whether it was not in use."""
        return self._clear(key, with_encoder=True)

    def remove_leftovers(self, key: str) -> bool:
        """Remove what trainings of an encoder have left, and damaged ones; not the encoder."""
        return self._clear(key, with_encoder=False)

    def _checkpoint(self, key: str) -> Checkpoint:
        return Checkpoint(self._home.checkpoints / key)

    def _clear(self, key: str, with_encoder: bool) -> bool:
        path = self.path(key)
        try:
            with FileLock(self._home.locks / f"encoder-{key}.lock", blocking=False):
                if with_encoder and path.exists():
                    set_aside(path)  # under another name it is gone at once, or still whole
                if with_encoder:
                    self._checkpoint(key).remove()
                remove_leftovers(path)
                for aside in path.parent.glob(f"{key}.damaged-*"):
                    shutil.rmtree(aside)
        except Timeout:
            return False
        return True


def _checksums(directory: Path) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(directory.iterdir())
        if file.name != _MANIFEST
    }
