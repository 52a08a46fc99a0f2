"""Writing a bundle: from what a home knows of a study."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from sweep.artifacts import ArtifactStore
from sweep.bundles.contents import (
    LOCK,
    STUDY,
    SUMS,
    BundledAttempt,
    BundledStudy,
    Span,
    UnreadableError,
    listed,
    write_sums,
)
from sweep.bundles.verification import Verified, verify
from sweep.coordinator.documents import document, encoder_records, mlflow_run_ids, write_report
from sweep.coordinator.studies import open_study
from sweep.errors import HomeError, InputError, SweepError
from sweep.home import Home
from sweep.results import TrialResult
from sweep.search.recorded import Recorded
from sweep.specs import AssessmentSpec
from sweep.workspace import Workspace

_PACKAGE = "latent-sweep"


def write_bundle(workspace: Workspace, name: str, out: Path, *, with_encoders: bool) -> Verified:
    """Bundle a study, in place of what was bundled there before; and verify the bundle.

    Args:
        workspace: where the study is.
        name: of the study.
        out: the directory to make.
        with_encoders: whether the weights of its encoders go in, too.

    Raises:
        UnknownStudyError: there is no study of this name.
        HomeError: the home lacks a draw or an encoder that the study stands on.
        InputError: there is something else in the directory.
        SweepError: it cannot be written.
    """
    recorded = open_study(workspace, name)
    _check_free(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
            directory = Path(scratch) / out.name
            _fill(workspace, recorded, directory, with_encoders=with_encoders)
            verified = verify(directory)
            if out.exists():
                shutil.rmtree(out)
            directory.rename(out)
    except OSError as error:
        raise SweepError(
            f"the bundle cannot be written to {out}: {error.strerror or error}"
        ) from error
    return verified


def _check_free(out: Path) -> None:
    """See that nothing is overwritten but a bundle with nothing else in it."""
    if not out.exists():
        return
    known = {SUMS}
    with suppress(UnreadableError):  # then nothing of it is a bundle's
        known |= listed(out).keys()
    files = [path for path in sorted(out.rglob("*")) if path.is_file()] if out.is_dir() else [out]
    strange = [path for path in files if path.relative_to(out).as_posix() not in known]
    if not strange:
        return
    raise InputError(
        f"{out} is not empty, and no bundle alone: there is {strange[0]}",
        hint="name another directory with --out",
    )


def _fill(
    workspace: Workspace, recorded: Recorded, directory: Path, *, with_encoders: bool
) -> None:
    store, name = workspace.store, recorded.config.name
    run_ids = mlflow_run_ids(workspace, [name])[name]
    written = document(recorded, run_ids, store)
    write_report([replace(written, figures=lambda: ())], directory)
    encoders = encoder_records(recorded, store)
    study = BundledStudy(
        data=recorded.data,
        environments=tuple(dict(each) for each in recorded.environments),
        attempts=tuple(
            BundledAttempt(
                number=attempt.number,
                spec=attempt.spec,
                cell=attempt.cell,
                attempt=attempt.attempt,
                started_at=attempt.started_at,
                completed=_span(attempt.result) if attempt.result else None,
                failure=attempt.failure,
                mlflow_run_id=run_ids.get(attempt.number),
            )
            for attempt in recorded.attempts
        ),
        confirmed={key: _span(result) for key, result in recorded.confirmations.items()},
        encoders=tuple(encoders.values()),
    )
    (directory / STUDY).write_text(study.model_dump_json(indent=1) + "\n", encoding="utf-8")
    _copy_results(recorded, store, directory)
    if with_encoders:
        _copy_encoders(encoders, store, directory)
    (directory / LOCK).write_text("".join(f"{each}\n" for each in _installed()), encoding="utf-8")
    write_sums(directory)


def _span(result: TrialResult) -> Span:
    return Span(started_at=result.started_at, finished_at=result.finished_at)


def _copy_results(recorded: Recorded, store: ArtifactStore, directory: Path) -> None:
    """Every draw that the home has of the study, and what was assessed.

    Draws of trials that are not complete go in, too: whoever goes on with the study takes them.
    """
    config = recorded.config
    complete = [attempt.spec for attempt in recorded.attempts if attempt.result]
    trials = [attempt.spec for attempt in recorded.attempts]
    if config.confirm is not None:
        confirming = [config.confirming_spec(spec) for spec in complete]
        complete += [spec for spec in confirming if spec.key in recorded.confirmations]
        trials += confirming
    bundled = ArtifactStore(Home(directory.resolve()))
    for place in (directory / "draws", directory / "assessments"):
        place.mkdir()
    needed = {spec.key for spec in complete}
    for trial in trials:
        for draw in trial.outer_draws:
            result = store.draws.get(draw)
            if result is not None and not bundled.draws.path(draw.key).exists():
                bundled.draws.keep(draw, result)
            elif result is None and trial.key in needed:
                raise HomeError(
                    f"the home lacks {draw.label}: {store.draws.path(draw.key)} is not there, or "
                    "not what was written",
                    hint="bundle the study in the home that trained it",
                )
    for trial in complete:
        spec = AssessmentSpec(trial=trial)
        assessment = recorded.assessments.get(spec.key) or store.assessments.get(spec)
        if assessment is not None:
            bundled.assessments.keep(spec, assessment)


def _copy_encoders(keys: Iterable[str], store: ArtifactStore, directory: Path) -> None:
    for key in keys:
        if not store.encoders.is_whole(key):
            raise HomeError(
                f"the home does not have the encoder {key} any more, or not whole",
                hint="leave out --with-encoders",
            )
        shutil.copytree(store.encoders.path(key), directory / "encoders" / key)


def _installed() -> Iterator[str]:
    """The versions of this package, and of all that it needs, as far as they are installed."""
    found, waiting = dict[str, str](), [_PACKAGE]
    while waiting:
        name = waiting.pop()
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of another system, or an extra
            continue
        if package.name.lower() in found:
            continue
        found[package.name.lower()] = f"{package.name}=={package.version}"
        needs = [Requirement(each) for each in package.requires or ()]
        waiting += [each.name for each in needs if not each.marker or each.marker.evaluate()]
    yield from (found[name] for name in sorted(found))
