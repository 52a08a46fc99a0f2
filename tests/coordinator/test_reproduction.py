"""What is trained again is held against what is recorded of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep.artifacts import ArtifactStore
from sweep.coordinator.reproduction import check_classifiers, check_kept, check_trial, is_exact
from sweep.errors import DataError
from sweep.evaluation import trial_result
from sweep.home import Home
from sweep.results import Curves, DrawResult, EncoderRecord, Environment
from sweep.specs import TrialSpec
from tests.builders import trial_spec

TRIAL = trial_spec(draws=2, members=2)
HERE: dict[str, Any] = {"cpu": "a processor", "system": "a system", "packages": {"numpy": "2"}}


def draws(off: float = 0.0, epoch: int = 49) -> list[DrawResult]:
    """Those of the trial; the last classifier's accuracy is off by so much in an epoch."""
    curve = [0.01 * (1 + place) for place in range(50)]
    other = [value + off * (place == epoch) for place, value in enumerate(curve)]

    def curves(accuracy: list[float]) -> Curves:
        loss = tuple(curve)
        return Curves(
            train_loss=loss, train_accuracy=loss, val_loss=loss, val_accuracy=tuple(accuracy)
        )

    return [
        DrawResult(
            key=draw.key,
            draw=draw.draw,
            labels=100,
            members=(curves(curve), curves(other if draw.draw else curve)),
            seconds=1.0,
        )
        for draw in TRIAL.outer_draws
    ]


@pytest.mark.parametrize(("off", "epoch"), [(1e-9, 49), (0.2, 49), (1e-9, 3)])
def test_the_smallest_difference_in_any_epoch_is_named(off: float, epoch: int) -> None:
    """With the trial or its classifier, and what to do."""
    before, again = (trial_result(TRIAL, draws(each, epoch), 1, 2) for each in (0.0, off))
    check_trial(TRIAL, before, before.model_copy(update={"finished_at": 9, "train_seconds": 5.0}))
    named = "draw 2 of 2, classifier 2" if epoch == 49 else "vae 10 → 200"
    with pytest.raises(DataError, match=named) as raised:
        check_trial(TRIAL, before, again)
    assert f"draws/{TRIAL.outer_draws[1].key}.json" in str(raised.value.hint)
    if epoch == 49:
        with pytest.raises(DataError, match=named):
            check_classifiers(TRIAL, before.replicates[3:], again.replicates[3:])
    check_classifiers(TRIAL, before.replicates[:3], again.replicates[:3])


def test_what_the_home_keeps_of_all_draws_is_compared(tmp_path: Path) -> None:
    """As long as it keeps all of them: the files that differ are named."""
    home = Home.at(tmp_path)
    home.create()
    store, again = ArtifactStore(home), trial_result(TRIAL, draws(), 1, 2)
    first, second = TRIAL.outer_draws
    changed = draws(1e-6)
    store.draws.keep(first, changed[0])
    check_kept(TRIAL, store, again)
    store.draws.keep(second, changed[1])
    with pytest.raises(DataError, match="classifier 2") as raised:
        check_kept(TRIAL, store, again)
    assert str(store.draws.path(second.key)) in str(raised.value.hint)
    store.draws.path(second.key).unlink()
    store.draws.keep(second, draws()[1])
    check_kept(TRIAL, store, again)


def encoders(trial: TrialSpec, **environment: object) -> dict[str, EncoderRecord]:
    """Those of a trial, trained in this environment."""
    return {
        spec.key: EncoderRecord(
            spec=spec,
            history={},
            parameters=1,
            train_seconds=1.0,
            started_at=0,
            finished_at=1,
            environment=Environment.model_validate(HERE | environment, strict=False),
        )
        for spec in trial.encoders
    }


def test_bits_are_equal_on_one_kind_of_machine_alone() -> None:
    """All that it was trained on, with its encoders, whatever else of the machine differs."""
    known = encoders(TRIAL)
    assert is_exact(TRIAL, [HERE, HERE | {"cores": 64, "python": "3.99"}], known)
    assert not is_exact(TRIAL, [HERE, HERE | {"cpu": "another"}], known)
    assert not is_exact(TRIAL, [HERE, HERE | {"git_revision": "abc"}], known)
    assert not is_exact(TRIAL, [HERE], encoders(TRIAL, packages={"numpy": "3"}))
    assert not is_exact(TRIAL, [HERE], {})
    unknown = {
        key: record.model_copy(update={"environment": None}) for key, record in known.items()
    }
    assert not is_exact(TRIAL, [HERE], unknown)
    for device in ("device", "encoder_device"):
        assert not is_exact(TRIAL.model_copy(update={device: "gpu"}), [HERE], known)
