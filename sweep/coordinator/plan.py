"""What running a config would do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweep.config import THREADS_PER_TASK, Cell, Choices, StudyConfig
from sweep.coordinator.estimate import encoder_seconds, trial_seconds
from sweep.coordinator.studies import begun_with
from sweep.data.datasets import DatasetSource
from sweep.representations import TrainedRepresentation, bind
from sweep.search.sampling import check_sampler
from sweep.workspace import Workspace

_FEW_UPDATES = 500
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
    """Where the dataset lies, or that it would be downloaded."""
    seconds: float | None
    """Rough, with all cores of this machine; None without the dataset at hand."""
    warnings: tuple[str, ...]
    """What will hardly be what was meant, a line each; none without the dataset at hand."""


def plan(config: StudyConfig, workspace: Workspace, cores: int) -> Plan:
    """Work out what running a config would do; trains, downloads and writes nothing.

    Raises:
        DataError: the dataset is at hand and not what it should be.
        ConfigError: the sampler's packages are not installed.
    """
    check_sampler(config)
    config = config.settled(begun_with(workspace, config.name))
    source = DatasetSource.of(config.dataset, workspace.data)
    file = source.local_file()
    cells = _likely_cells(config)
    encoded = {(cell.representation, cell.latent_dim): cell for cell in cells if cell.latent_dim}
    seconds, trained = None, 0
    warnings: tuple[str, ...] = ()
    if file is not None:
        dataset = source.load()
        sizes = config.part_sizes(dataset.labels)
        warnings = undertrained(config, sizes)
        seconds = 0.0
        for cell, number in cells.items():
            spec = config.trial_spec(cell, dataset.sha256)
            # Where nothing is searched, every row is trained again to be assessed.
            times = 1 if config.searches else 2
            seconds += times * number * trial_seconds(spec, sizes[spec.labels_from])
        published = set(workspace.store.encoders.published())
        for cell in encoded.values():
            spec = config.trial_spec(cell, dataset.sha256)
            there = sum(encoder.key in published for encoder in spec.encoders) if published else 0
            trained += there
            seconds += (spec.draws - there) * encoder_seconds(spec.encoder(0), sizes["encoder"])
        seconds /= max(1, cores // THREADS_PER_TASK)
    return Plan(
        rows=len(config.rows),
        trials={name: block.trials for name, block in config.blocks.items() if block.trials},
        label_budgets=config.label_budgets,
        encoders_needed=len(encoded) * config.replicates.draws,
        encoders_trained=trained,
        replicates=config.replicates.draws * config.replicates.classifiers,
        scored_on=config.scored_on,
        data=str(file) if file else f"{source.name}: not on this machine, Keras would download it",
        seconds=seconds,
        warnings=warnings,
    )


def undertrained(config: StudyConfig, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """The representations whose encoders have too few updates to learn anything, a line each.

    Args:
        config: of the study.
        sizes: numbers of images, by part.
    """
    specs = {
        c.representation: config.trial_spec(c, "").representation for c in _likely_cells(config)
    }
    warnings = []
    for name, spec in specs.items():
        representation = bind(spec)
        if not isinstance(representation, TrainedRepresentation):
            continue
        updates = representation.updates(sizes["encoder"])
        if updates is not None and updates < _FEW_UPDATES:
            warnings.append(
                f"{name}: {updates} updates are too few for an encoder to have learnt anything; "
                f"more epochs or a smaller batch_size would give it {_FEW_UPDATES} or more"
            )
    return tuple(warnings)


def _likely_cells(config: StudyConfig) -> Mapping[Cell, float]:
    """How many trials each cell stands for: the rows, and for a search cells across its space."""
    cells = defaultdict[Cell, float](float, dict.fromkeys(config.cells, 1.0))
    for name, block in config.blocks.items():
        if not block.trials or block.space is None:
            continue
        samples = min(block.trials, _MOST_SAMPLES)
        for number in range(samples):
            values: dict[str, Any] = {}
            for dimension in ("latent_dim", "hidden_neurons"):
                space = getattr(block.space, dimension)
                if isinstance(space, Choices):
                    values[dimension] = space.choices[number % len(space.choices)]
                elif space is not None:
                    at = (number + 0.5) / samples
                    values[dimension] = round(
                        space.low ** (1 - at) * space.high**at
                        if space.log
                        else space.low + at * (space.high - space.low)
                    )
            for budget in config.label_budgets:
                cell = Cell(representation=name, **values, label_budget=budget)
                cells[cell] += block.trials / samples
    return cells
