"""The errors a user or the coordinator meets, named by what to do next.

Every error carries one line that says what happened and where, and, where there is one, a hint that
says what to do. ``exit_status`` is what the command line ends with.
"""

from __future__ import annotations

import errno
from typing import ClassVar


def printable(text: str) -> str:
    """A text without what would command a terminal: as an escape sequence in a file's name."""
    return "".join(
        each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text
    )


def error_number(error: BaseException) -> int | None:
    """The number of what the system did not give; Python has none for a thread."""
    if isinstance(error, OSError):
        return error.errno
    return errno.EAGAIN if str(error) == "can't start new thread" else None


class SweepError(Exception):
    """Base of every error that is shown as a message and never as a traceback."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(f"hint: {hint}")  # for tracebacks, where Python calls us


class InputError(SweepError):
    """Something the user gave is wrong: mend it and call again."""

    exit_status = 2


class ConfigError(InputError):
    """The study config, or an override of it, is not valid."""


class DataError(InputError):
    """A dataset is missing, unreadable or not what it claims to be."""


class StudyChangedError(InputError):
    """A study of this name exists with another config: choose another name, or undo the change."""


class UnknownStudyError(InputError):
    """No study of this name is in the home."""


class HomeError(InputError):
    """The home directory or the storage in it cannot be used."""


class DamagedStorageError(InputError):
    """What the studies' storage holds of a study is not what was written there."""


class StudyBusyError(SweepError):
    """Another process owns the study: wait for it, or stop it."""


class TargetMissedError(SweepError):
    """The study ended before its target: look at the failed trials."""


class ProblemsError(SweepError):
    """A check found what must be mended first."""


class StoppedError(SweepError):
    """The user interrupted the run: the same command goes on with it."""

    exit_status = 130


class OutOfTimeError(StoppedError):
    """The time that a run was given is up: the same command goes on with it."""

    exit_status = 1


class OutageError(SweepError):
    """What a running study writes to is out of reach: mend it, and the same command goes on."""


class DivergedError(SweepError):
    """A training left the finite numbers: its trial has failed and is not tried again."""
