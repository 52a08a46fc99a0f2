"""A study as data frames: what each line holds, and of which type.

What is None in a study is missing in a frame: ``NaN``, ``NaT``, or ``NA`` among whole numbers.
Accuracies are fractions; moments are in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from types import NoneType
from typing import Any, get_args, get_type_hints

import pandas as pd

from sweep.coordinator.documents import Document
from sweep.reports.rows import Row, row_name
from sweep.results import Assessment, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt
from sweep.search.recorded import Recorded
from sweep.specs import AssessmentSpec, TrialSpec

VARIED, SETTINGS = "varied.", "settings."
_MEASURED = (
    *("labels", "accuracy", "classifier_parameters", "representation_parameters"),
    *("inference_parameters", "train_seconds"),
)


@dataclass(frozen=True)
class Configured:
    """What says which configuration a line is of, in every frame but that of encoders."""

    trial: int
    """Optuna's number of the trial."""
    configuration: str
    representation: str
    latent_dim: int | None
    hidden_neurons: int
    label_budget: int | None


@dataclass(frozen=True)
class TrialLine(Configured):
    """A trial, however it stands."""

    attempt: int
    state: str
    labels: int | None
    accuracy: float | None
    classifier_parameters: int | None
    representation_parameters: int | None
    inference_parameters: int | None
    train_seconds: float | None
    started_at: datetime
    finished_at: datetime | None
    cause: str | None
    message: str | None
    key: str


@dataclass(frozen=True)
class ReplicateLine(Configured):
    """A trained classifier."""

    draw: int
    classifier: int
    encoder: str | None
    scored_on: str
    accuracy: float
    accuracy_best_epoch: float
    test_accuracy: float | None


@dataclass(frozen=True)
class EpochLine(Configured):
    """An epoch of a trial's classifiers, as means over its replicates."""

    scored_on: str
    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True)
class EncoderLine:
    """A trained encoder."""

    encoder: str
    representation: str
    latent_dim: int | None
    draw: int
    parameters: int
    train_seconds: float
    started_at: datetime
    finished_at: datetime


def trials(recorded: Recorded) -> pd.DataFrame:
    """A line for each trial."""
    return _frame(TrialLine, ((_trial(each), _varied(each)) for each in recorded.attempts))


def _trial(attempt: Attempt) -> TrialLine:
    result, failure = attempt.result, attempt.failure
    ended = result or failure
    measured: dict[str, Any] = {name: getattr(result, name, None) for name in _MEASURED}
    return TrialLine(
        **_configured(attempt),
        attempt=attempt.attempt,
        state=str(attempt.state),
        started_at=_moment(attempt.started_at),
        finished_at=_moment(ended.finished_at) if ended else None,
        cause=str(failure.cause) if failure else None,
        message=failure.message if failure else None,
        key=attempt.spec.key,
        **measured,
    )


def rows(document: Document) -> pd.DataFrame:
    """A line for each of the report's rows: its fields, after the trial and the configuration."""
    kept = [name for name in Row.model_fields if name not in ("replicates", "varied")]
    lines = []
    for attempt, row in zip(document.attempts, document.report.rows, strict=True):
        values = {name: getattr(row, name) for name in kept}
        first = {"trial": attempt.number, "configuration": row.name}
        lines.append(first | values | _prefixed(VARIED, row.varied))
    hints = {name: field.annotation for name, field in Row.model_fields.items() if name in kept}
    return _typed(lines, {"trial": int, "configuration": str} | hints)


def replicates(recorded: Recorded, assessments: Mapping[str, Assessment]) -> pd.DataFrame:
    """A line for each classifier of each complete trial, and of what confirms one.

    Args:
        recorded: the study.
        assessments: what the test partition says, by the assessment's key.
    """

    def lines() -> Iterator[tuple[ReplicateLine, Mapping[str, Any]]]:
        for attempt, spec, result in _results(recorded):
            assessed = assessments.get(AssessmentSpec(trial=spec).key)
            # Where the study itself is scored on the test partition there is no second score.
            tested = assessed.accuracies if assessed and spec.scored_on == "validation" else None
            for each in result.replicates:
                place = spec.draw_numbers.index(each.draw)
                line = ReplicateLine(
                    **_configured(attempt),
                    draw=each.draw,
                    classifier=each.member,
                    encoder=result.encoders[place] if result.encoders else None,
                    scored_on=spec.scored_on,
                    accuracy=each.accuracy,
                    accuracy_best_epoch=each.accuracy_best_epoch,
                    test_accuracy=tested[place][each.member] if tested else None,
                )
                yield line, _varied(attempt)

    return _frame(ReplicateLine, lines())


