"""Studies as they stand, looked at without touching them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweep.database import readable
from sweep.errors import HomeError, InputError, UnknownStudyError
from sweep.lease import Owner, last_owner, studies_run_in
from sweep.search.attempt import Attempt, State, interruption
from sweep.search.history import History, best_attempt
from sweep.search.ledger import study_names
from sweep.search.recorded import Recorded, recorded
from sweep.search.storage import Storage, find_storage
from sweep.workspace import Workspace

_LATEST = 5
_PAGE = "report.html"  # as coordinator.documents writes it, which would import all that draws


@dataclass(frozen=True)
class Part:
    """How the trials of one representation stand, and its encoders."""

    representation: str
    target: int
    complete: int
    failed: int
    interrupted: int
    running: int
    encoders: int
    """How many its trials stand on so far."""
    encoder_seconds: float
    """What those took to train."""
    best: Attempt | None


@dataclass(frozen=True)
class StudyStatus:
    """How one study stands; what its run left when it died is interrupted."""

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
    owner: Owner | None
    """The process that runs it, or ran it and died; None if its last run ended by itself."""
    representations: Sequence[Part]
    """Each of them, in the order of the registry."""
    latest: Sequence[Attempt]
    """The last attempts, the latest first."""
    scored_on: str
    """The partition that accuracies were taken on."""
    page: Path | None
    """The report's page in the home; None if it has none there."""


def open_study(workspace: Workspace, name: str) -> Recorded:
    """What a study's storage holds of it.

    Raises:
        UnknownStudyError: there is no study of this name.
        DamagedStorageError: something of it is not what was written.
        OutageError: the storage is out of reach.
    """
    return recorded(storage_to_look_at(workspace), name)


def is_running(workspace: Workspace, name: str) -> bool:
    """Whether a process runs a study at this moment."""
    owner = last_owner(readable(workspace.storage), name)
    return owner is not None and owner.is_alive


def study_list(workspace: Workspace) -> list[str]:
    """The names of all studies."""
    storage = _storage(workspace)
    return [] if storage is None else study_names(storage)


def statuses(workspace: Workspace) -> tuple[list[StudyStatus], list[InputError]]:
    """How every study stands; and of those that cannot be read, why."""
    storage = _storage(workspace)
    found: list[StudyStatus] = []
    unreadable: list[InputError] = []
    if storage is None:
        return found, unreadable
    for name in study_names(storage):
        try:
            found.append(_status(workspace, storage, name))
        except UnknownStudyError:
            continue  # its creation was cut short, or another program made it
        except InputError as error:
            unreadable.append(error)
    return found, unreadable


def status(workspace: Workspace, name: str) -> StudyStatus:
    """How one study stands.

    Raises:
        UnknownStudyError: there is no study of this name.
        DamagedStorageError: something of it is not what was written.
    """
    return _status(workspace, storage_to_look_at(workspace), name)


def _status(workspace: Workspace, storage: Storage, name: str) -> StudyStatus:
    owner = last_owner(readable(workspace.storage), name)  # before what it may be at
    stored = recorded(storage, name)
    attempts = stored.attempts
    if owner is not None and not owner.is_alive:
        attempts = [_as_left(attempt) for attempt in attempts]
    latest = {attempt.spec.key: attempt for attempt in attempts}.values()
    states = Counter(attempt.state for attempt in latest)
    history = History(stored.config, attempts, stored.retried)
    at = history.progress
    return StudyStatus(
        study=name,
        target=at.target,
        complete=at.complete,
        failed=at.failed,
        interrupted=states[State.INTERRUPTED],
        running=at.running,
        waiting=at.waiting,
        best=best_attempt(stored.config, attempts),
        failures=history.failed,
        owner=owner,
        representations=_parts(stored, list(latest), history.failed),
        latest=sorted(attempts, key=_last_seen, reverse=True)[:_LATEST],
        scored_on=stored.config.scored_on,
        page=report_page(workspace, name, begun_at(attempts)),
    )


