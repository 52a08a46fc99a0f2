"""``sweep doctor`` names what may be wrong with a machine, a storage and MLflow, and its mend."""

from __future__ import annotations

import base64
import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import optuna
import pytest

from sweep.machine import environment as facts
from sweep.search.ledger import Ledger
from sweep.search.storage import open_storage
from tests.cli.process import sweep
from tests.cli.test_health import findings


def test_variables_that_change_numbers_are_named(finished: Path) -> None:
    """Those that workers do not heed are no harm; those that act before Python begins may be."""
    heeded = findings(finished, GLIBC_TUNABLES="glibc.malloc.check=0")["numbers"]
    assert heeded["level"] == "warning"
    assert "GLIBC_TUNABLES=glibc.malloc.check=0" in heeded["found"]
    assert "acts before we begin" in heeded["found"]
    assert "unset it" in heeded["mend"]


def test_numbers_of_several_kinds_of_machines_are_named(copy: Path) -> None:
    """The study says so itself."""
    ledger = Ledger(open_storage(f"sqlite:///{copy}/optuna.db"), "tiny")
    ledger.note_environment(facts() | {"cpu": "another kind"})
    found = findings(copy)["numbers of tiny"]
    assert "from 2 kinds of machines" in found["found"]
    assert "provenance" in found["mend"]


def test_where_a_dataset_lies_is_told(tmp_path: Path) -> None:
    """In the directory that is named, or nowhere yet; and whether it is whole."""
    nowhere = findings(tmp_path / "home", KERAS_HOME=str(tmp_path / "keras"))["data mnist"]
    assert "Keras would download it" in nowhere["found"]
    assert "SWEEP_DATA_DIR" in nowhere["mend"]
    (tmp_path / "mnist.npz").write_bytes(b"PK half of it")
    named = str(tmp_path)
    there = findings(tmp_path / "home", status=1, SWEEP_DATA_DIR=named)["data mnist"]
    assert there["level"] == "problem"
    assert f"{tmp_path / 'mnist.npz'} cannot be read" in there["found"]
    assert "SWEEP_DATA_DIR" in there["mend"]
    found = findings(tmp_path / "home")
    assert found["data mnist-5k"]["found"] == "comes with the installation"


