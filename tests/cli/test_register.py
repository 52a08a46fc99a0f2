"""``sweep register``: from a study to a model that answers over HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import numpy as np
import pytest

from sweep.data.datasets import DatasetSource
from tests.cli.process import assert_exactly_once, environment, free_port, sweep, wait_until
from tests.tracking.test_relocation import content

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CONFIG = """
name: register
dataset: mnist-5k
partition: {scheme: fractions, encoder: .6, classifier: .2, validation: .1, test: .1}
replicates: {draws: 1, classifiers: 3}
representations:
  pixels: {labels_from: encoder, classifier: {epochs: 20, batch_size: 128, learning_rate: 0.001}}
  pca: {labels_from: classifier, classifier: {epochs: 20, batch_size: 128, learning_rate: 0.001}}
rows:
  - {representation: pixels, hidden_neurons: 100}
  - {representation: pca, latent_dim: 12, hidden_neurons: 50}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a study of two rows: pixels, and PCA, which is smaller and less accurate."""
    directory = tmp_path_factory.mktemp("register")
    (directory / "register.yaml").write_text(CONFIG)
    home = directory / "home"
    done = sweep("run", directory / "register.yaml", "--home", home)
    assert done.returncode == 0, done.stderr
    return home


@contextmanager
def served(home: Path, uri: str) -> Iterator[str]:
    """The address of ``mlflow models serve``, as users start it."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "models", "serve", "-m", uri),
            *("--env-manager", "local", "--port", port),
        ],
        env=environment()
        | {
            "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db",
            # It starts uvicorn by name, as an activated environment has it.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return bool(urllib.request.urlopen(f"{address}/ping").status == 200)
        except URLError:
            return False

    try:
        wait_until(answers, seconds=180)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    ("options", "name", "right"),
    [((), "register", 0.85), (("--min-accuracy", "0.6", "--name", "small"), "small", 0.7)],
)
def test_a_registered_model_is_served(
    home: Path, options: tuple[str, ...], name: str, right: float
) -> None:
    """A POST of images is answered with ten probabilities each, the right digit the highest.

    On either scale of pixels, and under both names, with the same; what is on neither scale, or
    unclear, or no list of images, is refused.
    """
    registered = sweep("register", "register", "--home", home, "--format", "json", *options)
    assert registered.returncode == 0, registered.stderr
    facts = json.loads(registered.stdout)
    assert (facts["uri"], facts["new"]) == (f"models:/{name}/1", True)
    again = sweep("register", "register", "--home", home, "--format", "json", *options)
    assert json.loads(again.stdout) == facts | {"new": False}

    dataset = DatasetSource.of("mnist-5k", None).load()
    chosen = np.random.default_rng(0).choice(len(dataset.labels), 200, replace=False)
    images, labels = dataset.images[chosen], dataset.labels[chosen]
    with served(home, facts["uri"]) as address:
        status, answer = post(address, {"inputs": images.tolist()})
        assert status == 200
        probabilities = np.array(answer["predictions"])
        unit = post(address, {"inputs": (images / 255).tolist()})
        instances = post(address, {"instances": images.tolist()})
        one = post(address, {"inputs": images[:1].tolist()})
        refused = {
            "from 0 to 1, and some": np.concatenate([images[:1], images[1:2] / 255]),
            "negative": images / 127.5 - 1,
            "above 255": np.where(images > 200, 300.0, images),
            "0 or 1": images // 255,
            "shape": images.reshape(-1, 784),
            "expected shape": images[..., None],
            "Shape of input (28, 28)": images[0],
        }
        answers = {
            reason: post(address, {"inputs": sent.tolist()}) for reason, sent in refused.items()
        }
        flat = images.reshape(-1, 784).tolist()
        nested = [[image] for image in images.tolist()]
        answers |= {
            "NoneType": post(address, {"inputs": None}),
            "'NoneType'": post(address, {"instances": None}),
            "unexpected input type": post(address, None),
            "exactly one of the input fields": post(address, {}),
            "input of type <class 'list'>": post(address, {"inputs": []}),
            "no number": post(address, {"inputs": [[[None] * 28] * 28]}),
            "to match the expected structure": post(
                address, {"dataframe_split": {"columns": list(range(784)), "data": flat}}
            ),
            "enforce schema": post(
                address, {"dataframe_split": {"columns": ["image"], "data": nested}}
            ),
            "with schema": post(
                address, {"dataframe_records": [{"image": image} for (image,) in nested]}
            ),
        }
    assert probabilities.shape == (200, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities.argmax(axis=1) == labels).mean() > right
    assert unit[0] == 200
    np.testing.assert_allclose(unit[1]["predictions"], probabilities, atol=1e-5)
    assert instances == (200, answer)
    np.testing.assert_allclose(one[1]["predictions"], probabilities[:1], atol=1e-5)
    for reason, (status, refusal) in answers.items():
        assert status == 400
        assert reason in refusal["message"], (reason, refusal)
        assert len(refusal["message"]) < 1000
        assert refusal["message"].count("0") < 30  # and no pixels


