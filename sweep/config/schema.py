"""The JSON Schema of a study config: for editors, and to know which keys there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sweep.config.model import StudyConfig

SCHEMA = Path(__file__).with_name("study.schema.json")
"""The file that ships with the package; a test keeps it equal to :func:`json_schema`."""
_REFERENCE = "#/$defs/"


def json_schema() -> str:
    """The JSON Schema of a config's file, as ``study.schema.json`` beside this module has it."""
    schema = StudyConfig.model_json_schema()
    names = {name: each["title"] for name, each in schema["$defs"].items()}
    # Those of one name are equal: a dimension's says its type and bounds.
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_readable(schema, names),
        "title": "A study config",
        "$defs": {names[name]: _readable(each, names) for name, each in schema["$defs"].items()},
    }
    return json.dumps(whole, indent=2) + "\n"


def _readable(node: Any, names: dict[str, str]) -> Any:
    """A part of the schema with definitions by their own names, and no title that says a key."""
    if isinstance(node, list):
        return [_readable(each, names) for each in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for key, value in node.items():
        if key == "$ref":
            value = _REFERENCE + names[value.removeprefix(_REFERENCE)]
        elif key == "title" and isinstance(value, str):
            continue
        found[key] = _readable(value, names)
    return found


def keys_at(path: Sequence[str | int]) -> list[str]:
    """The keys that a config may have at a path of keys and places in lists."""
    nodes = [_schema()]
    for step in path:
        nodes = [
            below for node in nodes for each in _alternatives(node) for below in _at(each, step)
        ]
    return [
        key for node in nodes for each in _alternatives(node) for key in each.get("properties", ())
    ]


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA.read_bytes())
    return schema


def _alternatives(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a part of the schema is, or may be."""
    if "$ref" in node:
        yield from _alternatives(_schema()["$defs"][node["$ref"].removeprefix(_REFERENCE)])
    yield node
    for each in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _alternatives(each)


def _at(node: dict[str, Any], step: str | int) -> Iterator[dict[str, Any]]:
    properties = node.get("properties", {})
    if step in properties:
        yield properties[step]
    elif isinstance(step, int) and "items" in node:
        yield node["items"]
