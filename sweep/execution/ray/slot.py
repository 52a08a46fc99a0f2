"""The coordinator's side of one slot: its courier, and the task that is out with it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from sweep.execution.base import Task
from sweep.execution.ray.courier import Facts
from sweep.execution.ray.placement import SlotKind

LOOK_SECONDS = 2.0
"""Between two looks at a task: so much of an encoder is lost with its node, and an epoch."""


@dataclass
class Errand:
    """A task that was given to a slot."""

    task: Task
    held: ExitStack | None = None
    """The locks of what it makes; None while others hold them, and it is not out yet."""
    delivered: Any = None
    """The reference to what will have come of it."""
    look: Any = None
    looked_at: float = field(default_factory=time.monotonic)
    fraction: float = 0.0

    @property
    def is_look_due(self) -> bool:
        """Whether it is out, and was not looked at for a while."""
        waited = time.monotonic() - self.looked_at
        return self.delivered is not None and self.look is None and waited >= LOOK_SECONDS

    def end(self) -> None:
        """Let others make what it makes."""
        if self.held is not None:
            self.held.close()


@dataclass(eq=False)
class Slot:
    """One courier, from the moment it was asked for."""

    number: int
    kind: SlotKind
    courier: Any
    """The actor."""
    ready: Any
    """The reference to its facts."""
    facts: Facts | None = None
    errand: Errand | None = None

    @property
    def is_free(self) -> bool:
        """Whether it can take a task now."""
        return self.facts is not None and self.errand is None

    @property
    def name(self) -> str:
        """As people see it."""
        assert self.facts is not None
        return f"{self.facts.host} {self.number}"
