"""Whether files of SQLite are what they should be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sweep.database import readable
from sweep.doctor.finding import Finding


def damage(name: str, file: Path, mend: str) -> Finding | None:
    """What is wrong with an SQLite file, if anything is; ``mend`` is for a damaged one."""
    try:
        connection = sqlite3.connect(_opened(file), uri=True)
        try:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            cause = "see that it may be read and written, and that no process keeps it locked"
            return Finding(name, "problem", f"{file} cannot be read: {error}", cause)
        answer = str(error)
    if answer == "ok":
        return None
    return Finding(name, "problem", f"{file} is damaged: {answer}", mend)


def _opened(file: Path) -> str:
    """How SQLite opens a file: where it may, for writing, so that it can undo the half transaction
    of a process that was killed.
    """
    url = f"sqlite:///{file.absolute()}"
    if (to_read := readable(url)) != url:
        return to_read.removeprefix("sqlite:///").removesuffix("&uri=true")
    return f"{file.absolute().as_uri()}?mode=rw"
