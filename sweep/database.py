"""Databases by their URLs: opened so that several processes can use them, and never shown whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from sweep.errors import HomeError, printable

_SQLITE_TIMEOUT_SECONDS = 60
_CONNECT_SECONDS = 10
_READ_ONLY = "mode=ro"
_MAKING_TABLES = 0x73776565
"""The number of the lock in PostgreSQL under which tables are made."""
_ENDS = r"\s'\"<>"
"""What a URL ends at in a text."""
_END = re.compile(f"[{_ENDS}]")
_BLANK = "\0"
_PARAMETER = r"(?i)([?&;][\w.-]*(?:pass|pwd|token|secret|key|cred|auth|signature)[\w.-]*=)"


def engine_arguments(url: str) -> dict[str, Any]:
    """What to open a database's engine with."""
    arguments: dict[str, Any] = {"pool_pre_ping": True}
    if url.startswith("sqlite"):
        arguments["connect_args"] = {"timeout": _SQLITE_TIMEOUT_SECONDS}
    elif url.startswith(
        "postgresql"
    ):  # whose driver would wait for minutes for a host that is gone
        arguments["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
    return arguments


def use_immediate_transactions(engine: sqlalchemy.Engine) -> None:
    """Have an engine of SQLite use WAL, and take the write lock where a transaction begins.

    Otherwise two processes may be handed the same row, and a writer gives up after five seconds.
    The recipe is SQLAlchemy's: the driver must not begin transactions by itself.
    """
    if engine.dialect.name != "sqlite" or engine.url.query.get("mode") == "ro":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()


@contextmanager
def creation_lock(
    url: str, what: str = "the studies' storage", variable: str = "SWEEP_STORAGE"
) -> Iterator[None]:
    """Keep other hosts from making tables in a database of PostgreSQL; no lock in others.

    Two hosts that make the same table at once both fail, and each leaves a part of it.

    Args:
        url: of the database.
        what: it is called in an error.
        variable: where its URL comes from.

    Raises:
        HomeError: the database cannot be reached.
    """
    if not url.startswith("postgresql"):
        yield
        return
    try:
        engine = sqlalchemy.create_engine(url, **engine_arguments(url))
        connection = engine.connect()
    except (SQLAlchemyError, ArgumentError, NoSuchModuleError, ImportError) as error:
        raise unusable(url, error, what, variable) from error
    try:
        connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_lock(_MAKING_TABLES)))
        yield
    finally:
        connection.close()
        engine.dispose()  # the lock goes with the connection


def unusable(
    url: str,
    error: BaseException,
    what: str = "the studies' storage",
    variable: str = "SWEEP_STORAGE",
) -> HomeError:
    """The error of a database that cannot be opened."""
    missing = isinstance(error, ImportError) and url.startswith("postgresql")
    return HomeError(
        f"{what} {masked(url)} cannot be opened: {reason(error)}",
        hint="uv sync --extra postgres" if missing else f"check {variable} and --home",
    )


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other databases."""
    try:
        parsed = sqlalchemy.engine.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):  # ValueError: a port that is no number
        return None
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database
    return Path(str(parsed.database).removeprefix("file:")) if is_file else None


def readable(url: str) -> str:
    """The URL with which a database can be read even if it cannot be written.

    SQLite wants to write beside its file even to read it, unless it is told that nobody else does;
    what a process that was killed left in the log beside it is read if the log is there.
    """
    file = sqlite_file(url)
    if file is None or not file.exists() or os.access(file.parent, os.W_OK):
        return url
    log = file.with_name(f"{file.name}-wal")
    mode = _READ_ONLY if log.exists() and log.stat().st_size else f"{_READ_ONLY}&immutable=1"
    return f"sqlite:///file:{file}?{mode}&uri=true"


def check_url(variable: str, url: str) -> None:
    """See that a database's URL is read as it is meant, and can be found in a text to be masked.

    Of a password with an "@" that nobody escaped, the rest would be taken for the host's name, and
    be named as such by whatever does not find that host. One with a space or a quotation mark
    would seem to end there wherever a library speaks of the URL.

    Args:
        variable: where the URL comes from.
        url: of a database or a server.

    Raises:
        HomeError: it has one.
    """
    scheme, _, rest = url.partition("://")
    is_read_from_its_end = scheme.startswith("http")
    place, _, query = rest.partition("?")
    is_file = place.startswith("/")
    has_end = None if scheme.startswith("sqlite") else _END.search(query if is_file else rest)
    if has_end:
        character = has_end[0]
        raise HomeError(
            f"{variable} has a character in it that a URL may not have: {character!a}",
            hint=f"write it as {quote(character, safe='')}, as in a user or a password",
        )
    if not is_read_from_its_end and not is_file and place.count("@") > 1:
        raise HomeError(
            f"{variable} has an '@' that is not escaped: {masked_url(url)}",
            hint="write an @ of a user or a password as %40",
        )


def masked(text: str) -> str:
    """A text without the secrets of the URLs in it: passwords, tokens and keys.

    Of ``user:password@`` the user stays; a password may hold "@" and "/" that nobody escaped. Where
    a URL ends is a guess, so a little more may be hidden than need be; :func:`check_url` sees that
    no less is.
    """
    return _masked(text, _ENDS)


def masked_url(url: str) -> str:
    """What is a URL as a whole, without its secrets, whatever characters are in it."""
    return _masked(url, "")


def _masked(text: str, ends: str) -> str:
    """Parameters first, of which only the "@" is left: one that ends a password must be seen."""
    value = f"[^&;{ends}]+"
    text = re.sub(f"{_PARAMETER}({value})", lambda found: found[1] + _blank(found[2]), text)
    anything = f"[^{ends}]*" if ends else "(?s:.)*"
    text = re.sub(f"://(?!/){anything}@", _masked_authority, text)
    return re.sub(f"{_BLANK}[{_BLANK}@]*", "***", text)


def _blank(secret: str) -> str:
    return _BLANK + re.sub("[^@]", _BLANK, secret)


def _masked_authority(found: re.Match[str]) -> str:
    user, _, password = found[0].removeprefix("://").removesuffix("@").partition(":")
    is_name = password and not {"@", "/"} & set(user)  # and no token
    return f"://{user}:***@" if is_name else "://***@"


def reason(error: BaseException) -> str:
    """The first line of what a database has to say, without passwords."""
    original = getattr(error, "orig", None) or error.__cause__ or error
    original = getattr(original, "orig", None) or original
    lines = str(original).strip().splitlines() or [type(original).__name__]
    return printable(masked(lines[0]))
