"""Seals: what is written to a storage carries its checksum, and is checked when it is read.

The seal stands among the value's own keys, so that Optuna's tools still show the value. Values of
versions that sealed nothing are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sweep.errors import DamagedStorageError
from sweep.values import json_checksum

_SEAL = "seal"


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object with its checksum."""
    return {**value, _SEAL: json_checksum(value)}


def is_sealed(content: Any) -> bool:
    """Whether this was sealed, be the seal broken or not."""
    return isinstance(content, dict) and _SEAL in content


def unsealed(content: Any) -> Any:
    """What was sealed; or, as it is, what was not.

    Raises:
        ValueError: the seal is broken: this is not what was written.
    """
    if not is_sealed(content):
        return content
    value = {key: content[key] for key in content if key != _SEAL}
    if content[_SEAL] != json_checksum(value):
        raise ValueError("it does not agree with its checksum")
    return value


@contextmanager
def believing(study: str, what: str) -> Iterator[None]:
    """See what cannot be read from the storage for what it is: damage to it.

    Raises:
        DamagedStorageError: it cannot be read, or its seal is broken.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError, RecursionError) as error:  # pydantic's, too
        raise DamagedStorageError(
            f"the study '{study}' is damaged in its storage: {what} cannot be believed",
            hint="put back a copy of the storage; encoders and draws are kept in the home, so that "
            "running the study under another name (--set name=...) costs little",
        ) from error
