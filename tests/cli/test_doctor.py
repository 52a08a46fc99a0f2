"""``sweep doctor`` names what may be wrong with a machine, a storage and MLflow, and its mend."""

from __future__ import annotations

import base64
import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

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
    """In the directory that is named, in Keras's, or nowhere yet."""
    (tmp_path / "mnist.npz").touch()
    nowhere = findings(tmp_path / "home", KERAS_HOME=str(tmp_path / "keras"))["data mnist"]
    assert "Keras would download it" in nowhere["found"]
    assert "SWEEP_DATA_DIR" in nowhere["mend"]
    there = findings(tmp_path / "home", SWEEP_DATA_DIR=str(tmp_path))["data mnist"]
    assert there["found"] == str(tmp_path / "mnist.npz")


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
    """Those of the URL; without them it refuses, and the mend says how to give them."""
    let_in = findings(finished, MLFLOW_TRACKING_URI=f"http://me:secret@{guarded}")["MLflow"]
    assert let_in["found"] == f"http://me:***@{guarded} answers"
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
