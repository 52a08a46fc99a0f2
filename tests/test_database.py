"""Databases by their URLs."""

from __future__ import annotations

import re
from contextlib import nullcontext
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sweep.database import check_url, masked, masked_url, reason, sqlite_file
from sweep.errors import HomeError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("no http://u:p%40@h:5000/api, postgresql+psycopg://:p@h", "no http://u:***@h:5000/api, "
         "postgresql+psycopg://:***@h"),
        ("postgresql://h/db?user=me&password=s3&x=1", "postgresql://h/db?user=me&password=***&x=1"),
        ("sqlite:////home/me/optuna.db", "sqlite:////home/me/optuna.db"),
        ("postgresql://me:p@ss@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:p/a?s#s@host/db", "postgresql://me:***@host/db"),
        ("http://token@host:5000/x", "http://***@host:5000/x"),
        ("postgresql://h/db?sslpassword=s3&sslmode=require",
         "postgresql://h/db?sslpassword=***&sslmode=require"),
        ("http://h/?api_key=k&X-Amz-Signature=s", "http://h/?api_key=***&X-Amz-Signature=***"),
        ("'http://u:p@h' and \"mysql://u:q@h\"", "'http://u:***@h' and \"mysql://u:***@h\""),
        ("http://host:5000 at 12:30, me@host", "http://host:5000 at 12:30, me@host"),
    ],
)  # fmt: skip
def test_passwords_are_masked(text: str, shown: str) -> None:
    """Wherever a URL stands in a text; and nothing else is."""
    assert masked(text) == shown


SECRET = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: f"canary{text}canary")
HOSTS = st.sampled_from(["host", "h:5432", "[::1]:80"])


def urls(password: str, host: str) -> list[str]:
    """A secret, escaped or not, as a user, a password or a parameter."""
    return [
        f"postgresql+psycopg://me:{password}@{host}/db",
        f"https://{password.replace(':', '')}@{host}/path",
        f"https://{password.replace(':', '')}:@{host}/path",
        f"postgresql://{host}/db?user=me&sslpassword={quote(password, safe='')}",
        f"postgresql://{host}/db?password={re.sub('[&;]', '', password)}",
        f"postgresql:///db?password={re.sub('[&;]', '', password)}&user=me",
        f"http://me:{quote(password)}@{host}",
    ]


def refusal(url: str) -> str | None:
    """What is said of a URL that is refused; None if it is taken."""
    try:
        check_url("SWEEP_STORAGE", url)
    except HomeError as error:
        return f"{error.message} {error.hint}"
    return None


@given(password=SECRET, host=HOSTS)
@example(password="canary'x7", host="h")
@example(password='canary"x7', host="h")
@example(password="canary<x>7", host="h")
@example(password="canary x 7", host="h")
@example(password="canary\u2028x7", host="h")
def test_no_password_is_shown(password: str, host: str) -> None:
    """Whatever characters are in it; a URL that would not be found whole in a text is refused."""
    for url in urls(password, host):
        said = refusal(url) or masked(f"it is {url} here, or {url!r}")
        assert "canary" not in said


@given(password=SECRET, host=HOSTS)
def test_what_is_a_url_as_a_whole_shows_no_password(password: str, host: str) -> None:
    """As of a proxy, which nobody has checked."""
    for url in urls(password, host):
        assert "canary" not in masked_url(url)


@pytest.mark.parametrize("place", ["/home/me/my studies/it's.db", "/home/<me>/a.db?mode=ro"])
def test_a_file_s_path_may_have_any_characters(place: str) -> None:
    """There is no secret in it."""
    check_url("SWEEP_STORAGE", f"sqlite:///{place}")


@pytest.mark.parametrize(
    ("url", "is_clear"),
    [
        ("postgresql://me:p@ss@host/db", False),
        ("mysql+nothing://me:p@s/s@host/db", False),
        ("postgresql://me:p%40s/s@host:5432/db?application_name=a@b", True),
        ("postgresql:///db?host=/var/run&user=a@b", True),
        ("sqlite:////home/me@work/a@b.db", True),
        ("http://me:p@ss@host/a@b", True),
        ("databricks", True),
    ],
)
def test_a_password_that_would_be_taken_for_a_host_is_refused(url: str, is_clear: bool) -> None:
    """For whatever does not find such a host would name it."""
    with nullcontext() if is_clear else pytest.raises(HomeError, match=r"not escaped: .*\*\*\*"):
        check_url("SWEEP_STORAGE", url)


def test_a_reason_is_one_line_without_passwords() -> None:
    """Of what a database had to say, under whatever it was wrapped in."""
    outer = RuntimeError("outer")
    outer.__cause__ = ValueError("no route to postgresql://me:secret@host\nhint: none")
    assert reason(outer) == "no route to postgresql://me:***@host"
    assert reason(TimeoutError()) == "TimeoutError"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////home/me/optuna.db", "/home/me/optuna.db"),
        ("sqlite:///file:/home/me/optuna.db?mode=ro&immutable=1&uri=true", "/home/me/optuna.db"),
        ("postgresql://h/db", None),
        ("sqlite://", None),
        ("http://h:port/", None),
    ],
)
def test_a_url_names_a_file(url: str, file: str | None) -> None:
    """Also one that says how the file is opened, as for a home that takes no writes."""
    found = sqlite_file(url)
    assert (found and str(found)) == file