def curves(recorded: Recorded) -> pd.DataFrame:
    """A line for each epoch of each complete trial, and of what confirms one."""

    def lines() -> Iterator[tuple[EpochLine, Mapping[str, Any]]]:
        for attempt, spec, result in _results(recorded):
            values = result.curves.model_dump()
            for epoch, at_end in enumerate(zip(*values.values(), strict=True), start=1):
                line = EpochLine(
                    **_configured(attempt),
                    scored_on=spec.scored_on,
                    epoch=epoch,
                    **dict(zip(values, at_end, strict=True)),
                )
                yield line, _varied(attempt)

    return _frame(EpochLine, lines())


def encoders(records: Iterable[EncoderRecord]) -> pd.DataFrame:
    """A line for each encoder: the last values of its curves, and its settings, come last."""

    def lines() -> Iterator[tuple[EncoderLine, Mapping[str, Any]]]:
        for record in records:
            spec = record.spec
            line = EncoderLine(
                encoder=spec.key,
                representation=spec.representation.name,
                latent_dim=spec.representation.latent_dim,
                draw=spec.draw,
                parameters=record.parameters,
                train_seconds=record.train_seconds,
                started_at=_moment(record.started_at),
                finished_at=_moment(record.finished_at),
            )
            last = {name: curve[-1] for name, curve in record.history.items()}
            yield line, last | _prefixed(SETTINGS, spec.representation.settings)

    return _frame(EncoderLine, lines())


def _results(recorded: Recorded) -> Iterator[tuple[Attempt, TrialSpec, TrialResult]]:
    """What was trained: for each complete attempt its own result, and the one that confirms it."""
    config = recorded.config
    for attempt in recorded.attempts:
        if attempt.result is None:
            continue
        yield attempt, attempt.spec, attempt.result
        if config.confirm is not None:
            spec = config.confirming_spec(attempt.spec)
            if result := recorded.confirmations.get(spec.key):
                yield attempt, spec, result


def _configured(attempt: Attempt) -> dict[str, Any]:
    spec, cell = attempt.spec, attempt.cell
    return {
        "trial": attempt.number,
        "configuration": row_name(spec.representation, spec.hidden_neurons, dict(cell.varied)),
        "representation": spec.representation.name,
        "latent_dim": spec.representation.latent_dim,
        "hidden_neurons": spec.hidden_neurons,
        "label_budget": spec.label_budget,
    }


def _varied(attempt: Attempt) -> dict[str, Any]:
    return _prefixed(VARIED, dict(attempt.cell.varied))


def _prefixed(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}{name}": value for name, value in values.items()}


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _frame(kind: type, lines: Iterable[tuple[Any, Mapping[str, Any]]]) -> pd.DataFrame:
    """Lines of a kind, each with what only some of them have."""
    hints = get_type_hints(kind)
    columns = {field.name: hints[field.name] for field in fields(kind)}
    return _typed([vars(line) | further for line, further in lines], columns)


def _typed(lines: list[dict[str, Any]], columns: Mapping[str, Any]) -> pd.DataFrame:
    """A frame of lines: the columns that all of them have, by their types, and then the others."""
    further = dict.fromkeys(name for line in lines for name in line if name not in columns)
    frame = pd.DataFrame(lines, columns=[*columns, *further])
    types = {name: _dtype(annotation) for name, annotation in columns.items()}
    for name in further:
        if {type(line[name]) for line in lines if name in line} == {int}:
            types[name] = "Int64"
    return frame.astype({name: dtype for name, dtype in types.items() if dtype})


def _dtype(annotation: Any) -> str | None:
    """The type of a column; None where what pandas finds is right."""
    kinds = set(get_args(annotation)) or {annotation}
    if kinds - {NoneType} == {int}:
        return "Int64" if NoneType in kinds else "int64"
    of = {float: "float64", bool: "bool", datetime: "datetime64[ms, UTC]"}
    return next((dtype for kind, dtype in of.items() if kinds - {NoneType} == {kind}), None)
