"""Checking a home, its storage, and MLflow; and all that the doctor finds, in its order."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy.exc import SQLAlchemyError

from sweep.data.datasets import DatasetName, DatasetSource
from sweep.database import masked, readable, reason, sqlite_file
from sweep.doctor.databases import damage
from sweep.doctor.finding import Finding
from sweep.doctor.machine import machine
from sweep.doctor.tracking import tracking
from sweep.errors import InputError, SweepError
from sweep.home import Home
from sweep.lease import last_owner
from sweep.results import Environment, numeric_kinds
from sweep.search.attempt import State
from sweep.search.ledger import Ledger, study_names
from sweep.search.storage import Storage, find_storage
from sweep.tracking import find_trial_run_ids
from sweep.tracking.relocation import misplaced
from sweep.workspace import Workspace

_LITTLE_DISK, _NO_DISK = 2e9, 1e8


def examine(workspace: Workspace) -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    yield from machine()
    yield from _datasets(workspace.data)
    yield _place(workspace.home)
    yield _disk(workspace.home)
    storage = _storage(workspace.storage)
    yield storage
    found = tracking(workspace.tracking)
    yield found
    if storage.level == "ok":
        yield from _studies(workspace, asks_mlflow=found.level == "ok")
    if found.level == "ok" and workspace.keeps_tracking:
        yield from _moved(workspace.home)
    yield from _encoders(workspace)
    yield _results(workspace)
    yield _remains(workspace)


def _datasets(data_dir: Path | None) -> Iterator[Finding]:
    for name in get_args(DatasetName):
        mend = "check SWEEP_DATA_DIR, and HOME"
        try:
            source = DatasetSource.of(name, data_dir)
            place = source.place
            if place is not None:
                mend = "put whole files in its place, or point SWEEP_DATA_DIR elsewhere"
                source.load()
        except InputError as error:
            yield Finding(f"data {name}", "problem", error.message, error.hint or mend)
            continue
        if place is not None:
            yield Finding(f"data {name}", "ok", place)
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


def _storage(url: str) -> Finding:
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return Finding("studies", "ok", "none yet")
    mend = f"put back a copy of {file}, or move it away: encoders and draws are kept and reused"
    if file is not None and (problem := damage("studies", file, mend)):
        return problem
    try:
        storage = find_storage(readable(url))
    except SweepError as error:
        return Finding("studies", "problem", error.message, error.hint)
    if storage is None:
        return Finding("studies", "ok", "none yet")
    names = study_names(storage)
    return Finding("studies", "ok", f"{len(names)} in {masked(url)}")


def _studies(workspace: Workspace, *, asks_mlflow: bool) -> Iterator[Finding]:
    storage = find_storage(readable(workspace.storage))
    if storage is None:
        return
    names = study_names(storage)
    projected: Mapping[str, Collection[int]] = {}
    if asks_mlflow and names:
        try:
            projected = find_trial_run_ids(workspace, names)
        except Exception as error:  # whatever MLflow raises
            found = f"{masked(workspace.tracking)} does not say which runs it holds: "
            mend = "see that server's log, then run sweep doctor again"
            yield Finding("MLflow's runs", "problem", found + reason(error), mend)
    for name in names:
        try:
            yield from _study(workspace, storage, name, projected.get(name))
        except InputError as error:  # such as that it is damaged: the others are looked at, too
            yield Finding(f"study {name}", "problem", error.message, error.hint)


def _study(
    workspace: Workspace, storage: Storage, name: str, projected: Collection[int] | None
) -> Iterator[Finding]:
    """How a study stands; ``projected`` are the trials whose runs MLflow holds, if it says so."""
    ledger = Ledger(storage, name)
    if ledger.is_another_program_s:
        yield Finding(f"study {name}", "ok", "another program made it, and it is left alone")
        return
    attempts = ledger.attempts()
    latest = {attempt.spec.key: attempt for attempt in attempts}.values()
    states = Counter(attempt.state for attempt in latest)
    owner = last_owner(readable(workspace.storage), name)
    if owner is not None and owner.is_alive:
        yield Finding(f"study {name}", "ok", f"is being run by {owner}")
        return
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
    yield from _mixed(name, ledger)
    missing = {attempt.number for attempt in attempts}.difference(projected or ())
    if projected is not None and missing:
        found = f"MLflow lacks the runs of {len(missing)} trials"
        yield Finding(f"runs of {name}", "warning", found, f"sweep sync {name}")


def _mixed(study: str, ledger: Ledger) -> Iterator[Finding]:
    """Whether a study's numbers come from machines or versions that differ in their last bits."""
    environments = [Environment.model_validate(e, strict=False) for e in ledger.environments]
    environments += [e.environment for e in ledger.encoders.values() if e.environment]
    kinds = numeric_kinds(environments)
    if kinds > 1:
        yield Finding(
            f"numbers of {study}",
            "warning",
            f"they come from {kinds} kinds of machines or versions, and differ in their last "
            "digits from what one of them would give",
            "none is needed to compare; its report's provenance lists them",
        )


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


def _results(workspace: Workspace) -> Finding:
    store = workspace.store
    damaged = [*store.draws.damaged(), *store.assessments.damaged()]
    damaged += [
        store.models.path(key) for key in store.models.published() if not store.models.is_whole(key)
    ]
    if not damaged:
        return Finding("draws, assessments, models", "ok", "all of them whole")
    names = ", ".join(str(path.relative_to(workspace.home.root)) for path in damaged)
    found = f"{len(damaged)} are damaged or edited: {names}"
    mend = "none is needed: who needs them sets them aside, and makes them again"
    return Finding("draws, assessments, models", "warning", found, mend)


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
