"""``docker-compose.yml`` as the Compose specification reads it, as far as the file uses it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FILE = Path(__file__).parents[2] / "docker-compose.yml"
_REFERENCE = re.compile(r"\$(?:\$|(?P<name>[A-Za-z_]\w*)|{(?P<braced>\w+)(?P<rule>:[?-][^}]*)?})")


class UnsetError(KeyError):
    """A variable that must be given is not."""


def read() -> Any:
    """The file, with its anchors and merges resolved, and its references as they are."""
    return YAML(typ="safe", pure=True).load(FILE)


def resolved(document: Any, given: Mapping[str, str]) -> Any:
    """A document in which every reference to a variable has its value.

    Raises:
        UnsetError: a variable has no value, and there is no other for it.
    """
    if isinstance(document, dict):
        return {key: resolved(value, given) for key, value in document.items()}
    if isinstance(document, list):
        return [resolved(value, given) for value in document]
    if isinstance(document, str):
        return _REFERENCE.sub(lambda found: _value(found, given), document)
    return document


def references(document: Any) -> set[str]:
    """The names of the variables that a document refers to."""
    texts = re.sub(r"\$\$", "", str(document))
    return {found["name"] or found["braced"] for found in _REFERENCE.finditer(texts)}


def command(service: Mapping[str, Any]) -> list[str]:
    """What a service runs; nothing, if its image says that."""
    words = service.get("command", [])
    return shlex.split(words) if isinstance(words, str) else list(words)


def mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """From a place in the container to the volume, or the directory, that is there."""
    pairs = (each.split(":")[:2] for each in service.get("volumes", []))
    return {target: source for source, target in pairs}


def _value(found: re.Match[str], given: Mapping[str, str]) -> str:
    name = found["name"] or found["braced"]
    if name is None:
        return "$"
    rule = found["rule"] or ""
    if given.get(name):
        return given[name]
    if not rule.startswith(":-"):
        raise UnsetError(f"{name}: {rule.removeprefix(':?')}")
    return rule.removeprefix(":-")
