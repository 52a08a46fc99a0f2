"""What running a config would do."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, product
from statistics import fmean

from sweep.config import THREADS_PER_TASK, Cell, Choices, Space, StudyConfig
from sweep.coordinator.estimate import encoder_seconds, trial_seconds
from sweep.coordinator.preflight import preflight
from sweep.representations import TrainedRepresentation, bind, undertrained
from sweep.workspace import Workspace

_STEPS = [math.sqrt(prime) for prime in (2, 3, 5, 7, 11, 13)]
_MOST_SAMPLES = 1000
"""Cells that are looked at of a space: more make no estimate better."""


@dataclass(frozen=True)
class Plan:
    """What running a config would do."""

    rows: int
    trials: dict[str, int]
    label_budgets: tuple[int | None, ...]
    """Each row and each trial is trained with all of them; None: all labels."""
    encoders_needed: int
    """At the most: a search may meet an encoder's settings more than once."""
    encoders_trained: int
    replicates: int
    scored_on: str
    data: str
    """The dataset, and where it lies, or that it would be downloaded."""
    seconds: float | None
    """Rough, with all cores of this machine; None without the dataset at hand."""
    confirming_encoders: int | None
    """How many more confirming wants, if all were selected; None where nothing is confirmed."""
    confirming_seconds: float | None
    """How much longer it then takes, as rough as ``seconds``."""
    warnings: tuple[str, ...]
    """What will hardly be what was meant, a line each; none without the dataset at hand."""


def plan(config: StudyConfig, workspace: Workspace, cores: int) -> Plan:
    """Work out what running a config would do; trains, downloads and writes nothing.

    Raises:
        SweepError: running it would be refused, and just so; see :func:`preflight`.
    """
    checked = preflight(config, workspace, download=False)
    config, data, sizes = checked.config, checked.data, checked.sizes
    cells = _likely_cells(config)
    encodings = {name: _most_encodings(config, name) for name in config.blocks}
    draws, confirm = config.replicates.draws, config.confirm
    seconds, confirming_seconds, trained = None, None, 0
    warnings: tuple[str, ...] = ()
    if data is not None and sizes is not None:
        warnings = undertrained_of(config, sizes)
        seconds = confirming_seconds = 0.0
        for cell, number in cells.items():
            spec = config.trial_spec(cell, data.sha256)
            # Where nothing is searched, every row is trained again to be assessed.
            times = 1 if config.searches else 2
            seconds += times * number * trial_seconds(spec, sizes[spec.labels_from])
            if confirm is not None:
                fresh = config.confirming_spec(spec)
                confirming_seconds += number * trial_seconds(fresh, sizes[spec.labels_from])
        published = set(workspace.store.encoders.published())
        for name, most in encodings.items():
            specs = [config.trial_spec(cell, data.sha256) for cell in _encoded(config, name, cells)]
            if not specs:
                continue
            there = sum(encoder.key in published for spec in specs for encoder in spec.encoders)
            there = min(there, most * draws)
            each = fmean(encoder_seconds(spec.encoder(0), sizes["encoder"]) for spec in specs)
            trained += there
            seconds += (most * draws - there) * each
            confirming_seconds += most * confirm.draws * each if confirm else 0
        at_once = max(1, cores // THREADS_PER_TASK)
        seconds, confirming_seconds = seconds / at_once, confirming_seconds / at_once
    most = sum(encodings.values())
    place = checked.source.place or "not on this machine, Keras would download it"
    return Plan(
        rows=len(config.rows),
        trials={name: block.trials for name, block in config.blocks.items() if block.trials},
        label_budgets=config.label_budgets,
        encoders_needed=most * draws,
        encoders_trained=trained,
        replicates=draws * config.replicates.classifiers,
        scored_on=config.scored_on,
        data=f"{checked.source.name}: {place}",
        seconds=seconds,
        confirming_encoders=most * confirm.draws if confirm else None,
        confirming_seconds=confirming_seconds if confirm else None,
        warnings=warnings,
    )


def undertrained_of(config: StudyConfig, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """The representations whose encoders may have too few updates to learn anything, a line each.

    Args:
        config: of the study.
        sizes: numbers of images, by part.
    """
    warnings = []
    for name, block in config.blocks.items():
        cells = [cell for cell in config.cells if cell.representation == name]
        if block.space is not None and block.trials:
            # Each setting gives more updates or fewer the larger it is: the fewest are at a corner.
            ends = [{each.smallest, each.largest} for each in block.space.of_encoders.values()]
            cells += _cells_of(block.space, name, ends)
        found = [bind(config.trial_spec(cell, "").representation) for cell in cells]
        updates = [
            each.updates(sizes["encoder"])
            for each in found
            if isinstance(each, TrainedRepresentation)
        ]
        known = [count for count in updates if count is not None]
        warnings.append(undertrained(name, min(known, default=None)))
    return tuple(filter(None, warnings))


def _most_encodings(config: StudyConfig, name: str) -> int:
    """How many encoders a representation asks for on each draw, at the most."""
    block = config.blocks[name]
    of_rows = {cell.encoding for cell in config.cells if cell.representation == name} - {None}
    if block.space is None:
        return len(of_rows)
    known = [encoding for encoding in of_rows if encoding is not None]
    return len(known) + int(min(block.trials, block.space.encodings(known)))


def _encoded(config: StudyConfig, name: str, cells: Iterable[Cell]) -> Collection[Cell]:
    """Cells of a representation that stand on encoders of their own: those that are likely, and
    all that there may be, where they are not too many to look at.
    """
    found = {cell.encoding: cell for cell in cells if cell.representation == name and cell.encoding}
    space = config.blocks[name].space
    if space is not None and config.blocks[name].trials and space.encodings() <= _MOST_SAMPLES:
        values = [each.values or () for each in space.of_encoders.values()]
        found |= {cell.encoding: cell for cell in _cells_of(space, name, values) if cell.encoding}
    return found.values()


def _cells_of(space: Space, name: str, values: Sequence[Iterable[float]]) -> Iterator[Cell]:
    """A cell for each combination of values of what encoders are trained with."""
    for combination in product(*values):
        of_encoders = dict(zip(space.of_encoders, combination, strict=True))
        yield Cell.of(name, {**space.smallest, **of_encoders}, None)


def _likely_cells(config: StudyConfig) -> Mapping[Cell, float]:
    """How many trials each cell stands for: the rows, and for a search cells across its space."""
    cells = defaultdict[Cell, float](float, dict.fromkeys(config.cells, 1.0))
    for name, block in config.blocks.items():
        if not block.trials or block.space is None:
            continue
        samples = min(block.trials, _MOST_SAMPLES)
        for number in range(samples):
            values = _likely_values(block.space, number)
            for budget in config.label_budgets:
                cells[Cell.of(name, values, budget)] += block.trials / samples
    return cells


def _likely_values(space: Space, number: int) -> dict[str, float]:
    """One of many points that fill a space: all choices in turn, and ranges evenly."""
    values, stride = {}, 1
    for step, (name, dimension) in zip(cycle(_STEPS), space.dimensions.items(), strict=False):
        if isinstance(dimension, Choices):
            values[name] = dimension.choices[number // stride % len(dimension.choices)]
            stride *= len(dimension.choices)
        else:
            values[name] = dimension.at((0.5 + number * step) % 1)
    return values
