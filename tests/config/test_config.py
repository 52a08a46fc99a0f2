"""Study configs: read safely, checked to the last key, and refused with what to mend."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sweep.config import Cell, StudyConfig, load_config, parse_config
from sweep.configuration import ClassifierTraining, FractionsPartition
from sweep.errors import ConfigError
from sweep.values import json_checksum, without_nones
from tests.builders import VAE_SETTINGS
from tests.cli.process import TINY

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.mark.parametrize("shipped", sorted((ROOT / "study_configs").glob("*.yaml")), ids=str)
def test_shipped_configs_are_valid_and_say_how_to_run_them(shipped: Path) -> None:
    """Each begins with a comment that holds its command; its name is the file's stem."""
    assert load_config(shipped).name == shipped.stem
    text = shipped.read_text()
    assert text.startswith("# ")
    comment = text[: text.index("\nname:")]
    assert f"uv run sweep run study_configs/{shipped.name}" in comment


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("foo=1", "foo: unknown key"),
        ("representations.vae.foo=1", "representations.vae.foo: unknown key"),
        ("representations.umap={}", "representations.umap: unknown key"),
        ("execution.foo=1", "execution.foo: unknown key"),
        ("seed=a", "seed: must be a valid integer, and is 'a'"),
        ("seed=1.5", "seed: must be a valid integer, and is 1.5"),
        ("seed=-1", "seed: must be greater than or equal to 0, and is -1"),
        ("seed=true", "seed: must be a valid integer, and is True"),
        ("seed=99999999999999999999", "seed: must be less than"),
        (
            "dataset=cifar",
            "dataset: must be 'mnist', 'mnist-5k' or 'fashion-mnist', and is 'cifar'",
        ),
        ("dataset={path: 3}", "dataset.path: must be a valid string, and is 3"),
        ("dataset=[]", "dataset: must be a mapping"),
        ("name=../x", "name: must be of letters, digits, '_', '.' and '-', 64 at most"),
        ("name=a/b", "name: must be of letters"),
        ("name=.hidden", "name: must be of letters"),
        ("name=''", "name: must be of letters"),
        ("name=" + "x" * 65, "name: must have at most 64 characters"),
        ("partition.encoder=.7", "encoder + classifier + validation + test must be 1"),
        ("partition.encoder=0", "partition.encoder: must be greater than 0"),
        ("partition.scheme=thirds", "scheme must be one of fractions, notebook"),
        ("partition=half", "partition: "),
        ("partition={scheme: notebook}", "selecting on the test partition is a leak"),
        ("replicates.draws=0", "replicates.draws: must be greater than or equal to 1"),
        ("replicates=3", "replicates: must be a mapping"),
        ("representations=[]", "representations: must be a mapping"),
        ("representations.vae.classifier=null", "representations.vae.classifier: must be a"),
        ("representations.vae.classifier.epochs='3'", "classifier.epochs: must be a valid integer"),
        ("representations.vae.learning_rate=.inf", "learning_rate: must be a finite number"),
        (
            "representations.vae.precision=int8",
            "precision: must be 'float32', 'bfloat16' or 'auto'",
        ),
        ("representations.vae.space=null", "4 trials need a space"),
        ("representations.vae.space.latent_dim=null", "vae.space.latent_dim: missing"),
        (
            "representations.vae.space.latent_dim=4",
            "latent_dim: a single value is written {choices: [4]}",
        ),
        (
            "representations.vae.space.latent_dim=[2, 4, 8]",
            "latent_dim: a list of values is written {choices: [2, 4, 8]}",
        ),
        ("representations.vae.space.latent_dim=many", "latent_dim: must be a mapping"),
        ("representations.vae.space.latent_dim={choices: []}", "choices: must have at least 1"),
        ("representations.vae.space.latent_dim={choices: [2, 2]}", "stands in the list twice"),
        ("representations.vae.space.latent_dim={low: 3}", "latent_dim.high: missing"),
        ("representations.vae.space.latent_dim={low: 9, high: 3}", "low (9) is greater than high"),
        (
            "representations.pixels.space.latent_dim={low: 1, high: 2}",
            "representations.pixels.space.latent_dim: unknown key",
        ),
        (
            "search.sampler=best",
            "search.sampler: must be 'tpe', 'random', 'grid'",
        ),
        ("search.objectives=[]", "search.objectives: must have at least 1 item"),
        ("search.objectives=[accuracy, accuracy]", "stands in the list twice"),
        ("rows=3", "rows: must be a list"),
        ("rows.0.latent_dim=2", "rows.0: 'pixels' does not have latent_dim"),
        ("rows.0.representation=vae", "rows.0: 'vae' needs latent_dim"),
        (
            "rows.0.representation=umap",
            "rows.0.representation: must be 'vae', 'autoencoder', 'pca' or 'pixels', and is 'umap'",
        ),
        ("rows.0.hidden_neurons=0", "rows.0.hidden_neurons: must be greater than or equal to 1"),
        ("labels=[]", "labels: must have at least 1 item"),
        ("labels=100", "labels: must be a list"),
        ("labels=[9]", "labels.0: must be greater than or equal to 10"),
        ("labels=[some]", "labels.0: must be 'all'"),
        ("labels=[100, 100]", "labels: a value stands in the list twice"),
        ("execution.workers=0", "execution.workers: must be greater than or equal to 1"),
        ("execution.workers=many", "execution.workers: must be 'auto'"),
        ("execution.engine=slurm", "execution.engine: must be 'local' or 'ray'"),
        ("nothing", "is not of the form a.b.c=VALUE"),
        ("a.=3", "is not of the form a.b.c=VALUE"),
        ("rows.9.latent_dim=1", "rows has no entry 9"),
        ("rows.first.latent_dim=1", "rows has no entry first"),
        ("seed.x=1", "seed is a value and has nothing below it"),
        ("name=[x", "--set name, line 1: not valid YAML"),
        ("name=!!python/name:os.system", "not valid YAML"),
        ("name='a\\n'", "name: must be of letters"),
        ("dataset={path: ''}", "dataset.path: must have at least 1 character"),
        ('dataset={path: "~\\0/a.npz"}', "dataset.path: has a control character in it"),
        ("seed=0x" + "f" * 5000, "seed: must be less than 9223372036854775808, and is a number of"),
        (
            "seed=!!int ''",
            "--set seed, line 1: not valid YAML: not a value of tag:yaml.org,2002:int",
        ),
        ("a\nb\x1b[2J=1", r"a\nb\x1b[2J: unknown key"),
        ("a\nb.=1", r"--set 'a\nb.=1' is not of the form"),
        (".".join("a" * 60_000) + "=1", "is not of the form"),
    ],
)
def test_a_mistake_is_named(path: Path, override: str, message: str) -> None:
    """By its key path, with what would be right and what there is."""
    with pytest.raises(ConfigError) as raised:
        load_config(path, [override])
    assert message in raised.value.message
    assert raised.value.exit_status == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be a mapping"),
        (b"- a\n- b\n", "must be a mapping"),
        (b"name: [\n", "line 2: not valid YAML"),
        (b"name: a\nname: b\n", 'duplicate key "name"'),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"name: \x07", "not valid YAML"),
        (b"a: 1\nb: !!bool maybe", "line 2: not valid YAML: not a value of tag:yaml.org,2002:bool"),
        (b"a: 2020-99-99", "not valid YAML: not a value of tag:yaml.org,2002:timestamp"),
        (b"{[[1]]: 1}", "not valid YAML: a key that is a list or a mapping"),
        (b"a: 1\na: " + b"x" * 100_000, 'duplicate key "a"'),
        (b"&a {name: *a}", "not a valid study config"),
        (b"a: " + b"[" * 2000, "not valid YAML: nested more than 50 deep"),
        (b"#" * 1_000_001, "larger than"),
        (b"name: !!python/object/apply:os.system [true]", "not valid YAML"),
        (b"? {a: b}\n: c\n", "not valid"),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """With the file's name, and the line where YAML ends."""
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert message in raised.value.message
    assert "config.yaml" in raised.value.message
    assert len(raised.value.message) < 500