def post(address: str, body: Any) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of what a served model answers."""
    request = urllib.request.Request(
        f"{address}/invocations",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        return error.code, json.load(error)


def test_the_version_says_where_it_comes_from(home: Path) -> None:
    """Signature, example, pinned requirements, tags; the study's own runs stay as they are."""
    import mlflow
    from mlflow import MlflowClient

    done = sweep("register", "register", "--home", home)
    assert done.returncode == 0, done.stderr
    assert "mlflow models serve -m models:/register/1" in done.stdout
    uri = f"sqlite:///{home}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    version = MlflowClient(uri).get_model_version("register", "1")
    assert "the median of its 3" in (version.description or "")
    assert version.tags["sweep.study"] == "register"
    info = mlflow.models.get_model_info("models:/register/1")
    assert info.signature.inputs.to_dict()[0]["tensor-spec"] == {
        "dtype": "float32",
        "shape": (-1, 28, 28),
    }
    assert info.signature.outputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, 10)
    assert info.saved_input_example_info is not None
    place = Path(mlflow.artifacts.download_artifacts("models:/register/1"))
    requirements = (place / "requirements.txt").read_text()
    for package in ("keras==", "tensorflow==", "numpy=="):
        assert package in requirements
    assert_exactly_once(home, target=2, study="register")
    assert version.run_id is not None
    run = MlflowClient(uri).get_run(version.run_id)
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "message"),
    [
        (("register", "--min-accuracy", "0.999"), {}, 1, "the best, pixels → 100"),
        (("register", "--name", "a/b"), {}, 2, "no name for a model"),
        (("nothing",), {}, 2, "there is no study"),
        (
            ("register",),
            {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"},
            1,
            ") did not take the model",
        ),
    ],
)
def test_what_cannot_be_registered_is_said(
    home: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    status: int,
    message: str,
) -> None:
    """An accuracy that nothing reaches, a name that is none, no such study, no MLflow."""
    done = sweep("register", *arguments, "--home", home, env=environment)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_manual_s_example_runs_as_it_stands(home: Path, tmp_path: Path) -> None:
    """Its three pieces, in a directory with a study in ``runs``: ten probabilities a digit."""
    shutil.copytree(home, tmp_path / "runs")
    register, serve, ask = serving_example({"quickstart": "register", "5001": free_port()})
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell: dict[str, Any] = {"cwd": tmp_path, "env": environment() | {"PATH": path}, "text": True}
    done = subprocess.run(["sh", "-c", register], capture_output=True, check=False, **shell)
    assert done.returncode == 0, done.stderr
    assert f"MLFLOW_TRACKING_URI=sqlite:///{tmp_path}/runs/mlflow.db" in done.stdout
    server = subprocess.Popen(
        ["sh", "-c", serve],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **shell,
    )
    try:
        asked = []

        def is_answered() -> bool:
            asked.append(
                subprocess.run(["sh", "-c", ask], capture_output=True, check=False, **shell)
            )
            return asked[-1].returncode == 0 or "Connection refused" not in asked[-1].stderr

        wait_until(is_answered, seconds=180)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    lines = asked[-1].stdout.splitlines()
    assert len(lines) == 5, asked[-1].stderr
    for line in lines:
        digit, _, probabilities = line.partition(" ")
        assert digit in "0123456789"
        assert sum(map(float, json.loads(probabilities.replace("'", '"')))) == pytest.approx(
            1, abs=0.06
        )


def serving_example(changes: dict[str, str]) -> list[str]:
    """The pieces of the manual's example, for an environment that ``uv run`` would find."""
    manual = (Path(__file__).parents[2] / "docs" / "mlflow.md").read_text(encoding="utf-8")
    section = manual.partition("\n## Serving\n")[2].partition("\n## ")[0].replace("uv run ", "")
    for word, other in changes.items():
        section = section.replace(word, other)
    blocks = re.findall(r"(?m)^    .+\n(?:(?:    .*)?\n)*?(?=\S|\Z)", section)
    return [textwrap.dedent(block) for block in blocks]


def test_a_moved_home_registers_and_serves_what_is_its_own(home: Path, tmp_path: Path) -> None:
    """A copy's model lies in the copy, the original has none of it, and it moves with the copy."""
    before = content(home)
    copy = Path(shutil.copytree(home, tmp_path / "copy"))
    done = sweep("register", "register", "--home", copy, "--name", "own", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert content(home) == before
    assert list(copy.glob("mlartifacts/register/models/*/artifacts/MLmodel"))
    moved = copy.rename(tmp_path / "moved")
    done = sweep("sync", "register", "--home", moved)
    assert done.returncode == 0, done.stderr
    assert not copy.exists()
    with served(moved, "models:/own/1") as address:
        assert urllib.request.urlopen(f"{address}/ping").status == 200
