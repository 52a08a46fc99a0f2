"""What a bundle holds, and how it becomes a study again.

::

    <bundle>/config.yaml              the study's config, all defaults written out
    <bundle>/study.json               its attempts, encoders and machines: a BundledStudy
    <bundle>/draws/<key>.json         results of single draws, as a home keeps them
    <bundle>/assessments/<key>.json   scores on the test partition of what was selected, likewise
    <bundle>/encoders/<key>/          trained encoders, where they were asked for, likewise
    <bundle>/report.*  provenance.json  and the charts: what ``report --out`` writes
    <bundle>/requirements.lock        the packages that were installed when it was written
    <bundle>/SHA256SUMS               checksums of all of these, as ``sha256sum --check`` reads them

No number of the report is in ``study.json``: they follow from the draws and the assessments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sweep.artifacts import ArtifactStore
from sweep.config import Cell, StudyConfig, load_config
from sweep.coordinator.documents import Document, document
from sweep.errors import InputError
from sweep.evaluation import trial_result
from sweep.files import checksum
from sweep.home import Home
from sweep.results import Assessment, DataFacts, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt, Failure
from sweep.search.recorded import Recorded
from sweep.specs import AssessmentSpec, DrawSpec, TrialSpec
from sweep.values import Value

CONFIG, STUDY, SUMS, LOCK = "config.yaml", "study.json", "SHA256SUMS", "requirements.lock"


class Span(Value):
    """When something was trained, in milliseconds since the epoch."""

    started_at: int
    finished_at: int


class BundledAttempt(Value):
    """One try at one spec, without the numbers that came of it."""

    number: int
    """Optuna's trial number."""
    spec: TrialSpec
    cell: Cell
    attempt: int
    started_at: int
    """Milliseconds since the epoch."""
    completed: Span | None = None
    """None for what did not complete."""
    failure: Failure | None = None
    mlflow_run_id: str | None = None


class BundledStudy(Value):
    """What a study's ledger holds beside its config and its results."""

    format: Literal[1] = 1
    data: DataFacts
    environments: tuple[dict[str, Any], ...]
    """The different machines and versions that it was run with."""
    attempts: tuple[BundledAttempt, ...]
    confirmed: dict[str, Span]
    """When what was selected was confirmed, by the key of the trial that confirms it."""
    encoders: tuple[EncoderRecord, ...]


class UnreadableError(InputError):
    """A file of a bundle that its report follows from is missing, or no such file at all."""


