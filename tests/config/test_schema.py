"""The JSON Schema of a config: it ships with the package, and says what the model says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from sweep.config import load_config, parse_config
from sweep.config.schema import SCHEMA, json_schema, keys_at
from sweep.errors import ConfigError
from tests.cli.process import TINY

ROOT = Path(__file__).parent.parent.parent
SHIPPED = sorted((ROOT / "study_configs").glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_that_ships_with_the_package_is_the_model_s() -> None:
    """To the last character, and a schema itself."""
    assert SCHEMA.read_text() == json_schema(), (
        "write it anew: uv run python -c 'from sweep.config import schema; "
        "schema.SCHEMA.write_text(schema.json_schema())'"
    )
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_name_the_schema_and_follow_it(path: Path) -> None:
    """By a path that leads from the config to the file; and so does what a study stores."""
    (named,) = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", path.read_text(), re.M)
    assert (path.parent / named).resolve() == SCHEMA.resolve()
    VALIDATOR.validate(read(path.read_text()))
    VALIDATOR.validate(read(load_config(path).to_yaml()))


@pytest.mark.parametrize(
    "text",
    [
        TINY,
        "{name: a, dataset: {path: a.npz}, rows: [{representation: pixels, hidden_neurons: 1}]}",
        "{name: a, dataset: mnist, partition: {encoder: .5, classifier: .3}, search: "
        "{startup_trials: auto}, representations: {vae: {optimizer: rmsprop, beta: 2, trials: 1, "
        "classifier: {epochs: 3}, space: {hidden_neurons: {choices: [1]}, latent_dim: "
        "{low: 1, high: 9}, classifier: {epochs: {choices: [1, 2]}}}}}}",
        "{name: a, dataset: mnist, representations: {pca: {trials: 1, space: {hidden_neurons: "
        "{choices: [1]}, latent_dim: {choices: [1]}, classifier.epochs: {low: 1, high: 3}}}}}",
    ],
)
def test_what_the_model_takes_the_schema_takes(text: str) -> None:
    """In each of the forms that a key may have."""
    parse_config(read(text), "test")
    VALIDATOR.validate(read(text))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sed", 1),
        ("name", "../x"),
        ("dataset", "cifar"),
        ("partition.scheme", "thirds"),
        ("replicates.draws", 0),
        ("representations.vea", {}),
        ("representations.vae.epoch", 1),
        ("representations.vae.optimizer", "adam"),
        ("representations.vae.space.latent_dim", [2, 4]),
        ("representations.vae.space", {"hidden_neurons": {"choices": [1]}}),
        ("representations.pixels.space.latent_dim", {"choices": [1]}),
        ("representations.pixels.space.classifier", {"momentum": {"choices": [1]}}),
        ("search.sampler", "best"),
        ("search.startup_trials", "many"),
        ("rows", [{"representation": "umap", "hidden_neurons": 1}]),
        ("rows", [{"representation": "pixels", "hidden_neurons": 1, "classifier": {"epochs": 1}}]),
        ("labels", [9]),
        ("execution.workers", "many"),
    ],
)
def test_what_the_schema_refuses_the_model_refuses(path: str, value: object) -> None:
    """Keys, types, names and bounds."""
    document = read(TINY)
    *above, last = path.split(".")
    place = document
    for key in above:
        place = place.setdefault(key, {})
    place[last] = value
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(ConfigError):
        parse_config(document, "test")


def test_keys_are_known_at_every_path() -> None:
    """Through blocks, lists, alternatives and names with dots."""
    assert {"name", "search", "rows"} <= set(keys_at([]))
    assert keys_at(["representations"]) == ["vae", "autoencoder", "pca", "pixels"]
    assert {"latent_dim", "classifier.epochs"} <= set(keys_at(["representations", "vae", "space"]))
    assert keys_at(["representations", "pca", "space", "latent_dim"])[:3] == [
        "choices",
        "low",
        "high",
    ]
    assert "batch_size" in keys_at(["rows", 3, "classifier"])
    assert keys_at(["nothing", 3]) == []
