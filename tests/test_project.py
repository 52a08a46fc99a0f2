"""What holds the project's files together: documentation, dependencies, version."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from sweep import __version__
from sweep.cli.app import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs/commands.md").read_text()


def test_the_architecture_page_s_file_tree_is_true() -> None:
    """It lists every module of the package, but for each ``__init__``, and no other."""
    page = (ROOT / "docs/architecture.md").read_text()
    tree = page.partition("## Files")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^ {6}(\S+\.py) ", tree, re.M))
    modules = {
        str(path.relative_to(ROOT / "sweep"))
        for path in (ROOT / "sweep").rglob("*.py")
        if path.name != "__init__.py"
    }
    assert listed == modules


def test_the_architecture_page_s_layers_are_the_contract_s() -> None:
    """The layers in the page are those that import-linter holds."""
    page = (ROOT / "docs/architecture.md").read_text()
    block = page.partition("## Layers")[2].partition("    cli | api\n")[2].partition("\n\n")[0]
    listed = ["cli | api", *(line.strip() for line in block.splitlines())]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contract = project["tool"]["importlinter"]["contracts"][0]["layers"]
    assert listed == [layer for layer in contract if layer != "__main__"]


def commands() -> dict[str, click.Command]:
    group = typer.main.get_command(app)
    return dict(group.commands)  # type: ignore[attr-defined]  # a typer app of several commands is a group


@pytest.mark.parametrize("name", commands())
def test_commands_and_options_are_documented(name: str) -> None:
    """The README names every command, its page every option; the help says what each does."""
    command = commands()[name]
    assert f"`sweep {name}" in README
    assert f"`sweep {name}" in COMMANDS
    assert command.help
    for parameter in command.params:
        if parameter.name == "help":
            continue
        assert getattr(parameter, "help", None), f"{name} {parameter.name} has no help"
        for option in parameter.opts:
            if option.startswith("--"):
                assert option in COMMANDS, f"docs/commands.md does not name {option}"


def test_the_readme_s_commands_are_there() -> None:
    """Every ``sweep`` command that the README names exists; ``test_docs`` looks at its links."""
    named = set(re.findall(r"`sweep (\w+)", README)) | set(
        re.findall(r"uv run sweep (\w+)", README)
    )
    assert named == set(commands())


def test_the_version_stands_in_one_place() -> None:
    """The distribution's version is the package's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "sweep/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_pyproject_mirrors_the_tested_set() -> None:
    """``uv run`` uses exactly the versions of requirements.lock, which has hashes for all."""
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^(\S+==[^\s\\]+(?: ; [^\\\n]+)?)", lock, re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["constraint-dependencies"] == [pin.strip() for pin in pins]
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", lock.strip()))


def test_extras_are_documented() -> None:
    """Each stands in the manual as it is installed in a clone, and no other does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pages = " ".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    assert set(re.findall(r"--extra (\w+)", pages)) == set(
        project["project"]["optional-dependencies"]
    )


def test_no_download_address_is_recorded() -> None:
    """Where packages come from is the user's business: no index in what git has."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "uv.lock" not in tracked
    for name in ("requirements.lock", "pyproject.toml"):
        assert not re.search(r"https?://|--index", (ROOT / name).read_text())


def test_checks_before_a_commit_are_those_of_ci() -> None:
    """The same commands in .pre-commit-config.yaml, .ci/run and CONTRIBUTING.md."""
    hooks = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    ci = (ROOT / ".ci/run").read_text()
    step = ci.partition('step "lint')[2].partition("\nstep ")[0]
    assert [hook["entry"] for hook in hooks] == step.splitlines()[1:]
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    for hook in hooks:
        assert hook["entry"] in contributing


def test_the_tests_set_up_imports_nothing_heavy() -> None:
    """One test of a small module is asked often; it waits for no library that it does not use."""
    heavy = "{'tensorflow', 'mlflow', 'optuna'}"
    code = f"import sys, tests.conftest; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", commands())
def test_help_of_every_command(name: str) -> None:
    """Each command explains itself."""
    done = CliRunner().invoke(app, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage" in done.output


def test_text_has_an_encoding() -> None:
    """Of every file that the package reads or writes: a locale differs between machines."""
    call = re.compile(r"\.(?:read|write)_text\((?:[^()]|\([^()]*(?:\([^()]*\))?[^()]*\))*\)")
    bare = [
        f"{path.name}: {found}"
        for path in sorted((ROOT / "sweep").rglob("*.py"))
        for found in call.findall(path.read_text(encoding="utf-8"))
        if "utf-8" not in found and "latin-1" not in found
    ]
    assert not bare
