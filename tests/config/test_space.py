"""What a space holds: laws of choices and ranges, and any number among a block's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sweep.config import Cell, Choices, Range, load_config, parse_config
from sweep.errors import ConfigError
from tests.cli.process import TINY
from tests.search.builders import config

whole = st.integers(1, 2000)
real = st.floats(0.001, 1000, allow_nan=False)


@st.composite
def ranges(draw: st.DrawFn) -> Range[Any]:
    """Whole and real ones, with a step, with points, or with neither."""
    is_whole = draw(st.booleans())
    kind: type[Range[Any]] = Range[int] if is_whole else Range[float]
    number = whole if is_whole else real
    low, high = sorted((draw(number), draw(number)))
    form = draw(st.sampled_from(["step", "points", "neither"]))
    extra: dict[str, Any] = {}
    if form == "points":
        extra["points"] = draw(st.integers(2, 30))
    if form == "step":
        smallest = max((high - low) / 50, 1e-3)
        extra["step"] = max(1, round(smallest)) if is_whole else smallest
    return kind(low=low, high=high, log=draw(st.booleans()), **extra)


@given(ranges(), st.floats(0, 1, exclude_max=True))
@example(Range[float](low=0.5, high=453.0, step=9.05), 0.0)  # the last step is rounded up
def test_what_is_drawn_is_of_the_range(each: Range[Any], u: float) -> None:
    """A value among its values, where they have an end; and the nearest of one is itself."""
    value = each.at(u)
    assert each.smallest <= value <= each.largest <= each.high
    assert isinstance(value, int) is each.is_whole
    if each.values is not None:
        assert value in each.values
    assert each.nearest(value) == value


@given(ranges(), st.data())
def test_a_value_lies_within_its_share(each: Range[Any], data: st.DataObject) -> None:
    """Of a range, of what a bound leaves of it, and of a list of values."""
    if each.values is None:
        return
    value = data.draw(st.sampled_from(each.values[:50]))
    most = data.draw(st.floats(value, each.high))
    left = each.upto(most)
    assert left.values is not None
    assert list(left.values) == [every for every in each.values if every <= most]
    choices = Choices[Any](choices=tuple(each.values[:50]))
    for values in (each, left, choices):
        share = values.share(value)
        assert 0 <= share < 1
        assert values.at(share) == value
    assert list(choices.upto(value).values) == [every for every in choices.values if every <= value]


def test_a_range_of_one_real_number_has_an_end() -> None:
    """A search would look for another one forever."""
    for log in (False, True):
        only = Range[float](low=0.5, high=0.5, log=log)
        assert only.values == [0.5]
        assert only.at(0.9) == only.nearest(0.5) == 0.5


def test_any_number_among_a_block_s_settings_may_vary(tmp_path: Path) -> None:
    """Under its own name; a cell's spec has its values, and nothing else is changed."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    space = "representations.vae.space"
    study = load_config(
        path,
        [
            f"{space}.beta={{low: 0.1, high: 4.0, log: true}}",
            f"{space}.epochs={{choices: [1, 2]}}",
            f"{space}.classifier.learning_rate={{low: 0.0001, high: 0.01, log: true}}",
        ],
    )
    block = study.blocks["vae"]
    assert block.space is not None
    names = list(block.space.dimensions)
    assert names == ["latent_dim", "epochs", "beta", "classifier.learning_rate", "hidden_neurons"]
    values = dict(zip(names, (2, 1, 0.5, 0.003, 7), strict=True))
    spec = study.trial_spec(Cell.of("vae", values, None), "0" * 64)
    plain = study.trial_spec(Cell(representation="vae", latent_dim=2, hidden_neurons=7), "0" * 64)
    settings = plain.representation.settings
    assert spec.representation.settings == settings | {"beta": 0.5, "epochs": 1}
    assert spec.classifier == plain.classifier.model_copy(update={"learning_rate": 0.003})
    as_usual = study.trial_spec(Cell.of("vae", values | {"beta": 1.0}, None), "0" * 64)
    assert "beta" not in as_usual.representation.settings
    again = parse_config(study.identity | {"execution": {}}, "test")
    assert again.identity == study.identity


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"beta": {"low": -1.0, "high": 1.0}}, "space.beta.low: must be greater than or equal"),
        ({"epochs": {"low": 1.5, "high": 3}}, "space.epochs.low: must be a valid integer"),
        ({"beta": {"low": 0.0, "high": 1.0, "log": True}}, "has no logarithm"),
        ({"epochs": {"low": 1, "high": 9, "step": 2, "points": 3}}, "take one of them"),
        ({"classifier.momentum": {"choices": [1]}}, "space.classifier.momentum: unknown key"),
        ({"precision": {"choices": ["float32"]}}, "space.precision: unknown key"),
    ],
)
def test_what_cannot_be_searched_is_named(space: dict[str, Any], message: str) -> None:
    """By its key, with what would be right."""
    tree = config(vae=1).model_dump()
    tree["representations"]["vae"]["space"] |= space
    with pytest.raises(ConfigError) as raised:
        parse_config(tree, "test")
    assert message in raised.value.message


def test_what_older_versions_stored_is_read() -> None:
    """They wrote that pixels have no latent dimension; and neither step, points nor start-up."""
    tree = config(vae=1, pixels=1).identity
    for block in tree["representations"].values():
        for each in (block or {"space": {}})["space"].values():
            if each is not None:
                each.pop("step", None)
                each.pop("points", None)
    tree["search"].pop("startup_trials")
    old = tree["representations"]["pixels"]["space"]
    tree["representations"]["pixels"]["space"] = {"latent_dim": None, **old}
    assert parse_config(tree, "test").identity == config(vae=1, pixels=1).identity


def test_a_grid_wants_an_end() -> None:
    """A real range has none without a step or points."""
    tree = config("grid", vae=1).model_dump()
    tree["representations"]["vae"]["space"]["beta"] = {"low": 0.5, "high": 2.0}
    with pytest.raises(ConfigError, match=r"a grid needs 'step' or 'points'"):
        parse_config(tree, "test")
    tree["representations"]["vae"]["space"]["beta"]["points"] = 3
    assert parse_config(tree, "test").searches


def test_confirming_wants_a_search() -> None:
    """Rows alone select nothing."""
    tree = config(rows=[{"representation": "pixels", "hidden_neurons": 3}]).model_dump()
    tree["confirm"] = {"draws": 2, "classifiers": 1}
    with pytest.raises(ConfigError, match="confirm: needs a search"):
        parse_config(tree, "test")
