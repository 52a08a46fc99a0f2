"""The manual in ``docs/`` is held against the code that it describes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import click
import pytest
import typer
from pydantic import BaseModel
from ruamel.yaml import YAML

from sweep.api.frames import Configured, EncoderLine, EpochLine, ReplicateLine, TrialLine
from sweep.cli.app import app
from sweep.config import StudyConfig, parse_config
from sweep.config.search import Objective, Search
from sweep.configuration import ClassifierTraining, Optimizer, RepresentationSpec
from sweep.coordinator.labels import Labels
from sweep.coordinator.runs import attempt_run, encoder_run
from sweep.data.datasets import DatasetName
from sweep.home import Home
from sweep.reports.rows import Row
from sweep.reports.verdicts import Verdict
from sweep.representations import REPRESENTATIONS
from sweep.results import EncoderRecord
from sweep.search.attempt import Attempt, Cause, Failure
from sweep.specs import TrialSpec
from tests.builders import KERAS2, VAE_SETTINGS, letter_spec, trial_result, trial_spec
from tests.cli.process import TINY, copied, environment, mlflow_runs, sweep

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = (README, *sorted(DOCS.glob("*.md")))
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@cache
def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one that is as high."""
    (found,) = re.findall(rf"^(#+) {re.escape(heading)}$", text, re.M)
    rest = text.partition(f"{found} {heading}\n")[2]
    return re.split(rf"^#{{1,{len(found)}}} ", _without_code(rest), maxsplit=1, flags=re.M)[0]


def named(text: str) -> set[str]:
    """What stands in backticks."""
    return set(re.findall(r"`([^`\n]+)`", _without_code(text)))


