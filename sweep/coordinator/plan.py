"""What running a config would do."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

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
    """At the most, where latent dimensions are searched in a range."""
    encoders_trained: int
    replicates: int
    scored_on: str
    data: str
    """The dataset, and where it lies, or that it would be downloaded."""
    seconds: float | None
    """Rough, with all cores of this machine; None without the dataset at hand."""
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
    encoded = {cell.encoding: cell for cell in cells if cell.encoding}
    seconds, trained = None, 0
    warnings: tuple[str, ...] = ()
    if data is not None and sizes is not None:
        warnings = undertrained_of(config, sizes)
        seconds = 0.0
        for cell, number in cells.items():
            spec = config.trial_spec(cell, data.sha256)
            # Where nothing is searched, every row is trained again to be assessed.
            times = 1 if config.searches else 2
            seconds += times * number * trial_seconds(spec, sizes[spec.labels_from])
        published = set(workspace.store.encoders.published())
        for cell in encoded.values():
            spec = config.trial_spec(cell, data.sha256)
            there = sum(encoder.key in published for encoder in spec.encoders) if published else 0
            trained += there
            seconds += (spec.draws - there) * encoder_seconds(spec.encoder(0), sizes["encoder"])
        seconds /= max(1, cores // THREADS_PER_TASK)
    place = checked.source.place or "not on this machine, Keras would download it"
    return Plan(
        rows=len(config.rows),
        trials={name: block.trials for name, block in config.blocks.items() if block.trials},
        label_budgets=config.label_budgets,
        encoders_needed=len(encoded) * config.replicates.draws,
        encoders_trained=trained,
        replicates=config.replicates.draws * config.replicates.classifiers,
        scored_on=config.scored_on,
        data=f"{checked.source.name}: {place}",
        seconds=seconds,
        warnings=warnings,
    )


def undertrained_of(config: StudyConfig, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """The representations whose encoders have too few updates to learn anything, a line each.

    Args:
        config: of the study.
        sizes: numbers of images, by part.
    """
    cells = {cell.representation: cell for cell in _likely_cells(config)}
    warnings = []
    for name, cell in cells.items():
        representation = bind(config.trial_spec(cell, "").representation)
        if not isinstance(representation, TrainedRepresentation):
            continue
        warnings.append(undertrained(name, representation.updates(sizes["encoder"])))
    return tuple(filter(None, warnings))


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
