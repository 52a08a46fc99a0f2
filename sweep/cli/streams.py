"""The three standard streams, whatever a shell has made of them."""

from __future__ import annotations

import codecs
import os
import sys

_PLAIN = {
    "→": "->",
    "–": "-",
    "—": "-",
    "±": "+/-",
    "×": "x",
    "…": "...",
    "·": "-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "≤": "<=",
    "≥": ">=",
}
"""What stands for a character of ours where a terminal cannot show it."""


def settle_streams() -> None:
    """See that there are three streams, and that they take all that is printed.

    To be called before anything is opened: the next file would take the place of a stream that was
    closed, and what libraries print would go into it.
    """
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            break
        os.set_inheritable(descriptor, True)  # workers begin with the streams that we have
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")
    codecs.register_error("sweep.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a stream of the system's, and not one of a test
            reconfigure(errors="sweep.plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What stands for what an encoding lacks; escaped, so that nothing is lost."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each) or ascii(each)[1:-1] for each in missing), error.end
