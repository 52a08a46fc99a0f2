"""Specs and keys: what changes a number changes the key, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sweep.configuration import ClassifierTraining, FractionsPartition, RepresentationSpec
from sweep.specs import SPEC, AssessmentSpec, ModelSpec, Spec, TrialSpec
from tests.builders import VAE_SETTINGS, trial_spec

FRACTIONS = {"encoder": 0.6, "classifier": 0.2, "validation": 0.1, "test": 0.1}
CHANGES: dict[str, Any] = {
    "data": "1" * 64,
    "partition": FractionsPartition(scheme="fractions", **FRACTIONS),
    "seed": 1,
    "members": 4,
    "representation": RepresentationSpec(name="vae", latent_dim=11, settings=VAE_SETTINGS),
    "hidden_neurons": 201,
    "classifier": ClassifierTraining(epochs=51, batch_size=256, learning_rate=0.001),
    "labels_from": "encoder",
    "scored_on": "validation",
    "threads": 2,
    "device": "gpu",
}


def test_a_spec_survives_json() -> None:
    """Out and in again it is equal, with the same keys."""
    for change in ({}, *({field: value} for field, value in CHANGES.items())):
        spec = trial_spec(**change)
        again = TrialSpec.model_validate_json(spec.model_dump_json())
        assert again == spec
        keys = [(each.key, each.outer_draws[1].key, each.encoder(1).key) for each in (spec, again)]
        assert keys[0] == keys[1]


@pytest.mark.parametrize(
    "spec",
    [
        trial_spec().encoder(1),
        trial_spec().outer_draws[1],
        AssessmentSpec(trial=trial_spec()),
        ModelSpec(trial=trial_spec(), draw=1, member=2),
    ],
    ids=lambda spec: spec.kind,
)
def test_a_piece_of_work_survives_json_as_what_it_is(spec: Spec) -> None:
    """Its JSON says its kind."""
    again = SPEC.validate_json(spec.model_dump_json())
    assert (type(again), again, again.key, again.label) == (type(spec), spec, spec.key, spec.label)


@pytest.mark.parametrize("field", CHANGES)
def test_every_field_is_in_the_key(field: str) -> None:
    """Changing it changes the trial's key and its draws' keys."""
    spec, changed = trial_spec(), trial_spec(**{field: CHANGES[field]})
    assert changed.key != spec.key
    assert changed.outer_draws[0].key != spec.outer_draws[0].key


def test_a_changed_copy_has_a_key_of_its_own() -> None:
    """Though the key of what it was copied from is known already."""
    spec = trial_spec()
    keys = {spec.key, spec.model_copy(update={"hidden_neurons": 7}).key}
    assert keys == {spec.key, trial_spec(hidden_neurons=7).key}
    assert len(keys) == 2


@pytest.mark.parametrize("setting", VAE_SETTINGS)
def test_every_setting_of_the_encoder_is_in_its_key(setting: str) -> None:
    """So no encoder stands for another."""
    settings = VAE_SETTINGS | {setting: "other" if setting == "precision" else 7}
    changed = RepresentationSpec(name="vae", latent_dim=10, settings=settings)
    assert trial_spec(representation=changed).encoder(0).key != trial_spec().encoder(0).key


@pytest.mark.parametrize(
    "field", ["members", "hidden_neurons", "classifier", "labels_from", "scored_on"]
)
def test_an_encoder_does_not_depend_on_the_classifier(field: str) -> None:
    """Trials that differ in their classifiers share their encoders."""
    changed = trial_spec(**{field: CHANGES[field]})
    assert changed.encoder(0).key == trial_spec().encoder(0).key


def test_what_is_made_on_a_gpu_is_something_else() -> None:
    """An encoder's key has its own device, and a trial's both."""
    on_cpu, classifiers, all_ = (
        trial_spec(**devices)
        for devices in ({}, {"device": "gpu"}, {"device": "gpu", "encoder_device": "gpu"})
    )
    assert [each.outer_draws[0].device for each in (on_cpu, classifiers, all_)] == [
        None,
        "gpu",
        "gpu",
    ]
    assert len({each.key for each in (on_cpu, classifiers, all_)}) == 3
    assert on_cpu.encoder(0).key == classifiers.encoder(0).key != all_.encoder(0).key


def test_draws_are_shared_by_studies_with_more_of_them() -> None:
    """The number of draws is in the trial's key, and in no draw's key."""
    few, many = trial_spec(draws=2), trial_spec(draws=5)
    assert few.key != many.key
    assert few.configuration_key == many.configuration_key
    keys = [draw.key for draw in many.outer_draws]
    assert [draw.key for draw in few.outer_draws] == keys[:2]
    assert len(set(keys)) == 5
    assert len({many.encoder(d).key for d in range(5)}) == 5


def test_what_is_left_at_its_default_is_in_no_key() -> None:
    """A field added later is None by default, in a spec and in its settings: old keys stay."""
    named: dict[str, Any] = {"optimizer": "rmsprop"}
    plain, default = (
        ClassifierTraining(epochs=50, batch_size=256, learning_rate=0.001, **more)
        for more in ({}, named)
    )
    keras2 = plain.model_copy(update={"optimizer": "keras2_rmsprop"})
    assert trial_spec(classifier=default).key == trial_spec(classifier=plain).key
    assert trial_spec(classifier=keras2).key != trial_spec(classifier=plain).key
    optimizers: tuple[Any, ...] = (None, "keras2_rmsprop")
    unset, set_ = (
        RepresentationSpec(
            name="vae", latent_dim=10, settings=VAE_SETTINGS | {"optimizer": optimizer}
        )
        for optimizer in optimizers
    )
    assert trial_spec(representation=unset) == trial_spec()
    assert trial_spec(representation=set_).encoder(0).key != trial_spec().encoder(0).key


def test_keys_do_not_change() -> None:
    """Stored encoders and results are found by them: a change here orphans all of them."""
    spec = trial_spec()
    assert AssessmentSpec(trial=spec).key == "71c9faf5f7ff696fe2ff953c33dd42c2"
    assert ModelSpec(trial=spec, draw=1, member=2).key == "8f0616331db54c21f6b054738391d1ad"
    assert spec.key == "9b81b70a67ab768671dbbe5cdfaaf010"
    assert spec.outer_draws[0].key == "0e1cb26e14d94077c19330354e91ecec"
    assert spec.encoder(0).key == "cd2e7c2d03b1dfeb0172e9053109c282"


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": "1"},
        {"seed": True},
        {"draws": 1.0},
        {"unknown": 1},
        {"scored_on": "train"},
        {"classifier": {"epochs": 1, "batch_size": 1, "learning_rate": float("nan")}},
        {"classifier": {"epochs": 0, "batch_size": 1, "learning_rate": 0.1}},
        {"partition": {"scheme": "fractions", **FRACTIONS, "test": 0.2}},
        {"partition": {"scheme": "thirds"}},
    ],
)
def test_what_is_not_a_spec_is_refused(fields: dict[str, Any]) -> None:
    """Loose types, unknown fields, numbers out of range, shares that do not add up."""
    with pytest.raises(ValidationError):
        trial_spec(**fields)