def test_a_name_is_shown_as_text(path: Path) -> None:
    """Whatever characters a row's representation has, the terminal gets none of them."""
    with pytest.raises(ConfigError, match=r"and is '\\u202e\\x1b'$"):
        load_config(path, [r'rows.0.representation="\u202E\e"'])


@pytest.mark.parametrize("kind", ["object/apply:os.mkdir", "object/new:os.mkdir", "name:os.mkdir"])
@pytest.mark.parametrize("by", ["file", "override"])
def test_a_config_runs_no_code(kind: str, by: str, path: Path, tmp_path: Path) -> None:
    """No tag builds an object of Python, in the file or on the command line."""
    evil = f"!!python/{kind} ['{tmp_path}/made']"
    if by == "file":
        path.write_text(TINY.replace("name: tiny", f"name: {evil}"))
    with pytest.raises(ConfigError, match="could not determine a constructor for the tag"):
        load_config(path, [f"name={evil}"] if by == "override" else [])
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("times", [2, 9])
def test_merged_mappings_cannot_grow(times: int, tmp_path: Path) -> None:
    """A kilobyte of mappings that merge others several times would else fill the memory."""
    lines = [f"a{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * times)}]}}\n" for n in range(40)]
    path = tmp_path / "config.yaml"
    path.write_text("a0: &a0 {k: 1}\n" + "".join(lines))
    with pytest.raises(ConfigError, match="a mapping of more than 200 keys"):
        load_config(path)


