"""Checking a home, its storage, and MLflow; and all that the doctor finds, in its order."""

from __future__ import annotations

import os
import shutil
import sqlite3
import urllib.request
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy.exc import SQLAlchemyError

from sweep.data.datasets import DatasetName, DatasetSource
from sweep.database import masked, readable, reason, sqlite_file
from sweep.doctor.finding import Finding
from sweep.doctor.machine import machine
from sweep.errors import DataError, SweepError
from sweep.home import Home
from sweep.lease import last_owner
from sweep.search.attempt import State
from sweep.search.ledger import Ledger, study_names
from sweep.search.storage import open_storage
from sweep.tracking import find_trial_run_ids
from sweep.tracking.connection import is_server
from sweep.tracking.relocation import misplaced
from sweep.workspace import Workspace

_LITTLE_DISK, _NO_DISK = 2e9, 1e8
_SERVER_SECONDS = 5


def examine(workspace: Workspace) -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    yield from machine()
    yield from _datasets(workspace.data)
    yield _place(workspace.home)
    yield _disk(workspace.home)
    storage = _storage(workspace.storage)
    yield storage
    if storage.level == "ok" and _exists(workspace.storage):
        yield from _studies(workspace)
    tracking = _tracking(workspace)
    yield tracking
    if tracking.level == "ok" and workspace.keeps_tracking:
        yield from _moved(workspace.home)
    yield from _encoders(workspace)
    yield _remains(workspace)


def _datasets(data_dir: Path | None) -> Iterator[Finding]:
    for name in get_args(DatasetName):
        try:
            file = DatasetSource.of(name, data_dir).local_file()
        except DataError as error:
            yield Finding(f"data {name}", "problem", error.message, "check SWEEP_DATA_DIR")
            continue
        if file is not None:
            yield Finding(f"data {name}", "ok", str(file))
        else:
            yield Finding(
                f"data {name}",
                "warning",
                "not on this machine; Keras would download it",
                "put its files into a directory and point SWEEP_DATA_DIR there",
            )


