"""Registering what a study has chosen as one model, image to ten probabilities."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sweep.artifacts.store import MODEL_FILE
from sweep.config import StudyConfig
from sweep.coordinator.engine import open_executor
from sweep.coordinator.events import Done, GivenUp
from sweep.coordinator.labels import Labels
from sweep.coordinator.reproduction import check_classifiers, is_exact
from sweep.coordinator.runs import attempt_run
from sweep.coordinator.scheduler import Scheduler
from sweep.coordinator.selected import selected_attempts
from sweep.coordinator.studies import open_study
from sweep.data.datasets import DatasetSource
from sweep.database import masked, reason
from sweep.errors import TargetMissedError
from sweep.lease import lease
from sweep.machine import environment
from sweep.results import ModelRecord, Replicate, TrialResult
from sweep.search.attempt import Attempt
from sweep.search.recorded import Recorded
from sweep.search.space import is_within_bounds
from sweep.specs import ModelSpec, TrialSpec
from sweep.tracking import Tracker
from sweep.tracking.deadline import answer_of
from sweep.tracking.registry import (
    Version,
    check_model_name,
    describe_version,
    find_version,
    register_model,
)
from sweep.tracking.relocation import relocated
from sweep.workspace import Workspace

_EXAMPLES = 2
_ASKING_SECONDS = 60.0


@dataclass(frozen=True)
class Registered:
    """What was registered."""

    version: Version
    uri: str
    """Where MLflow keeps it."""
    description: str


def register_study(
    workspace: Workspace,
    name: str,
    min_accuracy: float | None,
    model_name: str | None,
    say: Callable[[str], None],
) -> Registered:
    """Register the classifier that a study has chosen, trained again if it was not kept.

    Args:
        workspace: where the study is.
        name: of the study.
        min_accuracy: None for the most accurate configuration; a fraction for the one with the
            fewest parameters at inference among those that are as accurate as that.
        model_name: of the registered model; None for the study's.
        say: is told what goes on.

    Raises:
        UnknownStudyError: there is no study of this name.
        StudyBusyError: another process is running the study.
        TargetMissedError: no trial is complete, or none is as accurate; or MLflow did not take it.
        DataError: the classifier does not come out as it is recorded.
    """
    check_model_name(model_name or name)
    stored = open_study(workspace, name)
    with lease(workspace, name):
        attempt, trial, result = choose(stored, min_accuracy)
        replicate = median_replicate(result)
        spec = ModelSpec(trial=trial, draw=replicate.draw, member=replicate.member)
        source = DatasetSource.of(stored.config.dataset, workspace.data)
        models = workspace.store.models
        record = models.record(spec.key) if models.is_whole(spec.key) else None
        if record is None:
            say(f"Training draw {spec.draw + 1} of {attempt.label} again ...")
            record = _make_model(workspace, source, spec, stored.config)
        environments = [*stored.environments, environment()]
        if record.again is not None and is_exact(trial, environments, stored.encoders):
            check_classifiers(trial, [replicate], [record.again])
        how = "on which it was chosen"
        if trial.first_draw is not None:
            how = "on a draw that its search had not seen"
        description = (
            f"{attempt.label}, trial {attempt.number} of the study {name}: draw "
            f"{spec.draw + 1}, classifier {spec.member + 1}, the median of its "
            f"{len(result.replicates)} by accuracy; {100 * record.accuracy:.2f} % on the "
            f"{trial.scored_on} partition, {how}"
        )
        examples = source.load().images[:_EXAMPLES]
        try:
            tracker, version = answer_of(
                workspace.tracking,
                lambda: (
                    Tracker(workspace, name, stored.data, Labels(stored.config).params),
                    find_version(workspace.tracking, model_name or name, spec.key),
                ),
                _ASKING_SECONDS,
            )
            if version is None:
                run_id = tracker.trial_run_ids().get(attempt.number)
                here = relocated(workspace.home) if workspace.keeps_tracking else nullcontext()
                with here, _output_to(workspace.home.logs / name / "register.log"):
                    version = register_model(
                        tracker.uri,
                        run_id or tracker.project(attempt_run(attempt)),
                        model_name or name,
                        spec.key,
                        models.path(spec.key) / MODEL_FILE,
                        examples,
                        {"sweep.study": name, "sweep.trial": str(attempt.number)},
                    )
            describe_version(tracker.uri, version, description)
        except Exception as error:  # whatever MLflow raises
            raise TargetMissedError(
                f"MLflow ({masked(workspace.tracking)}) did not take the model: {reason(error)}",
                hint="sweep doctor says what mends MLflow; the model is kept in the home, and the "
                "same command tries again",
            ) from error
    return Registered(version, tracker.uri, description)


class Chosen(NamedTuple):
    """What a study has chosen."""

    attempt: Attempt
    trial: TrialSpec
    """What the result is of: the attempt's own spec, or the one that confirms it."""
    result: TrialResult