def test_a_mapping_may_merge_another(path: Path) -> None:
    """As configs do that write a classifier once."""
    classifier = "{epochs: 3, batch_size: 256, learning_rate: 0.001}"
    first, *others = TINY.split(classifier)
    merged = "{<<: *c, epochs: 7}".join(others)
    path.write_text(f"{first}&c {classifier}{merged}")
    blocks = load_config(path).blocks
    assert [blocks[name].classifier.epochs for name in ("vae", "pixels")] == [3, 7]


def test_an_override_changes_its_own_place_alone(path: Path) -> None:
    """Not every place that shares an anchor with it, nor what merges it."""
    space = "space: {latent_dim: {choices: [2, 3]}, hidden_neurons: {low: 4, high: 8}}"
    for other in ("*shared", "{<<: *shared}"):
        path.write_text(
            "name: a\ndataset: mnist-5k\nrepresentations:\n"
            f"  pca: &shared {{trials: 8, {space}}}\n  vae: {other}\n"
        )
        vae = "representations.vae"
        config = load_config(path, [f"{vae}.trials=3", f"{vae}.space.latent_dim.choices=[5]"])
        blocks = [config.identity["representations"][name] for name in ("vae", "pca")]
        assert [block["trials"] for block in blocks] == [3, 8]
        assert [block["space"]["latent_dim"]["choices"] for block in blocks] == [[5], [2, 3]]


@pytest.mark.timeout(30)
def test_ten_thousand_rows_are_a_config(path: Path) -> None:
    """What is compared with all before it is compared at once."""
    rows = [{"representation": "pixels", "hidden_neurons": n + 1} for n in range(10_000)]
    document = load_config(path).identity
    assert len(parse_config(document | {"rows": rows}, "many").rows) == 10_000
    with pytest.raises(ConfigError, match=r"rows\.9999: stands there twice"):
        parse_config(document | {"rows": [*rows[:-1], rows[0]]}, "many")


def test_every_problem_is_said_at_once(path: Path) -> None:
    """A user mends a config in one go."""
    with pytest.raises(ConfigError) as raised:
        load_config(path, ["seed=a", "replicates.draws=0", "foo=1"])
    assert len(raised.value.message.splitlines()) == 4


@pytest.mark.parametrize(
    "text",
    [
        'name: "\\ud83d\\ude00"',
        '"\\ud800": 1',
        'partition: {"\\udfff": 1}',
        'representations: {"\\ud800": {}}',
        'rows: [{"\\ud800": 1}]',
    ],
)
def test_halves_of_characters_are_refused(text: str, path: Path) -> None:
    """YAML's escapes can say them, in keys too; JSON's writers say one character as two halves."""
    path.write_text(text)
    with pytest.raises(ConfigError, match="must be whole characters"):
        load_config(path)
    path.write_text(TINY)
    with pytest.raises(ConfigError, match="must be whole characters"):
        load_config(path, ["\udcff=1"])  # a byte of the command line that is no text


