"""Encoders as workers make them: from what their specs read to what they write, and no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.artifacts import ArtifactStore, pack, unpack
from sweep.configuration import ClassifierTraining, FractionsPartition, RepresentationSpec
from sweep.data.datasets import DatasetSource
from sweep.errors import DivergedError
from sweep.evaluation.assessments import make_assessment
from sweep.evaluation.encoders import make_encoder
from sweep.evaluation.models import make_model
from sweep.evaluation.training import make_draw
from sweep.evaluation.workbench import Workbench
from sweep.home import Home
from sweep.specs import Artifact, AssessmentSpec, EncoderSpec, ModelSpec, Spec, TrialSpec

DIGITS = DatasetSource.of("mnist-5k", None)
PARTITION = FractionsPartition(
    scheme="fractions", encoder=0.02, classifier=0.02, validation=0.48, test=0.48
)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    home = Home.at(tmp_path / "home")
    home.create()
    return Workbench(home, DIGITS)


def trial(name: str, **settings: float) -> TrialSpec:
    return TrialSpec(
        data=DIGITS.load().sha256,
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


MAKERS: Mapping[str, Callable[[Any, Workbench, Callable[[float], None]], object]] = {
    "encoder": make_encoder,
    "draw": make_draw,
    "assessment": make_assessment,
    "model": make_model,
}


def ignore(_fraction: float) -> None:
    """Nobody watches."""


def kept(home: Home) -> set[Artifact]:
    """What a home keeps by content."""
    places = {
        "dataset": home.datasets,
        "encoder": home.encoders,
        "checkpoint": home.checkpoints,
        "draw": home.draws,
        "assessment": home.assessments,
        "model": home.models,
    }
    return {
        Artifact(kind, path.name.partition(".")[0])  # type: ignore[arg-type]  # the kinds above
        for kind, place in places.items()
        if place.exists()
        for path in place.iterdir()
    }


@pytest.mark.parametrize("name", ["vae", "autoencoder", "pca", "pixels"])
def test_work_reads_and_writes_what_its_spec_says(tmp_path: Path, name: str) -> None:
    """Where nothing is but what it reads, just what it writes appears, and that can be sent back.

    So a piece of work can be done on a machine that has no data, no home and no other piece.
    """
    home = Home.at(tmp_path / "home")
    home.create()
    store = ArtifactStore(home)
    store.datasets.keep(DIGITS.load())
    spec = trial(name)
    draw, assessment = spec.outer_draws[0], AssessmentSpec(trial=spec)
    model = ModelSpec(trial=spec, draw=0, member=0)
    works: tuple[Spec, ...] = (*spec.encoders, draw, assessment, model)
    for each in works:
        elsewhere = Home.at(tmp_path / each.kind)
        elsewhere.create()
        node = Workbench(elsewhere, None)
        for artifact in each.reads:
            package = pack(store, artifact)
            assert (package is None) == (artifact.kind == "checkpoint")
            if package is not None:
                unpack(node.store, artifact, package)
        before = kept(elsewhere)
        MAKERS[each.kind](each, node, ignore)
        written = set(each.writes) - {Artifact("checkpoint", each.key)}  # it goes at the end
        assert kept(elsewhere) - before == written
        for artifact in written:
            package = pack(node.store, artifact)
            assert package is not None
            unpack(store, artifact, package)
    made = {*draw.writes, *assessment.writes, *model.writes}
    assert made <= kept(home)
    records = [store.encoders.record(each.key) for each in spec.encoders]
    # 100 images are one batch; principal components take none.
    assert [each and each.updates for each in records] == [None if name == "pca" else 1] * len(
        records
    )


def test_what_has_diverged_leaves_no_checkpoint(bench: Workbench) -> None:
    """Nothing good would come of going on from there."""
    spec = encoder(trial("vae", learning_rate=1e6))
    with pytest.raises(DivergedError):
        make_encoder(spec, bench, ignore)
    assert kept(bench.home) == set()


@pytest.mark.slow
def test_beta_weighs_the_kl_and_an_autoencoder_has_none(bench: Workbench) -> None:
    """The loss is what is made small: reconstruction and beta times the KL, or the former alone."""
    for beta in (0.0, 0.5, 4.0):
        history = make_encoder(encoder(trial("vae", beta=beta)), bench, ignore).history
        expected = np.add(history["reconstruction_loss"], beta * np.array(history["kl"]))
        np.testing.assert_allclose(history["loss"], expected, rtol=1e-6)
    history = make_encoder(encoder(trial("autoencoder")), bench, ignore).history
    assert "kl" not in history
    assert history["loss"] == history["reconstruction_loss"]
