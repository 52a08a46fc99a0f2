"""Names that are nearly right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 100


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one must have been meant for; None if there is none."""
    if len(word) > _LONGEST:  # no name of ours is; and comparing takes the square of it
        return None
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'seed'?`` for ``sed``; nothing where no known name is near."""
    found = nearest(word, known)
    return f"did you mean '{found}'?" if found else ""
