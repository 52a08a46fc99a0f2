"""Reading a study config: safe YAML, overrides, and errors that say what to mend."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode

from sweep.config.model import StudyConfig
from sweep.errors import ConfigError
from sweep.values import Value

_MOST_BYTES = 1_000_000
_MOST_KEYS = 200
_MOST_PROBLEMS = 20
_MOST_STEPS = 20
_DEEPEST = 50
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 160


def load_config(
    path: Path, overrides: Sequence[str] = (), trials: int | None = None
) -> StudyConfig:
    """Read a study config, apply overrides, and check it.

    Args:
        path: the YAML file.
        overrides: ``a.b.c=VALUE`` each, the value in YAML.
        trials: number of trials for every representation with a space.

    Raises:
        ConfigError: the file, an override, or the config they make is not valid.
    """
    try:
        if not path.is_file() and path.exists():  # reading a pipe or a device may never end
            raise ConfigError(f"{path} is not a file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{path} is larger than {_MOST_BYTES:,} bytes: not a study config")
    try:
        document = _parse_yaml(content.decode(), str(path))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error.reason}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must be a mapping, as in 'name: my-study'")
    for override in overrides:
        _override(document, override)
    if trials is not None:
        _set_trials(document, trials)
    return parse_config(document, str(path))


def parse_config(document: dict[str, Any], source: str) -> StudyConfig:
    """Check a config that has been read already.

    Raises:
        ConfigError: with every problem that was found; ``source`` says where.
    """
    try:
        return StudyConfig.model_validate(document)
    except ValidationError as error:
        problems = error.errors()
        lines = [f"  {_explain(problem)}" for problem in problems[:_MOST_PROBLEMS]]
        if len(problems) > len(lines):
            lines.append(f"  and {len(problems) - len(lines):,} more")
        raise ConfigError("\n".join([f"{source} is not a valid study config:", *lines])) from None
    except RecursionError:
        raise ConfigError(f"{source} is not a valid study config: it contains itself") from None


class _Constructor(SafeConstructor):
    """Plain values, with an error that says where for whatever is none."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (YAMLError, RecursionError):
            raise
        except Exception as error:  # whatever the parsers of numbers, dates and other tags meet
            raise ConstructorError(
                problem=f"not a value of {node.tag}", problem_mark=node.start_mark
            ) from error

    def flatten_mapping(self, node: Any) -> None:
        super().flatten_mapping(node)
        if len(node.value) > _MOST_KEYS:  # mappings that merge others (<<) can grow without bound
            problem = f"a mapping of more than {_MOST_KEYS} keys"
        elif not all(isinstance(key, ScalarNode) for key, _ in node.value):
            problem = "a key that is a list or a mapping"
        else:
            return
        raise ConstructorError(problem=problem, problem_mark=node.start_mark)


def _parse_yaml(text: str, source: str) -> Any:
    """Safe YAML 1.2: no tags that build objects, no key twice."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    yaml.max_depth = _DEEPEST
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        is_deep = isinstance(error, MaxDepthExceededError)
        reason = f"nested more than {_DEEPEST} deep" if is_deep else _line(error.problem)
        raise ConfigError(f"{source}{where}: not valid YAML: {reason}") from None
    except (YAMLError, ValueError, RecursionError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{source}: not valid YAML: {_line(reason)}") from None


def _override(document: dict[str, Any], override: str) -> None:
    """Apply one ``a.b.c=VALUE`` in place; a number in the path is a place in a list."""
    path, equals, text = override.partition("=")
    steps = path.split(".")
    if not equals or not all(steps) or len(steps) > _MOST_STEPS:
        raise ConfigError(f"--set {_shown(override)} is not of the form a.b.c=VALUE")
    option = f"--set {_line(path)}"
    value = _parse_yaml(text, option)
    place: Any = document
    for number, step in enumerate(steps):
        here = _line(".".join(steps[:number])) or "the config"
        last = number == len(steps) - 1
        key: str | int = step
        if isinstance(place, list):
            if not re.fullmatch(r"\d{1,9}", step) or int(step) >= len(place):
                raise ConfigError(f"{option}: {here} has no entry {_line(step)}")
            key = int(step)
        elif not isinstance(place, dict):
            raise ConfigError(f"{option}: {here} is a value and has nothing below it")
        if last:
            place[key] = value
        else:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]


def _set_trials(document: dict[str, Any], trials: int) -> None:
    blocks = document.get("representations")
    searched = [
        block
        for block in (blocks.values() if isinstance(blocks, dict) else ())
        if isinstance(block, dict) and "space" in block
    ]
    if not searched:
        raise ConfigError("--trials: no representation of this config has a space to search")
    for block in searched:
        block["trials"] = trials


def _explain(problem: Any) -> str:
    """One problem in a line: key path, what would be right, and the value."""
    schemes = ("fractions", "notebook")
    steps = [str(step) for step in problem["loc"]]
    if len(steps) > 1 and steps[0] == "partition" and steps[1] in schemes:
        del steps[1]
    where = _line(".".join(step for step in steps if not step.startswith("<"))) or "the config"
    value = problem["input"]
    match problem["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key"
        case "missing":
            return f"{where}: missing"
        case "union_tag_invalid" | "union_tag_not_found":
            return f"{where}: scheme must be one of {', '.join(schemes)}"
        case "model_type" | "model_attributes_type" | "dict_type":
            message = "must be a mapping of keys to values"
        case "tuple_type":
            message = "must be a list"
        case _:
            message = problem["msg"].removeprefix("Value error, ")
            message = re.sub(r"^(Input|String|Tuple) should", "must", message)
    if isinstance(value, dict | list | Value):
        return f"{where}: {message}"
    return f"{where}: {message}, and is {_shown(value)}"


def _line(text: object) -> str:
    """What the user wrote as part of a line, whatever is in it and however long it is."""
    return _shown(str(text))[1:-1]


def _shown(value: object) -> str:
    """A value as Python writes it, shortened."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python does not write numbers of more than 4,300 digits
        return "a number of thousands of digits"
