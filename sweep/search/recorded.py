"""All that is recorded of a study, for its report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sweep.config import StudyConfig, parse_config
from sweep.errors import ConfigError, UnknownStudyError
from sweep.results import Assessment, DataFacts, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt
from sweep.search.figures import Titled, figures
from sweep.search.ledger import Ledger
from sweep.search.storage import Storage


@dataclass(frozen=True)
class Recorded:
    """What a study's ledger holds at one moment."""

    config: StudyConfig
    data: DataFacts
    attempts: Sequence[Attempt]
    retried: frozenset[int]
    """Numbers of failed attempts that were queued again."""
    environments: Sequence[Mapping[str, Any]]
    """The different machines and versions that it was run with."""
    encoders: Mapping[str, EncoderRecord]
    """Those that its trials stand on, by key."""
    assessments: Mapping[str, Assessment]
    """By the assessment's key."""
    confirmations: Mapping[str, TrialResult]
    """Results of the trials that confirm what was selected, by key."""
    figures: Callable[[], Sequence[Titled]]
    """Draws Optuna's own plots."""


def recorded(storage: Storage, name: str) -> Recorded:
    """What a storage holds of a study.

    Raises:
        UnknownStudyError: there is no study of this name, or it was never begun.
        DamagedStorageError: something of it is not what was written.
        ConfigError: its config is none of this version's.
    """
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
    return Recorded(
        config=config,
        data=ledger.data,
        attempts=ledger.attempts(),
        retried=ledger.retried,
        environments=ledger.environments,
        encoders=ledger.encoders,
        assessments=ledger.assessments,
        confirmations=ledger.confirmations,
        figures=partial(figures, storage, config),
    )
