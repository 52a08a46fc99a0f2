"""What is wanted, what must be made before it, and what may begin. Pure: no disk, and no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from sweep.specs import EncoderSpec, Spec


@dataclass
class _Node:
    spec: Spec
    order: int
    needs: tuple[str, ...]
    """Keys of what is still to be made before it."""
    missing: set[str]
    dependents: set[str] = field(default_factory=set)
    is_wanted: bool = False
    """For itself, and not only by what depends on it."""
    is_running: bool = False


class Graph:
    """Specs that are wanted, with what they need; each is handed out when all of that is made.

    First wanted, first handed out; what something needs comes just before it.
    """

    def __init__(self, is_made: Callable[[EncoderSpec], bool]) -> None:
        """Begin with nothing.

        Args:
            is_made: whether something that is needed is there already; asked before it is made
                here, and never after.
        """
        self._is_made = is_made
        self._nodes: dict[str, _Node] = {}
        self._made: set[str] = set()
        self._broken: set[str] = set()
        self._ready: list[tuple[int, str]] = []
        self._count = 0

    def __len__(self) -> int:
        """How many specs are still to be made, those that run included."""
        return len(self._nodes)

    @property
    def waiting(self) -> Iterator[Spec]:
        """Those that do not run yet."""
        return (node.spec for node in self._nodes.values() if not node.is_running)

    def want(self, spec: Spec) -> str | None:
        """Want a spec made; the key of what it needs and cannot have, or None.

        A spec itself that has failed, or was made before, is made again.
        """
        broken = self._broken_need(spec)
        if broken is None:
            self._add(spec).is_wanted = True
        return broken

    def unwant(self, key: str) -> None:
        """Want a spec no more: it is not begun, and neither is what it alone needs."""
        node = self._nodes.get(key)
        if node is not None:
            node.is_wanted = False
            self._drop_if_idle(node)

    def begin(self, may_begin: Callable[[Spec], bool] = lambda _: True) -> Spec | None:
        """The next spec that may begin, as begun; None if there is none at the moment.

        Args:
            may_begin: says of one that is ready whether it may; it stays ready if not.
        """
        held_back: list[tuple[int, str]] = []
        found = None
        while self._ready and found is None:
            order, key = heappop(self._ready)
            node = self._nodes.get(key)
            if node is None or node.order != order or node.is_running:
                continue
            if may_begin(node.spec):
                node.is_running = True
                found = node.spec
            else:
                held_back.append((order, key))
        for each in held_back:
            heappush(self._ready, each)
        return found

    def again(self, key: str, lost: Iterable[EncoderSpec] = ()) -> None:
        """What was begun has to begin again.

        Args:
            key: of what was begun.
            lost: what it needs and was made, and is not there any more: it is made first.
        """
        node = self._nodes[key]
        node.is_running = False
        for need in lost:
            self._made.discard(need.key)
            self._add(need).dependents.add(key)
            node.missing.add(need.key)
            node.needs = (*node.needs, need.key)
        if not node.missing:
            heappush(self._ready, (node.order, key))
        if not node.is_wanted:
            self._drop_if_idle(node)

    def done(self, key: str) -> None:
        """What was begun is made."""
        node = self._nodes.pop(key)
        self._made.add(key)
        for name in node.dependents:
            dependent = self._nodes[name]
            dependent.missing.discard(key)
            if not dependent.missing:
                heappush(self._ready, (dependent.order, name))

    def fail(self, key: str) -> list[Spec]:
        """What was begun cannot be made; the wanted specs that cannot be made either, or are it."""
        self._broken.add(key)
        lost: list[Spec] = []
        self._lose(key, lost)
        return lost

    def _lose(self, key: str, lost: list[Spec]) -> None:
        node = self._nodes.pop(key)
        if node.is_wanted:
            lost.append(node.spec)
        for name in sorted(node.dependents, key=lambda name: self._nodes[name].order):
            if name in self._nodes:
                self._lose(name, lost)
        self._forget_needs(node)

    def _broken_need(self, spec: Spec) -> str | None:
        for need in spec.needs:
            if need.key in self._broken:
                return need.key
            if (broken := self._broken_need(need)) is not None:
                return broken
        return None

    def _add(self, spec: Spec) -> _Node:
        if spec.key in self._nodes:
            return self._nodes[spec.key]
        missing = []
        for need in spec.needs:
            if need.key not in self._nodes and (need.key in self._made or self._is_made(need)):
                self._made.add(need.key)
                continue
            self._add(need).dependents.add(spec.key)
            missing.append(need.key)
        self._count += 1
        node = _Node(spec, self._count, tuple(missing), set(missing))
        self._nodes[spec.key] = node
        if not missing:
            heappush(self._ready, (node.order, spec.key))
        return node

    def _drop_if_idle(self, node: _Node) -> None:
        if not (node.is_wanted or node.is_running or node.dependents):
            del self._nodes[node.spec.key]
            self._forget_needs(node)

    def _forget_needs(self, node: _Node) -> None:
        for key in node.needs:
            need = self._nodes.get(key)
            if need is not None:
                need.dependents.discard(node.spec.key)
                self._drop_if_idle(need)
