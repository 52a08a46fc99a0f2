"""What a study's ledger knows of where its numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sweep.reports.provenance import EncodersOrigin, Provenance
from sweep.results import EncoderRecord, Environment
from sweep.search.attempt import State
from sweep.search.recorded import Recorded


def provenance(recorded: Recorded, encoders: Sequence[EncoderRecord]) -> Provenance:
    """A study's provenance.

    Args:
        recorded: the study.
        encoders: the encoders that its trials stand on, as far as they are still recorded.
    """
    attempts = recorded.attempts
    results = [attempt.result for attempt in attempts if attempt.result]
    return Provenance(
        dataset=recorded.data,
        seed=recorded.config.seed,
        config=recorded.config.identity,
        environments=tuple(
            Environment.model_validate(each, strict=False) for each in recorded.environments
        ),
        encoders=_origins(encoders),
        attempts={
            state.value: sum(attempt.state is state for attempt in attempts) for state in State
        },
        began=_iso(min((attempt.started_at for attempt in attempts), default=None)),
        ended=_iso(max((result.finished_at for result in results), default=None)),
        train_seconds=sum(result.train_seconds for result in results),
        encoder_seconds=sum(encoder.train_seconds for encoder in encoders),
    )


def _origins(encoders: Sequence[EncoderRecord]) -> tuple[EncodersOrigin, ...]:
    """The encoders by the environment that trained them, in the order of their first training."""
    groups: dict[str, list[EncoderRecord]] = {}
    for encoder in sorted(encoders, key=lambda each: each.started_at):
        environment = encoder.environment
        groups.setdefault(environment.model_dump_json() if environment else "", []).append(encoder)
    return tuple(
        EncodersOrigin(
            count=len(group),
            began=_date(min(encoder.started_at for encoder in group)),
            ended=_date(max(encoder.finished_at for encoder in group)),
            environment=group[0].environment,
        )
        for group in groups.values()
    )


def _iso(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else _date(milliseconds)


def _date(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