def choose(recorded: Recorded, min_accuracy: float | None) -> Chosen:
    """The most accurate attempt; or the smallest of those that are accurate enough.

    Of a study that confirms what it selects, among what of that was confirmed and by that: what is
    selected no more is not chosen, however well it was confirmed. Nor is what exceeds a bound of
    the config.

    Raises:
        TargetMissedError: there is none.
    """
    config = recorded.config
    complete = [
        Chosen(attempt, attempt.spec, attempt.result)
        for attempt in recorded.attempts
        if attempt.result and is_within_bounds(config, attempt.cell)
    ]
    if config.confirm is not None:
        specs = [
            (attempt, config.confirming_spec(attempt.spec))
            for attempt in selected_attempts(recorded.attempts)
        ]
        confirmed = [
            Chosen(attempt, spec, recorded.confirmations[spec.key])
            for attempt, spec in specs
            if spec.key in recorded.confirmations
        ]
        if confirmed:
            complete = [each for each in confirmed if is_within_bounds(config, each.attempt.cell)]
    if not complete:
        raise TargetMissedError(
            f"no trial of the study {config.name} is complete yet",
            hint="sweep run goes on with it",
        )
    best = max(complete, key=lambda each: (each.result.accuracy, -each.result.inference_parameters))
    if min_accuracy is None:
        return best
    enough = [each for each in complete if each.result.accuracy >= min_accuracy]
    if not enough:
        raise TargetMissedError(
            f"no trial of the study {config.name} reaches an accuracy of {min_accuracy:g}; the "
            f"best, {best.attempt.label}, has {best.result.accuracy:.4f}",
            hint="accuracies are fractions, 0 to 1",
        )
    return min(enough, key=lambda each: (each.result.inference_parameters, -each.result.accuracy))


def median_replicate(result: TrialResult) -> Replicate:
    """The replicate in the middle by accuracy, the lower of two: neither luck nor bad luck."""
    ranked = sorted(result.replicates, key=lambda each: (each.accuracy, each.draw, each.member))
    return ranked[(len(ranked) - 1) // 2]


def _make_model(
    workspace: Workspace, source: DatasetSource, spec: ModelSpec, config: StudyConfig
) -> ModelRecord:
    """Have a worker train the model."""
    workspace.home.create()
    # On this machine, wherever the study ran: how it ran is no part of what is kept of it.
    with closing(open_executor(config, workspace, source, cluster=None)) as executor:
        scheduler = Scheduler(executor, workspace.store)
        scheduler.want(spec)
        for event in scheduler.events(lambda: False):
            match event:
                case Done(_, ModelRecord() as record):
                    return record
                case GivenUp(_, failure):
                    raise TargetMissedError(
                        f"the model could not be trained again: {failure.message}"
                    )
    raise AssertionError("a wanted model is made or given up")


@contextmanager
def _output_to(log: Path) -> Iterator[None]:
    """Send what libraries print, progress bars and notes of their C++ parts too, to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    before = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in zip((1, 2), before, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
