"""Databases by their URLs."""

from __future__ import annotations

import pytest

from sweep.database import masked, reason


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("no http://u:p%40@h:5000/api, postgresql+psycopg://:p@h", "no http://u:***@h:5000/api, "
         "postgresql+psycopg://:***@h"),
        ("postgresql://h/db?user=me&password=s3&x=1", "postgresql://h/db?user=me&password=***&x=1"),
        ("sqlite:////home/me/optuna.db", "sqlite:////home/me/optuna.db"),
        ("http://host:5000 at 12:30, me@host", "http://host:5000 at 12:30, me@host"),
    ],
)  # fmt: skip
def test_passwords_are_masked(text: str, shown: str) -> None:
    """Wherever a URL stands in a text; and nothing else is."""
    assert masked(text) == shown


def test_a_reason_is_one_line_without_passwords() -> None:
    """Of what a database had to say, under whatever it was wrapped in."""
    outer = RuntimeError("outer")
    outer.__cause__ = ValueError("no route to postgresql://me:secret@host\nhint: none")
    assert reason(outer) == "no route to postgresql://me:***@host"
    assert reason(TimeoutError()) == "TimeoutError"
