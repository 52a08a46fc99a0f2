"""What was trained again, against what is recorded of it.

On the kind of machine on which it was trained, and by the same version of this code, all is equal
to the last bit. Elsewhere only a worker compares, with a tolerance, and with what the home keeps of
a draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweep.artifacts import ArtifactStore
from sweep.errors import DataError
from sweep.evaluation import trial_result
from sweep.results import EncoderRecord, Environment, Replicate, TrialResult
from sweep.specs import Artifact, DrawSpec, TrialSpec


def is_exact(
    trial: TrialSpec,
    environments: Iterable[Mapping[str, Any]],
    encoders: Mapping[str, EncoderRecord],
) -> bool:
    """Whether a trial that is trained again comes out equal to the last bit.

    Args:
        trial: which.
        environments: of the machines that it may have been trained on, and is trained again on.
        encoders: what is known of those that it stands on, by key.
    """
    if trial.device or trial.encoder_device:
        return False  # the order of a GPU's sums is not ours
    known = [encoders.get(encoder.key) for encoder in trial.encoders]
    origins = [record.environment if record else None for record in known]
    kinds = [Environment.model_validate(each, strict=False) for each in environments]
    return None not in origins and len({_kind(each) for each in [*kinds, *origins] if each}) == 1


def _kind(environment: Environment) -> str:
    """Whose bits are the same: another version of this code may add up in another order."""
    version = environment.packages.get("latent-sweep")
    return repr((environment.numerics, version, environment.git_revision))


def check_trial(trial: TrialSpec, before: TrialResult, again: TrialResult) -> None:
    """See that a trial came out as it is recorded, in every classifier and every epoch.

    Raises:
        DataError: it did not.
    """
    check_classifiers(trial, before.replicates, again.replicates)
    if before.curves != again.curves:
        raise _other_numbers(trial.label, trial, "in some epoch it has other losses or accuracies")


def check_kept(trial: TrialSpec, store: ArtifactStore, again: TrialResult) -> None:
    """See that a trial came out as the home keeps its draws, if it keeps all of them.

    Raises:
        DataError: it did not.
    """
    kept = [store.draws.get(draw) for draw in trial.outer_draws]
    draws = [draw for draw in kept if draw is not None]
    if len(draws) < len(kept):
        return
    try:
        check_trial(trial, trial_result(trial, draws, 0, 0), again)
    except DataError as error:
        files = ", ".join(str(store.path(Artifact("draw", draw.key))) for draw in trial.outer_draws)
        raise DataError(
            error.message,
            hint=f"of these files, move those away that were changed: {files}",
        ) from error


def check_classifiers(
    trial: TrialSpec, before: Sequence[Replicate], again: Sequence[Replicate]
) -> None:
    """See that classifiers of a trial came out as they are recorded.

    Raises:
        DataError: one did not.
    """
    for was, now in zip(before, again, strict=True):
        if was != now:
            label = f"{DrawSpec(trial=trial, draw=was.draw).label}, classifier {was.member + 1}"
            raise _other_numbers(
                label,
                trial,
                f"it has an accuracy of {was.accuracy:.6f}, {was.accuracy_best_epoch:.6f} at its "
                f"best, and training again gives {now.accuracy:.6f} and "
                f"{now.accuracy_best_epoch:.6f}",
            )


def _other_numbers(label: str, trial: TrialSpec, how: str) -> DataError:
    files = " ".join(f"draws/{draw.key}.json" for draw in trial.outer_draws)
    return DataError(
        f"what is recorded of {label} is not what it comes to on this kind of machine: {how}",
        hint="something was changed before it was recorded: of the home, move away what is there "
        f"of {files}, remove the study, and run it again",
    )
