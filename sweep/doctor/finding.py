"""What the doctor says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it stands, and what to do about it."""

    name: str
    level: Literal["ok", "warning", "problem"]
    found: str
    mend: str | None = None
