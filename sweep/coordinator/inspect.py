"""Looking without touching: what a config would do, and how studies stand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sweep.config import THREADS_PER_TASK, Cell, Choices, StudyConfig, parse_config
from sweep.coordinator.estimate import encoder_seconds, trial_seconds
from sweep.data.datasets import DatasetSource
from sweep.database import readable
from sweep.errors import ConfigError, UnknownStudyError
from sweep.home import Home
from sweep.representations import REPRESENTATIONS
from sweep.representations.store import EncoderStore
from sweep.results import DataFacts
from sweep.search.attempt import Attempt, State
from sweep.search.figures import Titled, figures
from sweep.search.history import History, best_attempt
from sweep.search.ledger import Ledger, study_names
from sweep.search.sampling import check_sampler
from sweep.search.storage import Storage, open_storage

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


def plan(
    config: StudyConfig, home: Home, source: DatasetSource, storage_url: str, cores: int
) -> Plan:
    """Work out what running a config would do; trains, downloads and writes nothing.

    Raises:
        DataError: the dataset is at hand and not what it should be.
        ConfigError: the sampler's packages are not installed.
    """
    check_sampler(config)
    config = config.settled(_begun_with(home, storage_url, config.name))
    file = source.local_file()
    cells = _likely_cells(config)
    encoded = {(cell.representation, cell.latent_dim): cell for cell in cells if _trained(cell)}
    seconds, trained = None, 0
    if file is not None:
        dataset = source.load()
        sizes = config.part_sizes(dataset.labels)
        seconds = 0.0
        for cell, number in cells.items():
            spec = config.trial_spec(cell, dataset.sha256)
            # Where nothing is searched, every row is trained again to be assessed.
            times = 1 if config.searches else 2
            seconds += times * number * trial_seconds(spec, sizes[spec.labels_from])
        published = set(EncoderStore(home).list_keys())
        for cell in encoded.values():
            spec = config.trial_spec(cell, dataset.sha256)
            keys = (spec.encoder(draw).key for draw in range(spec.draws) if published)
            there = sum(key in published for key in keys)
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
    )


def _begun_with(home: Home, url: str, name: str) -> dict[str, Any] | None:
    """The config with which a study began; None if it has not."""
    try:
        return Ledger(_storage(home, url), name).config
    except UnknownStudyError:
        return None


def _trained(cell: Cell) -> bool:
    return REPRESENTATIONS[cell.representation].is_trained


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


@dataclass(frozen=True)
class Status:
    """How one study stands."""

    study: str
    target: int
    complete: int
    failed: int
    interrupted: int
    running: int
    waiting: int
    best: Attempt | None
    failures: Sequence[Attempt]
    """The last attempts at what has failed and is not tried again."""


@dataclass(frozen=True)
class Recorded:
    """What is recorded of a study, for its report."""

    config: StudyConfig
    data: DataFacts
    attempts: Sequence[Attempt]
    environments: Sequence[Mapping[str, Any]]
    """The different machines and versions that it was run with."""
    figures: Callable[[], Sequence[Titled]]
    """Draws Optuna's own plots."""


@dataclass(frozen=True)
class Stored(Recorded):
    """A study as its storage holds it."""

    retried: frozenset[int]
    """Numbers of failed attempts that were queued again."""


def open_study(home: Home, url: str, name: str) -> Stored:
    """What a study's storage holds of it; read only.

    Raises:
        UnknownStudyError: there is no study of this name.
    """
    storage = _storage(home, url)
    ledger = Ledger(storage, name)
    if ledger.config is None or ledger.data is None:
        raise UnknownStudyError(f"the study '{name}' was never begun")
    source = f"the config stored with the study '{name}'"
    try:
        config = parse_config(ledger.config, source)
    except ConfigError as error:
        raise ConfigError(
            error.message, hint="the study was made by another version of sweep"
        ) from None
    if config.name != name:  # which may be no name for a file
        raise ConfigError(f"{source} is that of '{config.name}'")
    return Stored(
        config=config,
        data=ledger.data,
        attempts=ledger.attempts(),
        retried=ledger.retried,
        environments=ledger.environments,
        figures=partial(figures, storage, config),
    )


def study_list(home: Home, url: str) -> list[str]:
    """The names of all studies."""
    return [] if _is_missing(home, url) else study_names(_storage(home, url))


def statuses(home: Home, url: str, name: str | None) -> list[Status]:
    """How one study, or every study, stands.

    Raises:
        UnknownStudyError: there is no study of this name.
    """
    found = []
    for each in study_list(home, url) if name is None else [name]:
        try:
            stored = open_study(home, url, each)
        except UnknownStudyError:
            if name is not None:
                raise
            continue  # its creation was cut short, or another program made it
        latest = {attempt.spec.key: attempt for attempt in stored.attempts}.values()
        states = Counter(attempt.state for attempt in latest)
        history = History(stored.config, stored.attempts, stored.retried)
        at = history.progress
        found.append(
            Status(
                study=each,
                target=at.target,
                complete=at.complete,
                failed=at.failed,
                interrupted=states[State.INTERRUPTED],
                running=at.running,
                waiting=at.waiting,
                best=best_attempt(stored.config, stored.attempts),
                failures=history.failed,
            )
        )
    return found


def _is_missing(home: Home, url: str) -> bool:
    return url == f"sqlite:///{home.optuna_db}" and not home.optuna_db.exists()


def _storage(home: Home, url: str) -> Storage:
    """The studies' storage, which looking must not create."""
    if _is_missing(home, url):
        raise UnknownStudyError(
            f"there is no study in the home {home.root}",
            hint="name another home with --home DIR or SWEEP_HOME",
        )
    return open_storage(readable(url))
