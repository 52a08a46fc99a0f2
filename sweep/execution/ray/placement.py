"""How many slots a cluster has room for. Pure: nodes and demands in, numbers out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_CPU, _GPU = "CPU", "GPU"
ENCODER = "encoder"


class SlotKind(NamedTuple):
    """Slots of one kind: what each of them takes of a node, and which tasks it is for."""

    cpus: float
    gpus: float
    is_for: frozenset[bool]
    """Whether encoders, and whether others."""


@dataclass(frozen=True)
class Demands:
    """What tasks need of a node."""

    cpus_per_task: float = 1
    gpus_per_encoder: float = 0
    gpus_per_draw: float = 0
    """Of a draw, and of whatever else is no encoder."""
    resources: Mapping[str, float] = field(default_factory=dict)
    """Resources by the names that the cluster gives them."""

    def suits(self, kind: SlotKind, *, encoder: bool) -> bool:
        """Whether a slot of a kind has the GPUs that a task needs; it may have more."""
        return kind.gpus >= (self.gpus_per_encoder if encoder else self.gpus_per_draw)

    @property
    def kinds(self) -> tuple[SlotKind, ...]:
        """The kinds of slots, those with GPUs first.

        Two, if either encoders or the others need no GPU; else every slot is for everything.
        """
        encoder, other = self.gpus_per_encoder, self.gpus_per_draw
        most = max(encoder, other)
        if most == 0 or min(encoder, other) > 0:
            return (SlotKind(self.cpus_per_task, most, frozenset({True, False})),)
        return (
            SlotKind(self.cpus_per_task, most, frozenset({encoder > 0})),
            SlotKind(self.cpus_per_task, 0, frozenset({encoder == 0})),
        )


def changes(wanted: int, there: int, waiting: int) -> tuple[int, int]:
    """How many slots of a kind to ask for, and how many to give up.

    Args:
        wanted: slots that there is room for.
        there: slots that were asked for.
        waiting: those of them that are not ready yet, of which alone any is given up.
    """
    return max(0, wanted - there), min(waiting, max(0, there - wanted))


def room(
    nodes: Iterable[Mapping[str, float]], demands: Demands, most: int | None
) -> tuple[int, ...]:
    """How many slots of each kind there is room for.

    Args:
        nodes: what each node has in all, by resource.
        demands: what tasks need.
        most: slots of all kinds together; None for as many as there is room for.
    """
    counts = [0] * len(demands.kinds)
    for node in nodes:
        left = dict(node)
        for place, kind in enumerate(demands.kinds):
            needs = {_CPU: kind.cpus, _GPU: kind.gpus, **demands.resources}
            needs = {name: amount for name, amount in needs.items() if amount > 0}
            count = min(int(left.get(name, 0.0) / amount + 1e-9) for name, amount in needs.items())
            for name, amount in needs.items():
                left[name] = left.get(name, 0.0) - count * amount
            counts[place] += count
    if most is not None:
        first = min(counts[0], max(1, most - sum(count > 0 for count in counts[1:])))
        counts = [first, *(min(count, most - first) for count in counts[1:])]
    return tuple(counts)