def _nearest(path: Path) -> Path:
    """The path itself, or the directory above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _place(home: Home) -> Finding:
    place = _nearest(home.root)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        mend = "choose another with --home DIR or SWEEP_HOME"
        return Finding("home", "problem", f"{home.root} cannot be written", mend)
    there = "" if place == home.root else " (not there yet; the first run makes it)"
    return Finding("home", "ok", f"{home.root}{there}")


def _disk(home: Home) -> Finding:
    free = shutil.disk_usage(_nearest(home.root)).free
    found = f"{free / 1e9:.1f} GB free"
    if free < _LITTLE_DISK:
        level: Literal["warning", "problem"] = "problem" if free < _NO_DISK else "warning"
        return Finding("disk", level, found, "free some; sweep store --prune may help")
    return Finding("disk", "ok", found)


def _exists(url: str) -> bool:
    file = sqlite_file(url)
    return file is None or file.exists()


def _database(name: str, file: Path, mend: str) -> Finding | None:
    """What is wrong with an SQLite file, if anything is; ``mend`` is for a damaged one."""
    try:
        connection = sqlite3.connect(_opened(file), uri=True)
        try:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            cause = "see that it may be read and written, and that no process keeps it locked"
            return Finding(name, "problem", f"{file} cannot be read: {error}", cause)
        answer = str(error)
    if answer == "ok":
        return None
    return Finding(name, "problem", f"{file} is damaged: {answer}", mend)


def _opened(file: Path) -> str:
    """How SQLite opens a file: where it may, for writing, so that it can undo the half transaction
    of a process that was killed.
    """
    url = f"sqlite:///{file.absolute()}"
    if (to_read := readable(url)) != url:
        return to_read.removeprefix("sqlite:///").removesuffix("&uri=true")
    return f"{file.absolute().as_uri()}?mode=rw"


def _storage(url: str) -> Finding:
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return Finding("studies", "ok", "none yet")
    mend = f"put back a copy of {file}, or move it away: encoders and draws are kept and reused"
    if file is not None and (problem := _database("studies", file, mend)):
        return problem
    try:
        names = study_names(open_storage(readable(url)))
    except SweepError as error:
        return Finding("studies", "problem", error.message, error.hint)
    return Finding("studies", "ok", f"{len(names)} in {masked(url)}")


def _studies(workspace: Workspace) -> Iterator[Finding]:
    storage = open_storage(readable(workspace.storage))
    for name in study_names(storage):
        attempts = Ledger(storage, name).attempts()
        latest = {attempt.spec.key: attempt for attempt in attempts}.values()
        states = Counter(attempt.state for attempt in latest)
        owner = last_owner(readable(workspace.storage), name)
        if owner is not None and owner.is_alive:
            yield Finding(f"study {name}", "ok", f"is being run by {owner}")
            continue
        dead = f", by {owner}" if owner else ""
        if running := states[State.RUNNING]:
            yield Finding(
                f"study {name}",
                "warning",
                f"{running} trials were running when their run died{dead}",
                "sweep run with the study's config: it takes over, and they run again",
            )
        elif failed := states[State.FAILED]:
            mend = f"sweep status {name} says why; sweep retry {name} queues them again"
            yield Finding(f"study {name}", "warning", f"{failed} trials failed", mend)
        else:
            yield Finding(f"study {name}", "ok", f"{states[State.COMPLETE]} trials are complete")
        yield from _unprojected(workspace, name, [a.number for a in attempts])


def _unprojected(workspace: Workspace, study: str, trials: Collection[int]) -> Iterator[Finding]:
    """What MLflow does not hold of a study that is not being run."""
    try:
        missing = set(trials) - set(find_trial_run_ids(workspace, study))
    except Exception:  # whatever MLflow raises: the finding on MLflow says why
        return
    if missing:
        found = f"MLflow lacks the runs of {len(missing)} trials"
        yield Finding(f"runs of {study}", "warning", found, f"sweep sync {study}")


def _encoders(workspace: Workspace) -> Iterator[Finding]:
    store = workspace.store
    keys = store.encoders.published()
    if damaged := [key for key in keys if not store.encoders.is_whole(key)]:
        found = f"{len(damaged)} of {len(keys)} are damaged: {', '.join(damaged)}"
        mend = "none is needed: who needs them sets them aside, and trains them again"
        yield Finding("encoders", "warning", found, mend)
    else:
        yield Finding("encoders", "ok", f"{len(keys)}, all of them whole")
    if half := store.half_trained():
        mend = "sweep run goes on with its study's; sweep store --prune removes what none needs"
        yield Finding("half-trained encoders", "warning", f"{len(half)}", mend)


def _tracking(workspace: Workspace) -> Finding:
    uri = workspace.tracking
    if uri.startswith(("http://", "https://")):
        try:
            with urllib.request.urlopen(  # noqa: S310  # http, as the line above says
                f"{uri.rstrip('/')}/health", timeout=_SERVER_SECONDS
            ):
                return Finding("MLflow", "ok", f"{masked(uri)} answers")
        except (OSError, ValueError) as error:
            mend = "start that server, or unset MLFLOW_TRACKING_URI; then sweep sync STUDY"
            found = f"{masked(uri)} does not answer: {reason(error)}"
            return Finding("MLflow", "problem", found, mend)
    file = None if is_server(uri) else sqlite_file(uri)
    if file is not None and not file.exists():
        return Finding("MLflow", "ok", "no runs yet")
    mend = f"move {file} away; sweep sync STUDY makes it anew"
    if file is not None and (problem := _database("MLflow", file, mend)):
        return problem
    return Finding("MLflow", "ok", masked(uri))


def _moved(home: Home) -> Iterator[Finding]:
    """Whether MLflow says of the artifacts that they lie elsewhere than in the home."""
    try:
        place = misplaced(home)
    except SQLAlchemyError as error:
        yield Finding(
            "artifacts",
            "problem",
            f"MLflow's runs cannot be read: {reason(error)}",
            f"move {home.mlflow_db} away; sweep sync STUDY makes it anew",
        )
        return
    if place is not None:
        there = "which is there too" if place.exists() else "which is not there"
        yield Finding(
            "artifacts",
            "warning",
            f"the home was moved, copied or mounted elsewhere: its runs say that their artifacts "
            f"lie in {place}, {there}",
            "none is needed but to open it: sweep ui, run, sync and register say first that they "
            f"lie in {home.mlartifacts}; mlflow's own commands do not",
        )


def _remains(workspace: Workspace) -> Finding:
    found = workspace.store.leftovers()
    if not found:
        return Finding("leftovers", "ok", "none")
    return Finding(
        "leftovers",
        "warning",
        f"{len(found)} of writes that were interrupted, or set aside as damaged",
        "sweep store --prune removes them",
    )
