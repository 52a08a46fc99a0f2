"""Durations as they are typed: 90s, 45m, 3h, 1h30m."""

from __future__ import annotations

import re

from sweep.errors import InputError

_FORM = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)


def parse_duration(option: str, text: str) -> int:
    """Seconds of a duration.

    Raises:
        InputError: it is none, or none at all; ``option`` says where it stands.
    """
    found = _FORM.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise InputError(
            f"{option}: {text[:40]!r} is no duration", hint="as in 90s, 45m, 3h or 1h30m"
        )
    return total