@dataclass(frozen=True)
class Bundle:
    """A bundle as it lies on a disk. What its files say may not be what was written in them."""

    root: Path
    config: StudyConfig
    study: BundledStudy

    @staticmethod
    def at(path: Path) -> Bundle:
        """The bundle in a directory.

        Raises:
            InputError: there is none, or its config or its study cannot be read.
        """
        if not (path / STUDY).is_file():
            raise InputError(
                f"{path} is no bundle: there is no {path / STUDY}",
                hint="sweep bundle STUDY --out DIR makes one",
            )
        try:
            study = BundledStudy.model_validate_json((path / STUDY).read_bytes(), strict=False)
        except (OSError, ValueError) as error:  # pydantic's errors are ValueErrors
            raise UnreadableError(
                f"{path / STUDY} cannot be read: {str(error).splitlines()[0]}",
                hint="it was damaged, or written by another version of sweep",
            ) from error
        return Bundle(path, load_config(path / CONFIG), study)

    @property
    def store(self) -> ArtifactStore:
        """Its draws, assessments and encoders: it has the layout of a home."""
        return ArtifactStore(Home(self.root.resolve()))

    @property
    def confirming(self) -> Mapping[str, TrialSpec]:
        """The trials that confirm what was selected, by key."""
        if self.config.confirm is None:
            return {}
        specs = [self.config.confirming_spec(attempt.spec) for attempt in self.study.attempts]
        return {spec.key: spec for spec in specs if spec.key in self.study.confirmed}

    @property
    def _trials(self) -> list[TrialSpec]:
        """The trials that the report is of: those that are complete, and those that confirm."""
        complete = [attempt.spec for attempt in self.study.attempts if attempt.completed]
        return [*complete, *self.confirming.values()]

    @property
    def draws(self) -> Mapping[str, DrawSpec]:
        """The draws that the report follows from, by key, in the order of its trials."""
        return {draw.key: draw for trial in self._trials for draw in trial.outer_draws}

    @property
    def assessed(self) -> Iterator[AssessmentSpec]:
        """The assessments that it holds, of what was selected or what confirms that."""
        for trial in self._trials:
            spec = AssessmentSpec(trial=trial)
            if self.store.assessments.path(spec.key).exists():
                yield spec

    def recorded(self) -> Recorded:
        """The study as its ledger held it, worked out from draws and assessments as they are.

        Raises:
            UnreadableError: one of them is missing, or none at all.
        """
        return Recorded(
            config=self.config,
            data=self.study.data,
            attempts=[self._attempt(attempt) for attempt in self.study.attempts],
            retried=frozenset(),
            environments=self.study.environments,
            encoders={record.spec.key: record for record in self.study.encoders},
            assessments={spec.key: self._assessment(spec) for spec in self.assessed},
            confirmations={
                key: self._result(spec, self.study.confirmed[key])
                for key, spec in self.confirming.items()
            },
            figures=lambda: (),  # Optuna's own need its storage
        )

    def document(self, recorded: Recorded) -> Document:
        """The report of what was worked out."""
        run_ids = {
            attempt.number: attempt.mlflow_run_id
            for attempt in self.study.attempts
            if attempt.mlflow_run_id
        }
        return document(recorded, run_ids, self.store)

    def _attempt(self, attempt: BundledAttempt) -> Attempt:
        return Attempt(
            number=attempt.number,
            spec=attempt.spec,
            cell=attempt.cell,
            attempt=attempt.attempt,
            started_at=attempt.started_at,
            result=self._result(attempt.spec, attempt.completed) if attempt.completed else None,
            failure=attempt.failure,
        )

    def _result(self, spec: TrialSpec, span: Span) -> TrialResult:
        draws = []
        for draw in spec.outer_draws:
            claimed = self.store.draws.claimed(draw)
            is_its_own = claimed is not None and claimed.key == draw.key
            if claimed is None or not is_its_own or len(claimed.members) != spec.members:
                raise self._unreadable(self.store.draws.path(draw.key), draw.label)
            draws.append(claimed)
        try:
            return trial_result(spec, draws, span.started_at, span.finished_at)
        except ValueError as error:  # draws of different lengths
            raise self._unreadable(self.root / "draws", spec.label) from error

    def _assessment(self, spec: AssessmentSpec) -> Assessment:
        claimed = self.store.assessments.claimed(spec)
        if claimed is None or claimed.key != spec.key:
            raise self._unreadable(self.store.assessments.path(spec.key), spec.trial.label)
        return claimed

    def _unreadable(self, path: Path, label: str) -> UnreadableError:
        return UnreadableError(
            f"{path} is not there, or not what was written of {label}: without it, its numbers "
            "cannot be worked out",
            hint="put back a copy of it",
        )


def checksums(root: Path) -> dict[str, str]:
    """SHA-256 of every file below a bundle's root but the list itself, by its path from there."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    names = {path.relative_to(root).as_posix(): path for path in files}
    return {name: checksum(path.read_bytes()) for name, path in names.items() if name != SUMS}


def listed(root: Path) -> dict[str, str]:
    """The checksums of the files that a bundle was written with, as it lists them.

    Raises:
        UnreadableError: there is no list, or it cannot be read.
    """
    try:
        lines = (root / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{root / SUMS} cannot be read: {error}") from error
    return {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}


def write_sums(root: Path) -> None:
    """Write the list of a bundle's files as they are now."""
    lines = (f"{checksum}  {name}\n" for name, checksum in checksums(root).items())
    (root / SUMS).write_text("".join(lines), encoding="utf-8")
