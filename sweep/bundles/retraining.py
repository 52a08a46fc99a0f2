"""Training some of a bundle's draws again, to see whether they come out as they did."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sweep.bundles.contents import Bundle
from sweep.coordinator.engine import open_executor
from sweep.coordinator.events import Done, GivenUp
from sweep.coordinator.scheduler import Scheduler
from sweep.data.datasets import DatasetSource
from sweep.errors import DataError, TargetMissedError
from sweep.machine import environment
from sweep.results import DrawResult, Environment
from sweep.specs import DrawSpec
from sweep.workspace import Workspace


@dataclass(frozen=True)
class Retrained:
    """A draw that was trained again, with its encoder."""

    draw: DrawSpec
    before: DrawResult
    after: DrawResult

    @property
    def is_equal(self) -> bool:
        """To the last bit, in every epoch of every classifier."""
        return self.before.members == self.after.members

    @property
    def moved(self) -> float:
        """By how much the accuracy after the last epoch differs, at most over its classifiers."""
        pairs = zip(self.before.members, self.after.members, strict=True)
        return max(abs(one.val_accuracy[-1] - other.val_accuracy[-1]) for one, other in pairs)

    @property
    def first_epoch(self) -> int | None:
        """The first epoch, from 1, in which anything differs; None if all is equal."""
        curves = [
            zip(getattr(one, name), getattr(other, name), strict=True)
            for one, other in zip(self.before.members, self.after.members, strict=True)
            for name in type(one).model_fields
        ]
        epochs = [
            number
            for curve in curves
            for number, (value, again) in enumerate(curve, start=1)
            if value != again
        ]
        return min(epochs, default=None)


def retrain(
    bundle: Bundle, workspace: Workspace, count: int, say: Callable[[str], None]
) -> list[Retrained]:
    """Train some of a bundle's draws again, spread evenly over it, each with its encoder.

    Args:
        bundle: what was trained before.
        workspace: says where data is looked for. Nothing is kept in its home, or taken from it.
        count: how many draws; all of them if there are fewer.
        say: is told what goes on.

    Raises:
        DataError: the dataset is not there, or not the one that was trained on.
        TargetMissedError: one of them could not be trained.
    """
    source = DatasetSource.of(bundle.config.dataset, workspace.data)
    facts = source.load().facts
    if facts.sha256 != bundle.study.data.sha256:
        raise DataError(
            f"{facts.name} is not the dataset that the bundle was trained on: its content's "
            f"SHA-256 is {facts.sha256[:12]}…, and was {bundle.study.data.sha256[:12]}…",
            hint="point SWEEP_DATA_DIR to the same files",
        )
    chosen = spread([*bundle.draws.values()], count)
    found = []
    with tempfile.TemporaryDirectory(prefix="sweep-verify-") as scratch:
        here = Workspace.at(Path(scratch), {})
        here.home.create()
        with closing(open_executor(bundle.config, here, source, cluster=None)) as executor:
            scheduler = Scheduler(executor, here.store)
            for draw in chosen:
                scheduler.want(draw)
            for event in scheduler.events(lambda: False):
                match event:
                    case Done(DrawSpec() as draw, DrawResult() as result):
                        before = bundle.store.draws.claimed(draw)
                        assert before is not None  # the report was worked out from it
                        found.append(Retrained(draw, before, result))
                    case Done(spec):
                        say(f"trained {spec.label}")
                    case GivenUp(spec, failure):
                        raise TargetMissedError(f"{spec.label}: {failure.message}")
    return sorted(found, key=lambda each: chosen.index(each.draw))


def spread(draws: Sequence[DrawSpec], count: int) -> list[DrawSpec]:
    """So many of the draws, evenly over their order."""
    count = min(count, len(draws))
    return [draws[(2 * place + 1) * len(draws) // (2 * count)] for place in range(count)]


@dataclass(frozen=True)
class Machines:
    """The one that we are on, and those that a bundle's study was run on."""

    here: Environment
    there: tuple[Environment, ...]

    @staticmethod
    def of(bundle: Bundle) -> Machines:
        """Of a bundle's study, and here."""
        here, *there = (
            Environment.model_validate(each, strict=False)
            for each in (environment(), *bundle.study.environments)
        )
        return Machines(here, tuple(there))

    @property
    def are_alike(self) -> bool:
        """Whether this one is of a kind that the study had: then all bits should be equal."""
        return any(each.numerics == self.here.numerics for each in self.there)