@pytest.mark.parametrize("above", ["", "partition.", "representations.", "rows.0."])
@pytest.mark.parametrize("key", ["<", "<number>"])
def test_an_unknown_key_may_look_like_a_tag(above: str, key: str, path: Path) -> None:
    """Pydantic's tags of alternatives are left out of what is said, and nothing else is."""
    with pytest.raises(ConfigError, match=f"--set {above}{key}: unknown key"):
        load_config(path, [f"{above}{key}=[1]"])


def said(path: Path, text: str, *overrides: str, trials: int | None = None) -> list[str]:
    """What is said of a file, line by line, but for the first."""
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(path, overrides, trials)
    return [line.strip() for line in raised.value.message.splitlines()[1:]]


def test_what_must_hold_between_keys_is_said_with_the_rest(path: Path) -> None:
    """Of the space, the partition and the rows; and nothing that only follows from another."""
    text = """\
name: ../x
dataset: mnits
partition: {scheme: notebook}
sed: 1
confirm: {draws: 1, classifiers: 1}
search: {sampler: grid, max_parameters: 3}
representations:
  vae:
    trials: 3
    space:
      latent_dim: {choices: [2]}
      hidden_neurons: {low: 4, high: 8}
      beta: {low: 0.1, high: 2.0}
  pca: {trials: 2, space: {latent_dim: [2, 4], hidden_neurons: {low: 9, high: 2}}}
  pixels: {trails: 2, trials: 1}
rows:
  - {representation: vea, hidden_neurons: 3}
  - {representation: pixels, latent_dim: 2, hidden_neurons: 3}
"""
    lines = said(path, text)
    pixels = "line 15: representations.pixels"
    assert [line.partition(", and is ")[0] for line in lines] == [
        "line 1: name: must be of letters, digits, '_', '.' and '-', 64 at most, with a letter or "
        "a digit first",
        "line 2: dataset: must be 'mnist', 'mnist-5k' or 'fashion-mnist'",
        "line 3: partition: a search must select on a validation partition, and the scheme "
        "'notebook' has none: selecting on the test partition is a leak; use scheme: fractions, "
        "or rows instead of trials",
        "line 4: sed: unknown key; did you mean 'seed'?",
        "line 6: search.max_parameters: the smallest classifier in the space of 'vae' has 62, "
        "and this is 3",
        "line 13: representations.vae.space.beta: a grid needs 'step' or 'points' (or 'choices')",
        "line 14: representations.pca.space.hidden_neurons: low (9) is greater than high (2)",
        "line 14: representations.pca.space.latent_dim: a list of values is written "
        "{choices: [2, 4]}",
        f"{pixels}.space: 1 trials need a space to search",
        f"{pixels}.trails: unknown key; did you mean 'trials'?",
        "line 17: rows.0.representation: must be 'vae', 'autoencoder', 'pca' or 'pixels'",
        "line 18: rows.1: 'pixels' does not have latent_dim",
    ]
    assert lines[1].endswith("and is 'mnits'; did you mean 'mnist'?")
    assert lines[10].endswith("and is 'vea'; did you mean 'vae'?")


def test_what_options_have_set_is_said_of_them(path: Path) -> None:
    """A line of the file is named only for what stands there."""
    lines = said(
        path,
        TINY,
        "replicats.draws=3",
        "representations.vae.space.classifier.epoch={choices: [1]}",
        "rows=[{representation: pixels, hidden_neurons: none}]",
        trials=-1,
    )
    assert lines == [
        "--trials representations.vae.trials: must be greater than or equal to 0, and is -1",
        "--set representations.vae.space.classifier.epoch: unknown key; did you mean "
        "'classifier.epochs'?",
        "--trials representations.pixels.trials: must be greater than or equal to 0, and is -1",
        "--set rows.0.hidden_neurons: must be a valid integer, and is 'none'",
        "--set replicats: unknown key; did you mean 'replicates'?",
    ]