def test_a_download_that_was_cut_short_is_a_problem(tmp_path: Path) -> None:
    """Keras takes what lies there for the whole of it: it must be deleted."""
    file = tmp_path / "datasets" / "mnist.npz"
    file.parent.mkdir()
    images = np.zeros((1000, 28, 28), np.uint8)
    np.savez(file, x_train=images, y_train=np.zeros(1000, np.uint8))
    os.truncate(file, file.stat().st_size // 2)
    found = findings(tmp_path / "home", status=1, KERAS_HOME=str(tmp_path))["data mnist"]
    assert found["level"] == "problem"
    assert f"delete {file}" in found["mend"]


def test_settings_of_keras_are_named(tmp_path: Path) -> None:
    """Those of the user's file that are not ours; a file that is none is Keras's own matter."""
    file = tmp_path / "keras.json"
    settings = {"floatx": "float16", "epsilon": 1e-7, "image_data_format": "channels_first"}
    file.write_text(json.dumps(settings))
    found = findings(
        tmp_path / "home",
        KERAS_HOME=str(tmp_path),
        TF_ENABLE_ONEDNN_OPTS="0",
        TF_TOKEN_cloud="secret",
    )["numbers"]
    named = f"{file} (floatx=float16, image_data_format=channels_first)"
    assert f"workers do not heed TF_ENABLE_ONEDNN_OPTS=0, {named}" in found["found"]
    assert "secret" not in found["found"]
    for text in ("[", "[]", json.dumps(settings | {"floatx": "float32"})):
        file.write_text(text)
        said = findings(tmp_path / "home", KERAS_HOME=str(tmp_path))["numbers"]["found"]
        assert ("image_data_format" in said) == ("{" in text)
        assert "floatx" not in said


@pytest.mark.slow
def test_what_was_edited_is_named(copy: Path) -> None:
    """A draw, an assessment and a model, by their files; none of them is changed."""
    draw = min((copy / "draws").iterdir())
    kept = json.loads(draw.read_text())
    kept["result"]["members"][0]["val_accuracy"][0] = 0.99
    draw.write_text(json.dumps(kept))
    assessment = copy / "assessments" / f"{'0' * 32}.json"
    assessment.parent.mkdir(exist_ok=True)
    assessment.write_text("{}")
    model = copy / "models" / ("1" * 32)
    model.mkdir(parents=True)
    (model / "manifest.json").write_text("{}")
    (model / "model.keras").write_bytes(b"edited")
    found = findings(copy)["draws, assessments, models"]
    assert found["level"] == "warning"
    names = [path.relative_to(copy) for path in (draw, assessment, model)]
    assert found["found"] == f"3 are damaged or edited: {', '.join(map(str, names))}"
    assert "makes them again" in found["mend"]
    assert model.exists()


def test_low_limits_are_named(tmp_path: Path) -> None:
    """Of open files, and of processes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
        resource.setrlimit(resource.RLIMIT_NPROC, (90, 90))

    done = sweep("doctor", "--home", tmp_path, "--format", "json", preexec_fn=limit)
    (found,) = [f for f in json.loads(done.stdout)["findings"] if f["name"] == "limits"]
    assert found["level"] == "warning"
    assert "100 files, 90 processes" in found["found"]
    assert "ulimit -n 256, ulimit -u" in found["mend"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")
@pytest.mark.parametrize(
    ("options", "said"), [("ro", "cannot be written"), ("size=900k", "is full")]
)
def test_shared_memory_that_takes_nothing_is_a_problem(
    options: str, said: str, tmp_path: Path
) -> None:
    """In a place of its own, where ``/dev/shm`` is another one."""
    mount = f'mount -t tmpfs -o {options} tmpfs /dev/shm && exec "$@"'
    doctor = [sys.executable, "-m", "sweep", "doctor", "--home", str(tmp_path), "--format", "json"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", *doctor],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (found,) = [f for f in json.loads(done.stdout)["findings"] if f["name"] == "shared memory"]
    assert (found["level"], found["found"]) == ("problem", f"/dev/shm {said}")
    assert "mount /dev/shm" in found["mend"]


def test_a_database_of_another_mlflow_is_a_problem(copy: Path) -> None:
    """With both forms of its tables."""
    with sqlite3.connect(copy / "mlflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of old'")
    found = findings(copy, status=1)["MLflow"]
    assert "its schema is of old" in found["found"]
    assert "mlflow db upgrade" in found["mend"]


@pytest.mark.parametrize(
    ("uri", "problem", "mend"),
    [
        ("file:///nowhere", "a directory of files", "name a database"),
        ("databricks", "there are no credentials for databricks", "set DATABRICKS_HOST"),
    ],
)
def test_a_place_that_mlflow_cannot_write_is_a_problem(
    uri: str, problem: str, mend: str, finished: Path, tmp_path: Path
) -> None:
    """Also one that nobody has tried yet."""
    config = str(tmp_path / "none")
    found = findings(finished, status=1, MLFLOW_TRACKING_URI=uri, DATABRICKS_CONFIG_FILE=config)[
        "MLflow"
    ]
    assert problem in found["found"]
    assert mend in found["mend"]


@pytest.fixture
def guarded() -> Iterator[str]:
    """The address of a server that wants a user and a password."""
    wanted = "Basic " + base64.b64encode(b"me:secret").decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's name
            self.send_response(200 if self.headers.get("Authorization") == wanted else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_is_asked_with_credentials(guarded: str, finished: Path) -> None:
    """Those of the URL; without them it refuses, and the mend says how to give them.

    This one answers, and knows of no runs: that is a problem of its own.
    """
    found = findings(finished, status=1, MLFLOW_TRACKING_URI=f"http://me:secret@{guarded}")
    assert found["MLflow"]["found"] == f"http://me:***@{guarded} answers"
    assert found["MLflow's runs"]["level"] == "problem"
    assert "does not say which runs it holds" in found["MLflow's runs"]["found"]
    refused = findings(finished, status=1, MLFLOW_TRACKING_URI=f"http://{guarded}")["MLflow"]
    assert "refuses us (status 401)" in refused["found"]
    assert "MLFLOW_TRACKING_USERNAME" in refused["mend"]


FOREIGN: dict[str, Callable[[optuna.Study], object]] = {
    "trials": lambda study: study.optimize(lambda trial: trial.suggest_float("x", 0, 1), 2),
    "an attribute": lambda study: study.set_user_attr("owner", "somebody"),
    "a config of its own": lambda study: study.set_user_attr("config", {"layers": 3}),
    "data of its own": lambda study: study.set_user_attr("data", "here"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_study_of_another_program_is_refused(kind: str, copy: Path, tiny_config: Path) -> None:
    """One of this name, with what nobody here wrote; nothing is written into it."""
    url = f"sqlite:///{copy}/optuna.db"
    study = optuna.create_study(study_name="theirs", storage=url)
    FOREIGN[kind](study)
    before = len(study.trials), study.user_attrs
    done = sweep("run", tiny_config, "--home", copy, "--set", "name=theirs")
    assert done.returncode == 2
    assert "another program" in done.stderr
    theirs = optuna.load_study(study_name="theirs", storage=url)
    assert (len(theirs.trials), theirs.user_attrs) == before
    assert "another program made it" in findings(copy)["study theirs"]["found"]


def test_a_study_with_other_objectives_is_not_adopted(copy: Path, tiny_config: Path) -> None:
    """Nor one that is empty, whose objectives are not the config's."""
    url = f"sqlite:///{copy}/optuna.db"
    study = optuna.create_study(study_name="theirs", storage=url, direction="minimize")
    done = sweep("run", tiny_config, "--home", copy, "--set", "name=theirs")
    assert (done.returncode, "other objectives" in done.stderr) == (2, True), done.stderr
    assert (study.trials, study.user_attrs) == ([], {})
