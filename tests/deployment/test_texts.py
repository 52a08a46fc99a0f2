"""What ``sweep cluster`` prints, without running it: shells and Kubernetes would take it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from sweep.config import StudyConfig, load_config
from sweep.deployment import Where, deployment
from tests.cli.process import TINY, sweep

SCHEMA = Path(__file__).with_name("kubernetes.schema.json")
DEMANDS = """
execution: {ray: {cpus_per_task: 12, gpus_per_encoder: 1, resources: {fast: 1, "a'b": 2}}}
"""


def printed(
    where: Where,
    tmp_path: Path,
    text: str = TINY,
    names: tuple[str, str] = ("a study's $HOME.yaml", "a home's `dir`"),
) -> str:
    """For a study whose file has a name that shells would take apart."""
    path, home = tmp_path / names[0], tmp_path / names[1]
    path.write_text(text)
    return deployment(where, load_config(path), path, home)


def documents(text: str) -> dict[str, Any]:
    return {each["kind"]: each for each in YAML(typ="safe").load_all(text)}


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="wants shellcheck")
@pytest.mark.parametrize("where", ["slurm", "ssh"])
@pytest.mark.parametrize("demands", ["", DEMANDS], ids=["plain", "demanding"])
def test_shellcheck_has_nothing_to_say(where: Where, demands: str, tmp_path: Path) -> None:
    """Of either script; it asks whether a '$' in quotes is meant, so there is none."""
    names = ("a study's.yaml", "a home")
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "-"],
        input=printed(where, tmp_path, TINY + demands, names),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


@pytest.mark.parametrize("where", ["slurm", "ssh"])
def test_paths_are_what_they_were(where: Where, tmp_path: Path) -> None:
    """A shell that reads them makes nothing else of them."""
    lines = re.findall(r"^(?:config|home)=.*$", printed(where, tmp_path), re.M)
    done = subprocess.run(
        ["bash", "-c", "\n".join([*lines, 'printf "%s\\n" "$config" "$home"'])],
        capture_output=True,
        text=True,
        check=True,
    )
    study, home = tmp_path / "a study's $HOME.yaml", tmp_path / "a home's `dir`"
    assert done.stdout == f"{study}\n{home}\n"


@pytest.mark.parametrize("demands", ["", DEMANDS], ids=["plain", "demanding"])
def test_a_manifest_is_what_kubernetes_takes(demands: str, tmp_path: Path) -> None:
    """Every document of it, by the schemas of Kubernetes and KubeRay."""
    found = documents(printed("kubernetes", tmp_path, TINY + demands))
    assert found.keys() == {"Secret", "ConfigMap", "PersistentVolumeClaim", "RayCluster", "Job"}
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    for each in found.values():
        validator.validate(each)


def test_the_schema_finds_what_is_wrong(tmp_path: Path) -> None:
    """A key that is no key deep in a pod is refused: the test above could fail."""
    cluster = documents(printed("kubernetes", tmp_path))["RayCluster"]
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    (group,) = cluster["spec"]["workerGroupSpecs"]
    (container,) = group["template"]["spec"]["containers"]
    container["enviroment"] = container.pop("env")
    assert not validator.is_valid(cluster)


def test_a_manifest_holds_the_study_and_what_it_needs(tmp_path: Path) -> None:
    """The config is the file's; the resources and GPUs of a task are its nodes'."""
    found = documents(printed("kubernetes", tmp_path, TINY + DEMANDS))
    study = YAML(typ="safe").load(found["ConfigMap"]["data"]["study.yaml"])
    assert StudyConfig.model_validate(study).name == "tiny"
    (group,) = found["RayCluster"]["spec"]["workerGroupSpecs"]
    offered = json.loads(json.loads(group["rayStartParams"]["resources"]))
    assert offered.keys() == {"fast", "a'b"}
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert (limits["cpu"], limits["nvidia.com/gpu"]) == ("12", "1")


@pytest.mark.parametrize("where", ["slurm", "ssh", "kubernetes"])
def test_a_token_is_new_and_no_argument(where: Where, tmp_path: Path) -> None:
    """Two texts of one study have none in common; no command line holds one."""
    tokens = [set(re.findall(r"[0-9a-f]{64}", printed(where, tmp_path))) for _ in range(2)]
    if where == "kubernetes":
        assert [len(each) for each in tokens] == [1, 1]
        assert tokens[0] != tokens[1]
    else:  # it is made when the script runs
        assert tokens == [set(), set()]


def test_a_wrong_config_is_refused(tmp_path: Path) -> None:
    """As by ``sweep run``, and nothing is printed."""
    path = tmp_path / "wrong.yaml"
    path.write_text("name: wrong")
    done = sweep("cluster", "slurm", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "dataset" in done.stderr


def test_no_two_studies_have_one_name(tmp_path: Path) -> None:
    """Kubernetes takes few characters: names that differ in others stay apart, and short."""
    studies = ("a_b", "a.b", "a-b", "A-b", "a" * 64, "a" * 63 + "b", "tiny")
    found = []
    for study in studies:
        text = printed("kubernetes", tmp_path, TINY.replace("name: tiny", f"name: {study}"))
        found.append(documents(text)["RayCluster"]["metadata"]["name"])
    assert len(set(found)) == len(studies)
    assert found[-1] == "sweep-tiny"
    assert found[2] == "sweep-a-b"
    assert all(re.fullmatch(r"sweep-[a-z0-9-]{0,29}[a-z0-9]", name) for name in found)