def test_lines_are_found_through_merges_and_nested_names(path: Path) -> None:
    """An anchor's line is where its values stand; what is missing is missed at its mapping."""
    text = """\
name: a
dataset: mnist
representations:
  pixels:
    trials: 1
    classifier: &c
      epochs: many
    space:
      hidden_neurons: {low: 2}
      classifier:
        epochs: 3
  pca:
    classifier: {<<: *c, batch_size: 3}
    learning_rate: 3
"""
    assert said(path, text) == [
        "line 7: representations.pca.classifier.epochs: must be a valid integer, and is 'many'",
        "line 7: representations.pixels.classifier.epochs: must be a valid integer, and is 'many'",
        "line 9: representations.pixels.space.hidden_neurons.high: missing",
        "line 11: representations.pixels.space.classifier.epochs: a single value is written "
        "{choices: [3]}",
        "line 14: representations.pca.learning_rate: unknown key; there are labels_from, "
        "classifier, trials, space",
    ]


def test_of_thousands_of_problems_a_screenful_is_said(path: Path) -> None:
    """The others are counted."""
    with pytest.raises(ConfigError) as raised:
        load_config(path, [f"rows={[1] * 1000}"])
    lines = raised.value.message.splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 980 more"


def test_overrides_reach_everywhere(path: Path) -> None:
    """Nested keys, list entries, YAML values, keys that were not set, scientific notation."""
    config = load_config(
        path,
        [
            "replicates={draws: 7, classifiers: 1}",
            "rows.0.hidden_neurons=11",
            "execution.workers=3",
            "representations.vae.learning_rate=1e-4",
            "search.objectives=[accuracy]",
        ],
        trials=5,
    )
    assert config.replicates.draws == 7
    assert config.cells == (Cell(representation="pixels", hidden_neurons=11),)
    assert config.execution.workers == 3
    assert config.trial_spec(
        Cell(representation="vae", latent_dim=2, hidden_neurons=4), "0"
    ).representation.settings["learning_rate"] == pytest.approx(1e-4)
    trials = {name: block.trials for name, block in config.blocks.items()}
    assert trials == {"vae": 5, "pca": 0, "pixels": 5}


def test_a_config_survives_its_own_yaml(path: Path, tmp_path: Path) -> None:
    """What is stored with a study can be run again."""
    config = load_config(path)
    (tmp_path / "again.yaml").write_text(config.to_yaml())
    again = load_config(tmp_path / "again.yaml")
    assert (again.identity, again.execution) == (config.identity, config.execution)
    assert parse_config(config.identity, "stored").identity == config.identity


def test_two_readings_are_equal(path: Path) -> None:
    """A config is a value, of a class that is made once."""
    assert load_config(path) == load_config(path)
    assert load_config(path) != load_config(path, ["seed=8"])
    assert type(load_config(path)) is StudyConfig


def test_how_a_study_is_run_is_not_part_of_it(path: Path) -> None:
    """Workers and time limits change neither the identity nor any spec."""
    config, other = load_config(path), load_config(path, ["execution.workers=7"])
    assert config.identity == other.identity
    cell = config.cells[0]
    assert config.trial_spec(cell, "0") == other.trial_spec(cell, "0")


def test_rows_alone_are_scored_on_the_test_partition(path: Path) -> None:
    """A search makes it the validation partition, for all of the study."""
    assert load_config(path).scored_on == "validation"
    rows_only = load_config(path, ["partition={scheme: notebook}"], trials=0)
    assert rows_only.scored_on == "test"
    assert rows_only.trial_spec(rows_only.cells[0], "0").scored_on == "test"


def test_every_row_has_every_label_budget(path: Path) -> None:
    """Of all labels once if nothing is said; and a study without budgets is what it always was."""
    plain, budgets = load_config(path), load_config(path, ["labels=[100, all, 20]"])
    assert plain.label_budgets == (None,)
    assert "labels" not in plain.identity
    assert [cell.label_budget for cell in budgets.cells] == [100, None, 20]
    assert budgets.leading_budget is None
    assert load_config(path, ["labels=[100, 20]"]).leading_budget == 100
    keys = {budgets.trial_spec(cell, "0").key for cell in budgets.cells}
    assert len(keys) == 3
    assert plain.trial_spec(plain.cells[0], "0").key in keys
    assert parse_config(budgets.identity, "stored").identity == budgets.identity


