"""Reading a study config: safe YAML, overrides, and errors that say what to mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from copy import copy
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode

from sweep.config.messages import explained, in_order, line, shown
from sweep.config.model import INCONSISTENT, StudyConfig
from sweep.config.places import Option, Places
from sweep.errors import ConfigError

_MOST_BYTES = 1_000_000
_MOST_KEYS = 200
_MOST_PROBLEMS = 20
_MOST_STEPS = 20
_DEEPEST = 50
_STAND_INS = {"name": "name", "dataset": "mnist"}
"""For what must be there, while the rest is looked at."""


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
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error.reason}") from error
    document = _parse_yaml(text, str(path))
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must be a mapping, as in 'name: my-study'")
    options = [Option("--set", _override(document, override)) for override in overrides]
    if trials is not None:
        options += [Option("--trials", path) for path in _set_trials(document, trials)]
    return _training(_checked(document, str(path), lambda: Places(text, options)), str(path))


def _training(config: StudyConfig, source: str) -> StudyConfig:
    """A config, if it trains anything."""
    if not config.searches and not config.rows:
        raise ConfigError(
            f"{source} trains nothing: no representation has trials, and there are no rows",
            hint="give a representation a space, or say --trials 10 where one has 0; or add rows",
        )
    return config


def overridden(config: StudyConfig, overrides: Sequence[str]) -> StudyConfig:
    """A config with overrides, as :func:`load_config` takes them.

    Raises:
        ConfigError: an override, or the config they make, is not valid.
    """
    document = config.model_dump(mode="json", exclude_none=True)
    for override in overrides:
        _override(document, override)
    source = f"the config of the study '{config.name}'"
    return _training(parse_config(document, source), source)


def parse_config(document: dict[str, Any], source: str) -> StudyConfig:
    """Check a config that has been read already.

    Raises:
        ConfigError: with every problem that was found; ``source`` says where.
    """
    return _checked(document, source, None)


def _checked(
    document: dict[str, Any], source: str, places: Callable[[], Places] | None
) -> StudyConfig:
    """Check a config; ``places`` finds the lines of what is wrong."""
    try:
        return StudyConfig.model_validate(document)
    except ValidationError as error:
        found = error.errors()
        if all(problem["type"] != INCONSISTENT for problem in found):
            found += _further(document, {problem["loc"] for problem in found})
    except RecursionError:
        raise ConfigError(f"{source} is not a valid study config: it contains itself") from None
    where = places() if places else None
    found = in_order(found, where) if where else found
    lines = [f"  {explained(problem, where)}" for problem in found[:_MOST_PROBLEMS]]
    if len(found) > len(lines):
        lines.append(f"  and {len(found) - len(lines):,} more")
    raise ConfigError("\n".join([f"{source} is not a valid study config:", *lines]))


def _further(document: dict[str, Any], wrong: Set[tuple[str | int, ...]]) -> list[ErrorDetails]:
    """What else is wrong between keys that are right by themselves.

    What holds between keys is looked at only if all are right. So the others are taken out, and
    with a block what may be wrong for the want of it: a user mends all of it in one go.
    """
    if () in wrong:  # a key that is no text
        return []
    blocks = {path[1] for path in wrong if path[0] == "representations" and len(path) > 1}
    keys = {path[0] for path in wrong if path[0] != "representations" or len(path) == 1}
    if blocks or "representations" in keys:
        keys |= {"confirm", "rows"}
    rest = {key: value for key, value in document.items() if key not in keys}
    rest |= {key: value for key, value in _STAND_INS.items() if key in keys}
    if blocks:
        there = document["representations"]
        rest["representations"] = {name: there[name] for name in there if name not in blocks}
    try:
        StudyConfig.model_validate(rest)
    except ValidationError as error:
        return [problem for problem in error.errors() if problem["type"] == INCONSISTENT]
    return []


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
        reason = f"nested more than {_DEEPEST} deep" if is_deep else line(error.problem)
        raise ConfigError(f"{source}{where}: not valid YAML: {reason}") from None
    except (YAMLError, ValueError, RecursionError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{source}: not valid YAML: {line(reason)}") from None


def _override(document: dict[str, Any], override: str) -> tuple[str | int, ...]:
    """Apply one ``a.b.c=VALUE`` in place, and give its path.

    A number in the path is a place in a list.
    """
    path, equals, text = override.partition("=")
    steps = path.split(".")
    if not equals or not all(steps) or len(steps) > _MOST_STEPS:
        raise ConfigError(f"--set {shown(override)} is not of the form a.b.c=VALUE")
    option = f"--set {line(path)}"
    value = _parse_yaml(text, option)
    place: Any = document
    found: list[str | int] = []
    for number, step in enumerate(steps):
        here = line(".".join(steps[:number])) or "the config"
        last = number == len(steps) - 1
        key: str | int = step
        if isinstance(place, list):
            if not re.fullmatch(r"\d{1,9}", step) or int(step) >= len(place):
                raise ConfigError(f"{option}: {here} has no entry {line(step)}")
            key = int(step)
        elif not isinstance(place, dict):
            raise ConfigError(f"{option}: {here} is a value and has nothing below it")
        found.append(key)
        if last:
            place[key] = value
        else:
            below = place.get(key, {}) if isinstance(place, dict) else place[key]
            place[key] = copy(below)  # which other places may share by an anchor
            place = place[key]
    return tuple(found)


def _set_trials(document: dict[str, Any], trials: int) -> list[tuple[str | int, ...]]:
    """Set all numbers of trials, and give their paths."""
    blocks = document.get("representations")
    searched = {
        name: block | {"trials": trials}
        for name, block in (blocks.items() if isinstance(blocks, dict) else ())
        if isinstance(block, dict) and "space" in block
    }
    if not searched:
        raise ConfigError("--trials: no representation of this config has a space to search")
    document["representations"] = {**document["representations"], **searched}
    return [("representations", name, "trials") for name in searched]
