"""Where a report's numbers come from: all that one needs to get them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sweep.config import StudyConfig
from sweep.search.attempt import Attempt, State
from sweep.trial import DataFacts, EncoderRecord


def provenance(
    config: StudyConfig,
    data: DataFacts,
    attempts: Sequence[Attempt],
    environments: Sequence[Mapping[str, Any]],
    encoders: Sequence[EncoderRecord],
) -> dict[str, Any]:
    """A study's config, data, seeds, environments and durations, as JSON.

    Args:
        config: the study's config; every seed derives from its one.
        data: its dataset.
        attempts: all attempts, failed ones too.
        environments: the machines and versions that the study was run with.
        encoders: the encoders that its trials stand on, as far as they are still stored.
    """
    results = [attempt.result for attempt in attempts if attempt.result]
    return {
        "study": config.name,
        "dataset": data.model_dump(mode="json"),
        "seed": config.seed,
        "config": config.identity,
        "environments": list(environments),
        "attempts": {
            state.value: sum(attempt.state is state for attempt in attempts) for state in State
        },
        "began": _iso(min((attempt.started_at for attempt in attempts), default=None)),
        "ended": _iso(max((result.finished_at for result in results), default=None)),
        "train_seconds": sum(result.train_seconds for result in results),
        "encoder_seconds": sum(encoder.train_seconds for encoder in encoders),
    }


def _iso(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