def test_a_row_may_train_otherwise_than_its_block(path: Path) -> None:
    """With labels from elsewhere and a classifier of its own; what its block says anyway is it."""
    block = load_config(path).blocks["pixels"]
    other = "{epochs: 7, batch_size: 64, learning_rate: 0.01, optimizer: keras2_rmsprop}"
    row = "{representation: pixels, hidden_neurons: 9"
    same = json.dumps(block.classifier.model_dump(exclude_none=True))
    config = load_config(
        path,
        [f"rows=[{row}}}, {row}, labels_from: encoder, classifier: {other}}}]"],
    )
    plain, changed = (config.trial_spec(cell, "0") for cell in config.cells)
    assert (plain.labels_from, plain.classifier) == (block.labels_from, block.classifier)
    assert (changed.labels_from, changed.classifier.epochs) == ("encoder", 7)
    assert changed.classifier.optimizer == "keras2_rmsprop"
    assert plain.key != changed.key
    spelled_out = f"{row}, labels_from: {block.labels_from}, classifier: {same}}}"
    with pytest.raises(ConfigError, match=r"rows\.1: stands there twice"):
        load_config(path, [f"rows=[{row}}}, {spelled_out}]"])


def test_the_default_optimizer_may_be_named(path: Path) -> None:
    """It is the same config, and the same trials."""
    named = load_config(
        path,
        [
            "representations.vae.optimizer=rmsprop",
            "representations.vae.classifier.optimizer=rmsprop",
        ],
    )
    assert named.identity == load_config(path).identity
    with pytest.raises(ConfigError, match=r"representations\.vae\.optimizer: must be 'rmsprop' or"):
        load_config(path, ["representations.vae.optimizer=adam"])


def test_a_budget_larger_than_its_part_is_refused(path: Path) -> None:
    """The classifier partition of 100 images has 20."""
    labels = np.tile(np.arange(10, dtype=np.uint8), 10)
    assert load_config(path, ["labels=[20, all]"]).part_sizes(labels)["classifier"] == 20
    with pytest.raises(ConfigError, match="21 are more than the 20 of the part 'classifier'"):
        load_config(path, ["labels=[21, all]"]).part_sizes(labels)


SHORT = """
name: short
dataset: mnist-5k
representations:
  vae: {trials: 2, space: {latent_dim: {choices: [2]}, hidden_neurons: {low: 4, high: 8}}}
  pixels: {trials: 2, space: {hidden_neurons: {low: 4, high: 8}}}
"""


def test_what_need_not_be_said(path: Path) -> None:
    """The contract's defaults: equal labels, one draw of three, and the notebook's training."""
    path.write_text(SHORT)
    config = load_config(path)
    assert config.partition == FractionsPartition(
        scheme="fractions", encoder=0.6, classifier=0.2, validation=0.1, test=0.1
    )
    assert (config.seed, config.replicates.draws, config.replicates.classifiers) == (0, 1, 3)
    as_latents = ClassifierTraining(epochs=50, batch_size=256, learning_rate=0.001)
    for block in config.blocks.values():
        assert (block.labels_from, block.classifier) == ("classifier", as_latents)
    spec = config.trial_spec(Cell(representation="vae", latent_dim=2, hidden_neurons=4), "0")
    assert spec.representation.settings == VAE_SETTINGS


def test_what_has_the_encoder_part_s_labels_is_trained_as_the_notebook_s_pixels(path: Path) -> None:
    """For 30 epochs; and of a classifier's training any key may be said without the others."""
    path.write_text(SHORT)
    pixels = "representations.pixels"
    block = load_config(path, [f"{pixels}.labels_from=encoder"]).blocks["pixels"]
    assert block.classifier == ClassifierTraining(epochs=30, batch_size=256, learning_rate=0.001)
    said = [f"{pixels}.labels_from=encoder", f"{pixels}.classifier={{batch_size: 64}}"]
    assert load_config(path, said).blocks["pixels"].classifier == ClassifierTraining(
        epochs=30, batch_size=64, learning_rate=0.001
    )
    assert load_config(path, [f"{pixels}.classifier.epochs=7"]).blocks["pixels"].classifier == (
        ClassifierTraining(epochs=7, batch_size=256, learning_rate=0.001)
    )


