"""What pieces of work are called in a study that varies their settings."""

from __future__ import annotations

from typing import Any

import pytest

from sweep.api.encoders import find_encoder
from sweep.config import Cell, StudyConfig, parse_config
from sweep.coordinator.labels import Labels, told_apart
from sweep.coordinator.runs import attempt_run, encoder_run
from sweep.results import EncoderRecord
from sweep.search.attempt import Attempt
from sweep.specs import AssessmentSpec, TrialSpec
from tests.search.builders import FACTS, config


@pytest.fixture
def study() -> StudyConfig:
    """One that varies the weight of the VAE's divergence, and how its classifiers learn."""
    tree = config(vae=4, pixels=1).model_dump()
    tree["representations"]["vae"]["space"] |= {
        "beta": {"choices": [0.5, 1]},
        "classifier.learning_rate": {"choices": [0.1, 0.2]},
    }
    return parse_config(tree, "test")


def cell(beta: float, learning_rate: float = 0.1, latent_dim: int = 2) -> Cell:
    varied = {"beta": beta, "classifier.learning_rate": learning_rate}
    named = {"latent_dim": latent_dim, "hidden_neurons": 3, **varied}
    return Cell.of("vae", named, None)


def spec(study: StudyConfig, beta: float, latent_dim: int = 2) -> TrialSpec:
    return study.trial_spec(cell(beta, 0.2, latent_dim), FACTS.sha256)


def record(trial: TrialSpec) -> EncoderRecord:
    return EncoderRecord(
        spec=trial.encoder(0),
        history={},
        parameters=1,
        train_seconds=1.0,
        started_at=1,
        finished_at=2,
    )


def test_a_name_says_what_is_varied(study: StudyConfig) -> None:
    """Of encoders what is theirs, of all else the classifiers' settings, too; the notebook's
    values, which are in no spec, as well."""
    labels, trial = Labels(study), spec(study, 1)
    assert labels(trial.encoder(0)) == "encoder vae 2, beta 1, draw 1"
    told = "vae 2 → 3, beta 1, classifier.learning_rate 0.2"
    assert labels(trial.outer_draws[0]) == f"{told}, draw 1 of 1"
    assert labels(AssessmentSpec(trial=trial)) == f"assessing {told}"
    assert Labels(config(vae=4))(trial.encoder(0)) == trial.encoder(0).label
    run = encoder_run(record(spec(study, 0.5)), [], labels)
    assert run.name == "encoder vae 2, beta 0.5 · draw 1"


def test_a_name_changes_no_key(study: StudyConfig) -> None:
    """What is trained is what was trained before it had one."""
    trial = spec(study, 1)
    keys = [trial.key, trial.encoder(0).key, trial.outer_draws[0].key]
    Labels(study)(trial.encoder(0))
    plain = study.trial_spec(cell(1, 0.2), FACTS.sha256)
    assert [plain.key, plain.encoder(0).key, plain.outer_draws[0].key] == keys
    assert "beta" not in trial.representation.settings


@pytest.mark.parametrize("beta", [0.5, 1])
def test_the_call_of_an_encoder_gives_that_very_one(study: StudyConfig, beta: float) -> None:
    """Among those of other settings and other latent dimensions."""
    records = [record(spec(study, b, dims)) for b in (0.5, 1) for dims in (2, 4)]

    def encoder(latent_dim: int, draw: int, representation: str, **settings: Any) -> EncoderRecord:
        return find_encoder(records, latent_dim, draw, representation, settings)

    wanted = record(spec(study, beta, 4))
    call = encoder_run(wanted, [], Labels(study)).tags["sweep.python"]
    assert eval(call, {"encoder": encoder}) == wanted


def test_runs_have_all_that_is_varied_as_params(study: StudyConfig) -> None:
    """Under the names that MLflow's pages show: a run without one would be left out of a chart."""
    labels = Labels(study)
    assert labels.params == {"vae": ["vae.beta", "learning_rate"], "pixels": []}
    for beta, shown in ((0.5, "0.5"), (1, "1.0")):
        attempt = Attempt(
            number=0, spec=spec(study, beta), cell=cell(beta), attempt=1, started_at=0
        )
        params = attempt_run(attempt).params
        assert float(params["vae.beta"]) == float(shown)
        assert labels.params["vae"][1] in params
        of_encoder = encoder_run(record(spec(study, beta)), [], labels).params
        assert float(of_encoder["vae.beta"]) == float(shown)


def test_encoders_of_several_studies_are_told_apart(study: StudyConfig) -> None:
    """By the settings in which those of their representation differ, and by no others."""
    specs = [spec(study, beta, dims).representation for beta in (0.5, 1) for dims in (2, 4)]
    assert told_apart(specs) == [
        *("vae 2, beta 0.5", "vae 4, beta 0.5"),
        *("vae 2, beta 1", "vae 4, beta 1"),
    ]
    assert told_apart(specs[:2]) == ["vae 2", "vae 4"]
