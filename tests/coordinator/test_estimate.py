"""Rough times: more work takes longer."""

from __future__ import annotations

from typing import Any

import pytest

from sweep.configuration import ClassifierTraining, RepresentationSpec
from sweep.coordinator.estimate import Pace, encoder_seconds, trial_seconds
from tests.builders import VAE_SETTINGS, trial_spec


@pytest.mark.parametrize(
    "more",
    [
        {"draws": 10},
        {"members": 6},
        {"hidden_neurons": 4000},
        {"classifier": ClassifierTraining(epochs=500, batch_size=256, learning_rate=0.001)},
    ],
)
def test_more_work_takes_longer(more: dict[str, Any]) -> None:
    """In every dimension of a trial."""
    assert trial_seconds(trial_spec(**more), 10_000) > trial_seconds(trial_spec(), 10_000)


def test_an_encoder_s_time_grows_with_its_epochs() -> None:
    """And is far above its classifiers'."""
    longer = RepresentationSpec(name="vae", latent_dim=10, settings=VAE_SETTINGS | {"epochs": 70})
    short = encoder_seconds(trial_spec().encoder(0), 48_996)
    assert encoder_seconds(trial_spec(representation=longer).encoder(0), 48_996) > 1.9 * short
    assert short > 10 * trial_seconds(trial_spec(draws=1), 13_859)


def test_pace_is_the_mean_of_what_was_seen() -> None:
    """And unknown before."""
    pace = Pace()
    assert pace.mean("vae") is None
    pace.note("vae", 1.0)
    pace.note("vae", 3.0)
    assert pace.mean("vae") == 2.0
