"""The two forms in which a home keeps things by content: single files, and directories."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import Timeout

from sweep.files import (
    checksum,
    publish_bytes,
    published_directory,
    remove_leftovers,
    set_aside,
)
from sweep.home import locked
from sweep.results import Assessment, DrawResult, EncoderRecord, ModelRecord
from sweep.specs import AssessmentSpec, DrawSpec, EncoderSpec, ModelSpec
from sweep.values import json_checksum

FileSpec = TypeVar("FileSpec", DrawSpec, AssessmentSpec)
FileResult = TypeVar("FileResult", DrawResult, Assessment)
DirectorySpec = TypeVar("DirectorySpec", EncoderSpec, ModelSpec)
Record = TypeVar("Record", EncoderRecord, ModelRecord)

_CHECKSUM, _RESULT = "sha256", "result"
_MANIFEST, _RECORD = "manifest.json", "record.json"
_HELD_AT_ONCE = 100
"""Locks, each of which is an open file."""


class Files(Generic[FileSpec, FileResult]):
    """Results, a file each: ``<key>.json`` holds the result and the SHA-256 of it.

    Files of versions that wrote no checksum hold the result alone; they are checked as far as they
    can be.
    """

    def __init__(
        self,
        place: Path,
        result: type[FileResult],
        answers: Callable[[FileSpec, FileResult], bool],
    ) -> None:
        """Nothing is read yet.

        Args:
            place: the directory of the files.
            result: what each of them holds.
            answers: whether a result may be that of a spec.
        """
        self._place = place
        self._type: type[FileResult] = result
        self._answers: Callable[[FileSpec, FileResult], bool] = answers

    def path(self, key: str) -> Path:
        """Where a result lies or would lie."""
        return self._place / f"{key}.json"

    def get(self, spec: FileSpec) -> FileResult | None:
        """What is kept of a spec; None if there is nothing that can be believed."""
        result, is_sealed = self._read(self._content(spec.key))
        return result if result and is_sealed and self._answers(spec, result) else None

    def claimed(self, spec: FileSpec) -> FileResult | None:
        """What a file says of a spec, believable or not: to show what is wrong with it.

        None for a file that is no result at all.
        """
        return self._read(self._content(spec.key))[0]

    def agrees(self, key: str, content: bytes) -> bool:
        """Whether the content of a file is whole, and of this key."""
        result, is_sealed = self._read(content)
        return result is not None and is_sealed and result.key == key

    def damaged(self) -> list[Path]:
        """The files that are not whole, or are not what their names say."""
        files = sorted(self._place.glob("[!.]*.json"))
        return [file for file in files if not self.agrees(file.stem, self._content(file.stem))]

    def _content(self, key: str) -> bytes:
        """The content of a file; nothing where it cannot be read."""
        try:
            return self.path(key).read_bytes()
        except OSError:
            return b""

    def _read(self, file: bytes) -> tuple[FileResult | None, bool]:
        """What a file holds, and whether it is what was written, as far as it says."""
        try:
            content, is_sealed = json.loads(file), True
            if isinstance(content, dict) and _CHECKSUM in content:
                is_sealed = content[_CHECKSUM] == json_checksum(content.get(_RESULT))
                content = content.get(_RESULT)
            return self._type.model_validate(content, strict=False), is_sealed
        except (ValueError, RecursionError):  # pydantic's errors are ValueErrors
            return None, False

    def keep(self, spec: FileSpec, result: FileResult) -> None:
        """Keep a result, in place of what cannot be believed; nothing else is replaced.

        Two studies may have made it at once: the first one's stays, and is as good.
        """
        if self.get(spec) is not None:
            return
        path, content = self.path(spec.key), result.model_dump(mode="json")
        with suppress(FileNotFoundError):  # there is none, or another process was quicker
            set_aside(path)
        document = {_CHECKSUM: json_checksum(content), _RESULT: content}
        publish_bytes(path, json.dumps(document).encode())

    def get_or_make(self, spec: FileSpec, make: Callable[[], FileResult]) -> FileResult:
        """What is kept of a spec; it is made if there is nothing that can be believed."""
        result = self.get(spec)
        if result is None:
            result = make()
            self.keep(spec, result)
        return result


class Directories(Generic[DirectorySpec, Record]):
    """Directories, each with a record of what it holds and a manifest of every file's SHA-256.

    Whoever makes one holds its key's lock, and looks again once the lock is held: nothing is made
    twice, whoever wants it. One that does not agree with its manifest is set aside and made again.
    """

    def __init__(self, place: Path, locks: Path, kind: str, record: type[Record]) -> None:
        """Nothing is read yet.

        Args:
            place: the directory of the directories.
            locks: the directory of their locks.
            kind: as in the locks' names.
            record: what their records are.
        """
        self._place = place
        self._locks = locks
        self._kind = kind
        self._type: type[Record] = record

    def path(self, key: str) -> Path:
        """Where the directory of a key lies or would lie."""
        return self._place / key

    def has(self, key: str) -> bool:
        """Whether one has been published; cheap, reads no file."""
        return (self.path(key) / _MANIFEST).exists()

    def record(self, key: str) -> Record | None:
        """What is known of a published one; None if nothing that can be believed is.

        The other files are not looked at: they may be large.
        """
        try:
            content = (self.path(key) / _RECORD).read_bytes()
            manifest = _manifest_in({_MANIFEST: (self.path(key) / _MANIFEST).read_bytes()})
            if manifest.get(_RECORD) != checksum(content):
                return None
            record = self._type.model_validate_json(content)
        except (OSError, ValueError):  # pydantic's errors are ValueErrors
            return None
        return record if record.spec.key == key else None

    def is_whole(self, key: str) -> bool:
        """Whether a published one agrees with its manifest in every file, and is of this key."""
        try:
            files = {file.name: file.read_bytes() for file in self.path(key).iterdir()}
        except OSError:
            return False
        return self.agrees(key, files)

    def agrees(self, key: str, files: Mapping[str, bytes]) -> bool:
        """Whether files, by their names, agree with the manifest among them, and are of a key."""
        try:
            if _manifest_in(files) != _checksums(files):
                return False
            record = self._type.model_validate_json(files[_RECORD])
        except (KeyError, ValueError):  # pydantic's errors are ValueErrors
            return False
        return record.spec.key == key

    def get_or_make(self, spec: DirectorySpec, make: Callable[[Path], Record]) -> Record:
        """What is known of a spec's directory; ``make`` fills it if there is none that is whole.

        Args:
            spec: which.
            make: is given an empty directory to fill, and returns the record of it.
        """
        path = self.path(spec.key)
        with locked(self.lock(spec.key)):
            if not self.is_whole(spec.key):
                if path.exists():
                    set_aside(path)
                remove_leftovers(path)  # of a making that was killed: the lock is ours now
                with published_directory(path) as directory:
                    made = make(directory)
                    (directory / _RECORD).write_bytes(made.model_dump_json().encode())
                    files = {file.name: file.read_bytes() for file in directory.iterdir()}
                    (directory / _MANIFEST).write_bytes(json.dumps(_checksums(files)).encode())
            record = self.record(spec.key)
            assert record is not None  # it was whole, or has just been written
            with suppress(OSError):  # as on a disk that cannot be written: it is used all the same
                os.utime(path / _MANIFEST)  # the time of its last use
        return record

    def published(self) -> list[str]:
        """The keys of all published ones."""
        return sorted(path.parent.name for path in self._place.glob(f"[!.]*/{_MANIFEST}"))

    def last_use(self, key: str) -> float:
        """When one was last made or fetched, in seconds since the epoch."""
        return (self.path(key) / _MANIFEST).stat().st_mtime

    def size(self, key: str) -> int:
        """Bytes that one takes, as far as its directory can be looked at."""
        return sum(file.stat().st_size for file in self.path(key).iterdir() if file.is_file())

    def remove_unless(
        self, keys: Iterable[str], needed: Callable[[], Collection[str]]
    ) -> list[str]:
        """Remove those that nobody makes or takes at this moment, and nobody needs.

        Args:
            keys: which.
            needed: the keys that are needed; asked when the locks are held, so that whoever comes
                to need one after that waits, and finds it gone.

        Returns:
            The keys of those that were removed, with what makings of them had left.
        """
        removed = []
        for some in _batches(keys):
            with ExitStack() as stack:
                idle = [key for key in some if stack.enter_context(self._if_idle(key))]
                for key in set(idle) - set(needed()):
                    if self.path(key).exists():
                        set_aside(self.path(key))  # under another name it is gone at once, or whole
                    self._remove_leftovers(key)
                    removed.append(key)
        return removed

    def remove_leftovers(self, key: str) -> None:
        """Remove what makings have left, and what was set aside, unless it is being made."""
        with self._if_idle(key) as is_idle:
            if is_idle:
                self._remove_leftovers(key)

    def _remove_leftovers(self, key: str) -> None:
        remove_leftovers(self.path(key))
        for aside in self._place.glob(f"{key}.damaged-*"):
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()

    @contextmanager
    def _if_idle(self, key: str) -> Iterator[bool]:
        """Hold a key's lock, and yield True; or yield False if another process holds it."""
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.lock(key), wait=False))
            except Timeout:
                yield False
                return
            yield True

    def lock(self, key: str) -> Path:
        """The lock that whoever makes the directory of a key holds."""
        return self._locks / f"{self._kind}-{key}.lock"


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while some := list(islice(left, _HELD_AT_ONCE)):
        yield some


def _manifest_in(files: Mapping[str, bytes]) -> dict[str, Any]:
    manifest = json.loads(files[_MANIFEST])
    if not isinstance(manifest, dict):
        raise ValueError("a manifest is a mapping")  # noqa: TRY004  # who reads it takes a ValueError for damage
    return manifest


def _checksums(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: checksum(files[name]) for name in sorted(files) if name != _MANIFEST}
