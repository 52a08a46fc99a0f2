"""What every value that crosses a border is: frozen, strict and JSON; and its content key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

# Raise it when the meaning of a spec changes, so that what was stored under old keys is not reused.
_KEY_FORMAT = 1
KEY_LENGTH = 32
"""Hexadecimal digits of a content key."""
OnProgress = Callable[[float], None]
"""Takes the fraction of a task that is done, 0 to 1."""


class Value(BaseModel):
    """A frozen value that refuses unknown fields and loose types, and round-trips through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, of which what is derived is derived anew: a changed spec has a key of its own."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


def content_key(kind: str, content: dict[str, Any]) -> str:
    """A hash of the content that does not see fields without a value.

    A field added later, None by default, thus leaves the keys of old specs as they are.
    """
    return json_checksum([_KEY_FORMAT, kind, without_nones(content)])[:KEY_LENGTH]


def json_checksum(content: Any) -> str:
    """SHA-256 of JSON, 64 hexadecimal digits, whatever the order of its keys."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def without_nones(content: Any) -> Any:
    """The content without fields that have no value, in mappings within mappings."""
    if isinstance(content, dict):
        return {key: without_nones(value) for key, value in content.items() if value is not None}
    return content