def test_a_row_needs_no_block(path: Path) -> None:
    """It has one of defaults, also where the block is there and empty."""
    path.write_text(
        "{name: a, dataset: mnist-5k, rows: [{representation: pixels, hidden_neurons: 9}]}"
    )
    bare = load_config(path)
    assert list(bare.blocks) == ["pixels"]
    for block in ("null", "{}"):
        assert load_config(path, [f"representations.pixels={block}"]).identity == bare.identity
    with pytest.raises(ConfigError, match="'vae' needs latent_dim"):
        load_config(path, ["rows.0.representation=vae"])


def test_a_config_that_trains_nothing_is_refused(path: Path) -> None:
    """With what would make it train; that of an old study can be read."""
    path.write_text(SHORT)
    with pytest.raises(ConfigError, match="trains nothing") as raised:
        load_config(path, trials=0)
    assert "--trials 10" in str(raised.value.hint)
    assert not parse_config(YAML(typ="safe").load(SHORT) | {"representations": {}}, "old").blocks


KEYS_OF_SHIPPED = {
    "fashion": "37f9fbcd5bab3efba27b5cec9fb87b33",
    "label_budget": "0d5dc21d87d5950fbc0f6318b27e259d",
    "notebook_table": "6c1d1a78cb1b605ea7f6cc5e2f84ec6f",
    "prior": "c3c12f0164bf8603f4ab1ae7e9cda37c",
    "quickstart": "bd0e198146ba07b92a688f6b8c288fc7",
    "search": "93fb026763c8977e7d2ba0d4d607d317",
}
"""Of what they say with every key written out."""


@pytest.mark.parametrize("name", KEYS_OF_SHIPPED)
def test_a_shipped_config_means_what_it_has_meant(name: str) -> None:
    """Homes hold days of training under its keys, which follow from its identity."""
    identity = load_config(ROOT / f"study_configs/{name}.yaml").identity
    assert json_checksum(without_nones(identity))[:32] == KEYS_OF_SHIPPED[name]


def test_a_space_is_searched_also_if_nothing_says_how_often(path: Path) -> None:
    """Eight trials; what says a number, or has no space, is as it was."""
    path.write_text(
        """{name: a, dataset: mnist-5k, representations: {
        vae: {space: {latent_dim: {choices: [2, 8]}, hidden_neurons: {low: 10, high: 100}}},
        pixels: {trials: 0, space: {hidden_neurons: {low: 10, high: 100}}}, pca: {}}}"""
    )
    config = load_config(path)
    assert {name: block.trials for name, block in config.blocks.items()} == {
        "vae": 8,
        "pixels": 0,
        "pca": 0,
    }
    assert config.scored_on == "validation"
    assert parse_config(YAML(typ="safe").load(config.to_yaml()), "again") == config
    only = load_config(path, trials=3)
    assert {block.trials for name, block in only.blocks.items() if name != "pca"} == {3}