def _parts(stored: Recorded, latest: Sequence[Attempt], failed: Sequence[Attempt]) -> list[Part]:
    """How each representation stands, by the latest attempt at each configuration."""
    config = stored.config
    rows = Counter(row.representation for row in config.rows)
    states = Counter((attempt.cell.representation, attempt.state) for attempt in latest)
    parts = []
    for name, block in config.blocks.items():
        encoders = [
            record for record in stored.encoders.values() if record.spec.representation.name == name
        ]
        parts.append(
            Part(
                representation=name,
                target=(rows[name] + block.trials) * len(config.label_budgets),
                complete=states[name, State.COMPLETE],
                failed=sum(attempt.cell.representation == name for attempt in failed),
                interrupted=states[name, State.INTERRUPTED],
                running=states[name, State.RUNNING],
                encoders=len(encoders),
                encoder_seconds=sum(record.train_seconds for record in encoders),
                best=best_attempt(config, (a for a in latest if a.cell.representation == name)),
            )
        )
    return parts


def _last_seen(attempt: Attempt) -> int:
    """When something happened to it last, in milliseconds since the epoch."""
    ended = attempt.result or attempt.failure
    return ended.finished_at if ended else attempt.started_at


def begun_at(attempts: Iterable[Attempt]) -> int:
    """When a study began its first trial, in milliseconds since the epoch; 0 if it has none."""
    return min((attempt.started_at for attempt in attempts), default=0)


def report_page(workspace: Workspace, study: str, begun: int) -> Path | None:
    """A study's report as it lies in the home among MLflow's artifacts; None if none is there.

    Args:
        workspace: with the home.
        study: the study's name.
        begun: when it began, in milliseconds since the epoch: what is older was another study's.
    """
    pages = workspace.home.mlartifacts.glob(f"{study}/*/artifacts/{_PAGE}")
    written = {page: 1000 * page.stat().st_mtime for page in pages}
    latest = max(written, key=lambda page: written[page], default=None)
    return latest if latest and written[latest] >= begun else None


def _as_left(attempt: Attempt) -> Attempt:
    """An attempt of a study whose owner is dead, as the next run will record it."""
    if attempt.state is not State.RUNNING:
        return attempt
    return attempt.model_copy(update={"failure": interruption()})


def storage_to_look_at(workspace: Workspace) -> Storage:
    """The studies' storage, which looking must not create.

    Raises:
        UnknownStudyError: there is none.
        HomeError: it cannot be opened.
    """
    storage = _storage(workspace)
    if storage is None:
        raise UnknownStudyError(
            f"there is no study in the home {workspace.home.root}",
            hint="name another home with --home DIR or SWEEP_HOME",
        )
    return storage


def _storage(workspace: Workspace) -> Storage | None:
    storage = find_storage(readable(workspace.storage))
    if storage is None:
        _refuse_lost_studies(workspace)
    elif workspace.keeps_storage:
        _refuse_strange_studies(workspace, study_names(storage))
    return storage


def _refuse_strange_studies(workspace: Workspace, found: Sequence[str]) -> None:
    """A storage of which no study was run in this home, where others were, is another home's."""
    run_here = studies_run_in(workspace.home)
    if found and run_here and run_here.isdisjoint(found):
        raise HomeError(
            f"{workspace.home.optuna_db} is another home's: it has {', '.join(found)}, and in "
            f"{workspace.home.root} ran {', '.join(sorted(run_here))}",
            hint="put back the home's own optuna.db",
        )


def _refuse_lost_studies(workspace: Workspace) -> None:
    """A home in which studies have trained and that has none is no empty home."""
    if workspace.keeps_storage and next(workspace.home.draws.glob("*.json"), None) is not None:
        raise HomeError(
            f"the home {workspace.home.root} has draws, and its studies are gone: there is no "
            f"{workspace.home.optuna_db}",
            hint="put back a copy of it; or run their configs again, which takes what is kept",
        )
