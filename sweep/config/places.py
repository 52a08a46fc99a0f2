"""Where a config says what it says: lines of its file, and options of the command line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

Path = Sequence[str | int]
"""Keys, and places in lists."""
_MERGE = "tag:yaml.org,2002:merge"


class Option(NamedTuple):
    """An option that has set a key."""

    name: str
    path: tuple[str | int, ...]


class Places:
    """Finds the places of a config's keys."""

    def __init__(self, text: str, options: Sequence[Option] = ()) -> None:
        """Read where what stands.

        Args:
            text: of the file; YAML that can be read.
            options: what was set over it.
        """
        yaml = YAML(typ="safe", pure=True)
        self._root: Node | None = yaml.compose(text)
        self._options = options

    def of(self, path: Path) -> str:
        """As in ``line 4: `` or ``--set ``; empty for what stands nowhere.

        Of a key that is missing, it is the line of the mapping that lacks it.
        """
        place = self._find(path)
        return f"line {place}: " if isinstance(place, int) and place else str(place or "")

    def order(self, path: Path) -> float:
        """Sorts as a reader goes through them: what stands nowhere, lines, then options."""
        place = self._find(path)
        return float(place) if isinstance(place, int) else math.inf

    def _find(self, path: Path) -> int | str:
        """The line, 0 if there is none; or the option that has set it, and a space."""
        found = list(self._lines(path))
        is_there = len(found) == len(path)
        for option in self._options:
            is_above = _begins(path, option.path)
            is_below = _begins(option.path, path)
            if is_above or (is_below and not is_there):
                return f"{option.name} "
        return found[-1] if found else 0

    def _lines(self, path: Path) -> Iterator[int]:
        """The lines of a path's steps, from 1, as far as they are there."""
        node = self._root
        for step in path:
            entry = _entry(node, step)
            if entry is None:
                return
            key, node = entry
            yield key.start_mark.line + 1


def _begins(path: Path, beginning: Path) -> bool:
    """Whether a path begins with another one; a name with dots in it is as good as several."""
    whole, first = (".".join(map(str, each)) for each in (path, beginning))
    return f"{whole}.".startswith(f"{first}.")


def _entry(node: Node | None, step: str | int) -> tuple[Node, Node] | None:
    """What a step of a path names below a node: where it begins, and its value."""
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return (node.value[step],) * 2 if step < len(node.value) else None
    if not isinstance(node, MappingNode):
        return None
    for key, value in node.value:
        if key.value == str(step):
            return key, value
    for key, value in node.value:
        if key.tag == _MERGE:
            for merged in value.value if isinstance(value, SequenceNode) else [value]:
                if found := _entry(merged, step):
                    return found
    first, dot, rest = str(step).partition(".")  # a space's classifier.epochs may stand nested
    if dot and (above := _entry(node, first)):
        return _entry(above[1], rest)
    return None
