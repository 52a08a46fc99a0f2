"""Encoders as workers make them: from what their specs read to what they write, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sweep.configuration import ClassifierTraining, FractionsPartition, RepresentationSpec
from sweep.data.datasets import DatasetSource
from sweep.errors import DivergedError
from sweep.evaluation.assessments import make_assessment
from sweep.evaluation.encoders import make_encoder
from sweep.evaluation.models import make_model
from sweep.evaluation.training import make_draw
from sweep.evaluation.workbench import Workbench
from sweep.home import Home
from sweep.specs import Artifact, AssessmentSpec, EncoderSpec, ModelSpec, TrialSpec

PARTITION = FractionsPartition(
    scheme="fractions", encoder=0.02, classifier=0.02, validation=0.48, test=0.48
)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    home = Home.at(tmp_path / "home")
    home.create()
    return Workbench(home, DatasetSource.of("mnist-5k", None))


def trial(bench: Workbench, name: str, **settings: float) -> TrialSpec:
    return TrialSpec(
        data=bench.dataset.sha256,
        partition=PARTITION,
        seed=1,
        draws=1,
        members=1,
        representation=RepresentationSpec(
            name=name,
            latent_dim=None if name == "pixels" else 3,
            settings={} if name in ("pca", "pixels") else {"epochs": 1, **settings},
        ),
        hidden_neurons=4,
        classifier=ClassifierTraining(epochs=1, batch_size=50, learning_rate=0.001),
        labels_from="classifier",
        scored_on="validation",
        threads=1,
    )


def encoder(spec: TrialSpec) -> EncoderSpec:
    (found,) = spec.encoders
    return found


def ignore(_fraction: float) -> None:
    """Nobody watches."""


def kept(home: Home) -> set[Artifact]:
    """What a home keeps by content."""
    places = {
        "encoder": home.encoders,
        "checkpoint": home.checkpoints,
        "draw": home.draws,
        "assessment": home.assessments,
        "model": home.models,
    }
    return {
        Artifact(kind, path.name.removesuffix(".json"))  # type: ignore[arg-type]  # the kinds above
        for kind, place in places.items()
        for path in place.iterdir()
    }


@pytest.mark.parametrize("name", ["vae", "autoencoder", "pca", "pixels"])
def test_work_reads_and_writes_what_its_spec_says(bench: Workbench, name: str) -> None:
    """In a home that holds what is read, just what is written appears; the checkpoint goes."""
    spec = trial(bench, name)
    for each in spec.encoders:
        record = make_encoder(each, bench, ignore)
        assert kept(bench.home) == {each.writes[0]}
        assert record.updates == (None if name == "pca" else 1)  # 100 images are one batch
    (draw,) = spec.outer_draws
    before = kept(bench.home)
    assert before == set(draw.reads)
    make_draw(draw, bench, ignore)
    assert kept(bench.home) - before == set(draw.writes)
    assessment = AssessmentSpec(trial=spec)
    make_assessment(assessment, bench, ignore)
    model = ModelSpec(trial=spec, draw=0, member=0)
    make_model(model, bench, ignore)
    written = {*draw.writes, *assessment.writes, *model.writes}
    assert kept(bench.home) - before == written


def test_what_has_diverged_leaves_no_checkpoint(bench: Workbench) -> None:
    """Nothing good would come of going on from there."""
    spec = encoder(trial(bench, "vae", learning_rate=1e6))
    with pytest.raises(DivergedError):
        make_encoder(spec, bench, ignore)
    assert kept(bench.home) == set()


@pytest.mark.slow
def test_beta_weighs_the_kl_and_an_autoencoder_has_none(bench: Workbench) -> None:
    """The loss is what is made small: reconstruction and beta times the KL, or the former alone."""
    for beta in (0.0, 0.5, 4.0):
        history = make_encoder(encoder(trial(bench, "vae", beta=beta)), bench, ignore).history
        expected = np.add(history["reconstruction_loss"], beta * np.array(history["kl"]))
        np.testing.assert_allclose(history["loss"], expected, rtol=1e-6)
    history = make_encoder(encoder(trial(bench, "autoencoder")), bench, ignore).history
    assert "kl" not in history
    assert history["loss"] == history["reconstruction_loss"]
