"""What is wrong with a config, in lines: where, what would be right, and what there is."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence

from pydantic_core import ErrorDetails

from sweep.config.model import NAME_CHARACTERS
from sweep.config.places import Places
from sweep.config.schema import keys_at
from sweep.spelling import did_you_mean
from sweep.values import Value

_TAG = re.compile("<[a-z]+>")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 160
_SHORT.maxlist = 10


def explained(problem: ErrorDetails, places: Places | None) -> str:
    """One problem in a line.

    Args:
        problem: as pydantic tells of it.
        places: where the config says what; None if it was not read from a file.
    """
    path = _keys(problem)
    where = line(".".join(map(str, path))) or "the config"
    place = places.of(path) if places else ""
    return f"{place}{where}: {_reason(problem, path)}"


def in_order(problems: Sequence[ErrorDetails], places: Places) -> list[ErrorDetails]:
    """Problems as the lines of the file have them; those of options are last."""
    return sorted(problems, key=lambda problem: places.order(_keys(problem)))


def _keys(problem: ErrorDetails) -> list[str | int]:
    """Where a problem is, without tags of alternatives: they are no keys of the user's."""
    path = problem["loc"]
    checked = path[:-1] if problem["type"] == "extra_forbidden" else path  # whose last is unknown
    keys = [step for step in checked if not _TAG.fullmatch(str(step))]
    return [*keys, *path[len(checked) :]]


def _reason(problem: ErrorDetails, path: Sequence[str | int]) -> str:
    """What is wrong, what would be right, and what there is."""
    value = problem["input"]
    match problem["type"]:
        case "extra_forbidden":
            return _unknown_key(path)
        case "missing":
            return "missing"
        case "union_tag_invalid" | "union_tag_not_found":
            known = problem["ctx"]["expected_tags"].replace("'<", "").replace(">'", "")
            given = value.get("scheme") if isinstance(value, dict) else value
            return _with_guess(f"scheme must be one of {known}", given, known.split(", "))
        case "string_pattern_mismatch":  # of all keys, names alone have one
            message = f"must be {NAME_CHARACTERS}"
        case "literal_error":
            expected = problem["ctx"]["expected"]
            message = f"must be {expected}"
            if isinstance(value, str) and value.endswith(".npz"):
                return f"{message}; a file is written {{path: {line(value)}}}"
            return _with_guess(message, value, re.findall(r"'([^']*)'", expected))
        case "model_type" | "model_attributes_type" | "dict_type":
            message = "must be a mapping of keys to values"
            if "space" in path[:-1] and isinstance(value, list):
                return f"a list of values is written {{choices: {shown(value)}}}"
            if "space" in path[:-1] and isinstance(value, int | float):
                return f"a single value is written {{choices: [{shown(value)}]}}"
        case "string_unicode":
            message = "must be whole characters, and not halves (\\ud800 to \\udfff) of some"
        case "tuple_type":
            message = "must be a list"
        case _:
            message = problem["msg"].removeprefix("Value error, ")
            message = re.sub(r"^(Input|String|Tuple) should", "must", message)
    if isinstance(value, dict | list | Value):
        return message
    return f"{message}, and is {shown(value)}"


def _with_guess(message: str, value: object, known: Sequence[str]) -> str:
    if isinstance(value, dict | list | Value):
        return message
    guess = did_you_mean(value, known) if isinstance(value, str) else ""
    return f"{message}, and is {shown(value)}" + (f"; {guess}" if guess else "")


def _unknown_key(path: Sequence[str | int]) -> str:
    known = keys_at(path[:-1])
    guess = did_you_mean(str(path[-1]), known)
    if guess:
        return f"unknown key; {guess}"
    return f"unknown key; there are {', '.join(dict.fromkeys(known))}" if known else "unknown key"


def line(text: object) -> str:
    """What the user wrote as part of a line, whatever is in it and however long it is."""
    return shown(str(text))[1:-1]


def shown(value: object) -> str:
    """A value as Python writes it, shortened."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python does not write numbers of more than 4,300 digits
        return "a number of thousands of digits"
