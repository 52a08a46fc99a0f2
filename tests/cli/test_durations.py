"""Durations as they are typed."""

from __future__ import annotations

import pytest

from sweep.cli.durations import parse_duration
from sweep.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("45m", 2700), ("3h", 10800), ("1h30m", 5400), ("1m1s", 61)]
)
def test_durations(text: str, seconds: int) -> None:
    """Hours, minutes and seconds, each at most once, in this order."""
    assert parse_duration("--stop-after", text) == seconds


@pytest.mark.parametrize("text", ["", "90", "0s", "-5m", "1.5h", "30m1h", "3 h", "soon", "٣h"])
def test_what_is_no_duration(text: str) -> None:
    """It is named, with what would be one."""
    with pytest.raises(InputError, match=r"--stop-after: .* is no duration") as raised:
        parse_duration("--stop-after", text)
    assert "1h30m" in str(raised.value.hint)