def test_a_representation_may_stand_idle(path: Path) -> None:
    """Without trials and rows it is allowed, and trains nothing."""
    config = load_config(path, ["representations.vae.trials=0"])
    assert config.blocks["vae"].trials == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3)
    ),
    max_leaves=5,
)
KEYS = [
    "name", "dataset", "partition", "partition.scheme", "seed", "replicates", "replicates.draws",
    "representations", "representations.vae", "representations.vae.space",
    "representations.vae.space.latent_dim", "representations.pixels.classifier", "search",
    "search.objectives", "rows", "rows.0", "execution", "execution.workers", "other",
]  # fmt: skip


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(KEYS), value=json_values)
def test_any_value_anywhere_is_taken_or_refused(path: Path, key: str, value: Any) -> None:
    """A config with anything in any place is a config or a ConfigError, and nothing else."""
    with contextlib.suppress(ConfigError):
        load_config(path, [f"{key}={json.dumps(value)}"])


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_is_taken_or_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever is in it."""
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load_config(path)


def test_a_trial_s_device_is_what_the_engine_gives_it() -> None:
    """A GPU where tasks ask a cluster for one, and what has no encoder has no device of it."""
    ray = {"gpus_per_encoder": 0.5}
    specs = {}
    for engine in ("local", "ray"):
        document = {
            "name": "devices",
            "dataset": "mnist-5k",
            "rows": [
                {"representation": "vae", "latent_dim": 2, "hidden_neurons": 5},
                {"representation": "pixels", "hidden_neurons": 5},
            ],
            "execution": {"engine": engine, "ray": ray},
        }
        config = StudyConfig.model_validate(document)
        specs[engine] = [config.trial_spec(cell, "0" * 64) for cell in config.cells]
    devices = {
        engine: [(spec.device, spec.encoder_device) for spec in found]
        for engine, found in specs.items()
    }
    assert devices == {"local": [(None, None)] * 2, "ray": [(None, "gpu"), (None, None)]}
    assert specs["local"][1].key == specs["ray"][1].key


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        ("resources={GPU: 1}", "GPU is no name .* gpus_per_encoder and gpus_per_draw say that"),
        ("resources={CPU: 1}", "CPU is no name .* cpus_per_task say"),
        ("gpus_per_encoder=1.5", "gpus_per_encoder: must be a part of a GPU, .* and is 1.5"),
    ],
)
def test_what_ray_would_refuse_is_refused(demand: str, said: str, path: Path) -> None:
    """Before anything is asked of a cluster."""
    with pytest.raises(ConfigError, match=said):
        load_config(path, [f"execution.ray.{demand}"])
    assert load_config(path, ["execution.ray.gpus_per_draw=2"]).execution.ray.gpus_per_draw == 2


def test_components_are_no_more_than_images(path: Path) -> None:
    """Found out before anything is trained; a VAE has no such bound."""
    labels = (np.arange(500) % 10).astype(np.uint8)
    partition = (
        "partition={scheme: fractions, encoder: .1, classifier: .3, validation: .3, test: .3}"
    )
    for row, said in (("pca", "at most 50 latent dimensions of the 50 images"), ("vae", None)):
        rows = f"rows=[{{representation: {row}, latent_dim: 51, hidden_neurons: 4}}]"
        config = load_config(path, [partition, rows])
        with pytest.raises(ConfigError, match=said) if said else contextlib.nullcontext():
            config.part_sizes(labels)
    space = "representations.pca={trials: 1, space: {latent_dim: {low: 2, high: 60}, "
    config = load_config(path, [partition, f"{space}hidden_neurons: {{choices: [4]}}}}}}"])
    with pytest.raises(ConfigError, match="and not 60"):
        config.part_sizes(labels)


def test_a_device_is_part_of_what_a_study_is() -> None:
    """Numbers differ from a CPU's; a stored config makes the same trials. How many GPUs is not."""
    rows = [{"representation": "vae", "latent_dim": 2, "hidden_neurons": 5}]

    def study(engine: str, **ray: float) -> StudyConfig:
        execution = {"engine": engine, "ray": ray, "workers": 3}
        return StudyConfig.model_validate(
            {"name": "gpus", "dataset": "mnist-5k", "rows": rows, "execution": execution}
        )

    plain = study("local")
    assert "execution" not in plain.identity
    assert study("ray", cpus_per_task=4).identity == plain.identity
    assert study("local", gpus_per_draw=1).identity == plain.identity
    gpu = study("ray", gpus_per_encoder=0.5)
    assert gpu.identity == study("ray", gpus_per_encoder=1).identity != plain.identity
    assert gpu.identity != study("ray", gpus_per_encoder=1, gpus_per_draw=1).identity
    stored = parse_config(gpu.identity, "what is stored")
    assert stored.identity == gpu.identity
    keys = [each.trial_spec(each.cells[0], "0" * 64).key for each in (plain, gpu, stored)]
    assert keys[0] != keys[1] == keys[2]
