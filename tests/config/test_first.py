"""The config that ``sweep init`` writes."""

from __future__ import annotations

import json
import re
import urllib.parse
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from sweep.config import load_config
from sweep.config.first import write_first_config
from sweep.config.schema import SCHEMA
from sweep.errors import InputError


@pytest.mark.parametrize("name", ["my-study", "2024", "true", "a.b_c"])
def test_it_is_a_valid_config(name: str, tmp_path: Path) -> None:
    """Of the name that was asked for, and named by its file."""
    path = write_first_config(name, tmp_path)
    assert path == tmp_path / f"{name}.yaml"
    config = load_config(path)
    assert config.name == name
    assert config.searches
    assert f"sweep run {path.name}" in path.read_text()


def test_what_is_behind_a_comment_may_be_taken_in(tmp_path: Path) -> None:
    """Every key that it shows, and most are defaults; the schema that it names takes it all."""
    path = write_first_config("study", tmp_path)
    written = path.read_text()
    (uri,) = re.findall(r"\$schema=(\S+)$", written, re.M)
    schema = Path(urllib.parse.unquote(urllib.parse.urlparse(uri).path))
    assert schema == SCHEMA
    path.write_text(re.sub(r"^( *)# (?=[a-z]+: )", r"\1", written, flags=re.M))
    config = load_config(path)
    assert (config.confirm is not None, len(config.rows), len(config.label_budgets)) == (True, 1, 2)
    jsonschema.validate(YAML(typ="safe").load(path), json.loads(schema.read_text()))
    default = "|".join(("seed", "partition", "replicates", "learning_rate", "labels_from"))
    default += "|classifier|search|execution"
    path.write_text(re.sub(rf"^( *)# (?=({default}): )", r"\1", written, flags=re.M))
    defaults = load_config(path).identity
    path.write_text(written)
    assert defaults == load_config(path).identity


def test_the_schema_is_named_by_a_short_path_where_it_lies_below() -> None:
    """As in a clone of the project."""
    root = SCHEMA.parent.parent.parent
    path = root / "test-of-init.yaml"
    try:
        write_first_config("test-of-init", root)
        assert "$schema=sweep/config/study.schema.json\n" in path.read_text()
    finally:
        path.unlink()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file of that name stays as it is."""
    (tmp_path / "study.yaml").write_text("mine")
    with pytest.raises(InputError, match=r"study\.yaml is there already"):
        write_first_config("study", tmp_path)
    assert (tmp_path / "study.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "x" * 65, "a b"])
def test_a_name_that_no_study_can_have(name: str, tmp_path: Path) -> None:
    """It is said which can; nothing is written."""
    with pytest.raises(InputError) as raised:
        write_first_config(name, tmp_path)
    assert raised.value.hint is not None
    assert "letters, digits, '_', '.' and '-'" in raised.value.hint
    assert list(tmp_path.iterdir()) == []