def _without_code(text: str) -> str:
    return _FENCED.sub("", text)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _without_code(path.read_text()), re.M):
        words = re.sub(r"[^\w\- ]", "", heading.lower())
        slug = words.replace(" ", "-")
        number = 0
        while (anchor := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(anchor)
    return found


# Links


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file or directory that is there, and a heading of it."""
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", _without_code(path.read_text())):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_is_in_the_readme() -> None:
    """Nothing of the manual lies where nobody finds it; and the README stays a tour."""
    text = README.read_text()
    assert [path.name for path in PAGES[1:] if f"](docs/{path.name})" not in text] == []
    assert len(text.splitlines()) <= 150


# Commands


def _commands() -> dict[str, click.Command]:
    group = typer.main.get_command(app)
    return dict(group.commands)  # type: ignore[attr-defined]  # a typer app of several commands is a group


@pytest.mark.parametrize("name", _commands())
def test_a_command_s_section_names_its_options_and_their_choices(name: str) -> None:
    """Those that every command has stand in a section of their own."""
    text = page("commands")
    (heading,) = re.findall(rf"^## (`sweep {name}\b.*`)$", text, re.M)
    own, common = section(text, heading), section(text, "Options of every command")
    for parameter in _commands()[name].params:
        for option in (o for o in parameter.opts if o.startswith("-") and o != "--help"):
            assert option in own + common, option
    for hint in get_type_hints(_commands()[name].callback).values():
        for kind in (hint, *get_args(hint)):
            if isinstance(kind, type) and issubclass(kind, StrEnum):
                for choice in kind:
                    assert re.search(rf"\b{choice}\b", own + common), choice


def test_the_commands_page_names_no_other_command() -> None:
    """Each that it names exists."""
    listed = re.findall(r"^## `sweep (\w+)", page("commands"), re.M)
    assert sorted(listed) == sorted(_commands())
    for path in PAGES:
        mentioned = re.findall(r"(?:`|uv run )sweep (\w+)", path.read_text())
        assert set(mentioned) <= set(_commands()) | {"COMMAND"}, path


def test_options_that_pages_name_exist() -> None:
    """Of ``sweep``, of uv, of MLflow's server, of Docker, or of Ray."""
    known = {
        option
        for command in _commands().values()
        for parameter in command.params
        for option in parameter.opts
    }
    known |= {"--help", "--version", "--extra", "--with", "--env-manager"}
    known |= {"--install-completion", "--show-completion", "--build", "--scale"}
    known |= {"--head", "--block", "--include-dashboard", "--num-cpus", "--port"}
    for path in PAGES:
        mentioned = re.findall(r"(?<![\w-])--[a-z][a-z-]*", path.read_text())
        assert set(mentioned) <= known, path


def test_environment_variables_are_documented() -> None:
    """All of ours that the package reads."""
    read = {
        name
        for path in (ROOT / "sweep").rglob("*.py")
        for name in re.findall(r"\bSWEEP_[A-Z_]+|\bMLFLOW_TRACKING_URI\b", path.read_text())
    }
    assert read <= named(section(page("commands"), "Environment variables"))


# Configs


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models within a type: of a union, a list, or something annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    if get_origin(annotation) in (Union, UnionType, Annotated, tuple):
        for inner in get_args(annotation):
            yield from _models(inner)


def _keys(model: type[BaseModel]) -> set[str]:
    """The keys of a model and of those in it, as ``a.b``."""
    keys = set()
    for name, field in model.model_fields.items():
        below = {f"{name}.{key}" for each in _models(field.annotation) for key in _keys(each)}
        keys |= below or {name}
    return keys


def test_every_key_of_a_config_is_documented() -> None:
    """Those of the study under their paths, those of blocks and rows in their sections."""
    text = page("configs")
    keys = _keys(StudyConfig)
    blocks = {re.sub(r"^representations\.\w+\.", "", k) for k in keys if "representations." in k}
    rows = {key.removeprefix("rows.") for key in keys if key.startswith("rows.")}
    study = {k for k in keys if not k.startswith(("representations.", "rows."))}
    assert {"name", "search.sampler", "partition.encoder", "execution.trial_timeout"} <= study
    assert {"space.latent_dim.choices", "labels_from", "epochs"} <= blocks
    assert {"classifier.epochs", "hidden_neurons"} <= rows
    assert study <= named(text)
    in_block = named(section(text, "A representation's block"))
    assert {key.rpartition(".")[2] if "space." in key else key for key in blocks} <= {
        *in_block,
        *("choices", "low", "high", "log"),
    }
    assert "`{choices: [2, 8, 16]}`" in text
    assert "`{low: 10, high: 1000, log: true}`" in text
    assert {"space.latent_dim", "space.hidden_neurons"} <= in_block
    assert {key.partition(".")[0] for key in rows} <= named(section(text, "Rows"))


def test_every_value_of_a_config_is_documented() -> None:
    """Samplers, objectives, datasets and optimizers by name."""
    text = page("configs")
    samplers = set(get_args(Search.model_fields["sampler"].annotation))
    table = section(text, "Search")
    assert samplers == set(re.findall(r"^\| `(\w+)` \|", table, re.M)) - {"sampler"}
    assert set(get_args(Objective)) <= named(table)
    assert set(get_args(DatasetName)) <= named(section(text, "Datasets"))
    optimizers = {name for name in _literals(Optimizer) if name}
    assert optimizers | {"rmsprop"} <= named(section(text, "Optimizer"))
    assert set(_literals(REPRESENTATIONS["vae"].Settings.model_fields["precision"].annotation)) <= (
        named(text)
    )


def _literals(annotation: Any) -> set[str]:
    inner = get_args(annotation)
    if not inner:
        return {annotation} if isinstance(annotation, str) else set()
    return set().union(*map(_literals, inner))


_WHOLE_CONFIGS = [
    (path.name, text)
    for path in PAGES
    for kind, text in _FENCED.findall(path.read_text())
    if kind == "yaml" and re.search(r"^name:", text, re.M)
]


@pytest.mark.parametrize("text", [text for _, text in _WHOLE_CONFIGS])
def test_whole_configs_are_valid(text: str) -> None:
    """What a reader copies is accepted."""
    parse_config(YAML(typ="safe").load(text), "the page")


def test_the_configs_page_has_whole_configs() -> None:
    """And names those that come with the project, all of them."""
    assert [name for name, _ in _WHOLE_CONFIGS].count("configs.md") >= 2
    shipped = {path.name for path in (ROOT / "study_configs").glob("*.yaml")}
    assert set(re.findall(r"study_configs/(\w+\.yaml)", page("configs"))) == shipped


# Reports


def test_columns_and_files_of_a_report_are_documented() -> None:
    """Every column of report.csv, every chart, every verdict."""
    text = page("reports")
    assert {"study", *Row.model_fields} == named(section(text, "Columns of report.csv")) & (
        {"study", *Row.model_fields}
    )
    charts = {
        name
        for path in (ROOT / "sweep/reports/charts").glob("*.py")
        for name in re.findall(r"\bname=\"(\w+)\"", path.read_text())
    }
    files = {f"report.{suffix}" for suffix in ("md", "csv", "json", "tex", "html")}
    assert charts
    assert charts | files | {"config.yaml", "provenance.json"} <= named(section(text, "Files"))
    assert set(get_args(Verdict)) <= named(text)


# MLflow


def _failed(spec: TrialSpec) -> Attempt:
    cause = Failure(cause=Cause.ERROR, message="no", traceback="where", finished_at=2)
    cell = {"representation": spec.representation.name, "hidden_neurons": 1}
    return Attempt.model_validate(
        {"number": 0, "spec": spec, "cell": cell, "attempt": 1, "started_at": 1, "failure": cause}
    )


def _complete(spec: TrialSpec) -> Attempt:
    result = trial_result([[0.9, 0.91, 0.92]] * spec.draws)
    return _failed(spec).model_copy(update={"failure": None, "result": result})


@pytest.mark.parametrize(
    "spec",
    [
        trial_spec(),
        letter_spec(),
        trial_spec(
            representation=RepresentationSpec(name="pixels"),
            classifier=ClassifierTraining(epochs=1, batch_size=1, learning_rate=1.0),
        ),
        trial_spec(representation=RepresentationSpec(name="pca", latent_dim=2)),
    ],
    ids=lambda spec: spec.representation.label,
)
def test_what_a_trial_s_run_holds_is_documented(spec: TrialSpec) -> None:
    """Every tag, param, metric, curve and file, of one that is complete and of one that failed."""
    for attempt in (_complete(spec), _failed(spec)):
        run = attempt_run(attempt)
        there = {*run.tags, *run.params, *run.metrics, *run.curves, *run.texts}
        common = named(section(page("mlflow"), "The experiment"))
        assert there <= named(section(page("mlflow"), "A trial's run")) | common


def test_what_an_encoder_s_run_holds_is_documented() -> None:
    """Every tag, param and metric; the curves are those of the tiny study below."""
    settings = VAE_SETTINGS | KERAS2
    spec = trial_spec(
        representation=RepresentationSpec(name="vae", latent_dim=2, settings=settings)
    )
    record = EncoderRecord(
        spec=spec.encoder(0),
        history={"loss": (1.0,)},
        parameters=1,
        train_seconds=1.0,
        started_at=1,
        finished_at=2,
    )
    run = encoder_run(record, [], Labels(parse_config(YAML(typ="safe").load(TINY), "test")))
    common = named(section(page("mlflow"), "The experiment"))
    assert {*run.tags, *run.params, *run.metrics, *run.curves} <= (
        named(section(page("mlflow"), "An encoder's run")) | common
    )


def test_what_mlflow_holds_of_a_study_is_documented(finished: Path) -> None:
    """Of a real one: runs of all kinds with their tags, params and metrics."""
    kinds = set()
    for run in mlflow_runs(finished):
        kinds.add(run.data.tags["sweep.kind"])
        tags = {tag for tag in run.data.tags if not tag.startswith("mlflow.")}
        assert {*tags, *run.data.params, *run.data.metrics} <= named(page("mlflow"))
    assert kinds == {"study", "trial", "encoder"}
    assert kinds <= named(page("mlflow"))
    pictures = {path.name for path in finished.glob("encoders/*/*.png")}
    assert pictures
    assert pictures <= named(page("mlflow"))


# Failures and the home


def test_every_place_of_a_home_is_documented(tmp_path: Path) -> None:
    """By its name, with its kind of file."""
    home = Home.at(tmp_path)
    table = section(page("failures"), "The home")
    places = {
        getattr(home, name)
        for name, value in vars(Home).items()
        if isinstance(value, property) and isinstance(getattr(home, name), Path)
    }
    assert len(places) >= 9
    for place in places:
        assert re.search(rf"^\| `{re.escape(place.name)}(/[^`]*)?` \|", table, re.M), place.name
    home.create()
    made = {path.name for path in tmp_path.iterdir()}
    assert made <= {place.name for place in places}


def test_what_lies_in_a_real_home_is_documented(finished: Path) -> None:
    """Nothing is in it that the page does not name, but for SQLite's own files."""
    table = section(page("failures"), "The home")
    listed = {re.split(r"[/<]", name)[0] for name in re.findall(r"^\| `([^`]+)` \|", table, re.M)}
    found = {path.name for path in finished.iterdir() if not path.name.endswith(("-wal", "-shm"))}
    assert found - {"stdout"} <= listed  # which the fixture wrote


def test_causes_are_documented() -> None:
    """Why an attempt did not complete."""
    assert {cause.value for cause in Cause} <= named(
        section(page("failures"), "When something breaks")
    )


# Representations, Python, glossary


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_a_representation_has_its_section_with_its_settings(name: str) -> None:
    """Each that comes with the package."""
    there = named(section(page("representations"), name))
    assert {name, *REPRESENTATIONS[name].Settings.model_fields} <= there


@pytest.fixture(scope="module")
def beside_runs(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a home ``runs``, its study's config, and a report of it."""
    directory = tmp_path_factory.mktemp("python")
    copied(finished, directory / "runs")
    (directory / "study_configs").mkdir()
    (directory / "study_configs/tiny.yaml").write_text(TINY)
    out = directory / "report"
    done = sweep("report", "tiny", "--home", directory / "runs", "--out", out)
    assert done.returncode == 0, done.stderr
    return directory


_EXAMPLES = [text for kind, text in _FENCED.findall(page("python")) if kind == "python"]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            code,
            id=re.findall(r"import (\w+)", code)[0],  # pytest numbers them
            marks=[pytest.mark.slow] * ("sweep.run(" in code),
        )
        for code in _EXAMPLES
    ],
)
def test_python_examples_run(code: str, beside_runs: Path) -> None:
    """Each as a script, on a small study in place of the one that the page names."""
    script = beside_runs / "example.py"
    script.write_text(code.replace("quickstart", "tiny"))
    done = subprocess.run(
        [sys.executable, script],
        cwd=beside_runs,
        env=environment()
        | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": os.pathsep.join([str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def _columns(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ("trials", TrialLine),
        ("replicates", ReplicateLine),
        ("curves", EpochLine),
        ("encoders", EncoderLine),
    ],
)
def test_columns_of_data_frames_are_documented(frame: str, kind: type) -> None:
    """Each, and no other; ``tests/api`` holds frames to what is declared."""
    tables = section(page("python"), f"{frame}()")
    common = section(page("python"), "Every frame but that of encoders")
    declared = _columns(kind) - (_columns(Configured) if issubclass(kind, Configured) else set())
    listed = {name for cell in re.findall(r"^\| (`.+?) \|", tables, re.M) for name in named(cell)}
    assert {name for name in listed if "…" not in name} == declared
    assert _columns(Configured) <= named(common)


def test_a_word_has_one_meaning() -> None:
    """No term of the glossary stands there twice, and each has one paragraph."""
    text = page("glossary")
    terms = re.findall(r"^### (.+)$", text, re.M)
    assert len(set(terms)) == len(terms) >= 30
    for term in terms:
        body = section(text, term).strip()
        assert body, term
        assert "\n\n" not in body, term


def test_nothing_is_said_of_where_it_was_written() -> None:
    """No path of a machine stands in a public page."""
    for path in PAGES:
        assert not re.search(r"/(?:work|tmp|root|Users)/|/home/\w+/", path.read_text()), path
