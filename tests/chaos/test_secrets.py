"""Passwords, tokens and keys in URLs: nobody sees them but those who are asked with them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.processes import command_lines
from tests.chaos.servers import MlflowServer, postgres
from tests.chaos.test_environment import CONFIG
from tests.cli.forked import Forks
from tests.cli.process import environment, free_port, printed_until, start, sweep

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

CANARY = "canary7f3a"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.yaml"
    path.write_text(CONFIG)
    return path


@contextmanager
def watched() -> Iterator[list[str]]:
    """Look at the arguments of all processes meanwhile; those with a secret in them."""
    seen: list[str] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            seen.extend(line for line in command_lines().values() if CANARY in line)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def said(home: Path, env: dict[str, str], *arguments: object) -> str:
    """What a command says, which shows no secret; it succeeds."""
    done = sweep(*arguments, "--home", home, env=env, timeout=400)
    assert CANARY not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def assert_nothing_kept(*directories: Path) -> None:
    files = [path for directory in directories for path in directory.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def whole_life(config: Path, home: Path, env: dict[str, str]) -> None:
    """Every command that a study has, from its beginning to its model."""
    said(home, env, "run", config, "--workers", 1)
    for command in ("status", "store"):
        said(home, env, command)
    assert "***" in said(home, env, "doctor")
    for command in ("trials", "sync", "retry", "register"):
        said(home, env, command, "numbers")
    said(home, env, "report", "numbers", "--out", home / "out")


def test_a_life_on_a_database(config: Path, tmp_path: Path) -> None:
    """Both databases are in a PostgreSQL, with secrets before the host and after the question mark.

    Arguments of all children, output, files, and the databases with their tags; also while
    MLflow's server and Optuna's dashboard run.
    """
    home = tmp_path / "home"
    with postgres() as server, watched() as seen:
        urls = {
            name: server.url(name).replace("a-secret", CANARY) + f"?sslpassword={CANARY}"
            for name in ("optuna", "mlflow")
        }
        env = {"SWEEP_STORAGE": urls["optuna"], "MLFLOW_TRACKING_URI": urls["mlflow"]}
        whole_life(config, home, env)
        ui = start("ui", "--home", home, "--optuna", "--port", free_port(), env=env)
        shown = printed_until(ui, "dashboard")
        ui.send_signal(signal.SIGINT)
        assert CANARY not in shown + "".join(ui.communicate(timeout=60))
        for name in urls:
            assert CANARY not in server.dump(name)
    assert seen == []
    assert_nothing_kept(home)


@pytest.mark.parametrize("before", [f"me:{CANARY}@", f"{CANARY}@"])
def test_a_life_with_a_server(before: str, config: Path, tmp_path: Path) -> None:
    """MLflow's server is asked with a password, or with a token."""
    server, home = MlflowServer(tmp_path), tmp_path / "home"
    server.start()
    try:
        with watched() as seen:
            uri = server.uri.replace("://", f"://{before}")
            whole_life(config, home, {"MLFLOW_TRACKING_URI": uri})
    finally:
        server.kill()
    assert seen == []
    assert_nothing_kept(home, tmp_path)


DATABASES = [
    "postgresql://me:{}@127.0.0.1:1/studies",
    "postgresql://me:p@{}@127.0.0.1:1/studies",
    "postgresql://me:p/{}@127.0.0.1:1/studies",
    "postgresql://me:{}'x7@127.0.0.1:1/studies",
    'postgresql://me:p"{}@127.0.0.1:1/studies',
    "postgresql://me:<{}> x7@127.0.0.1:1/studies",
    "postgresql://127.0.0.1:1/studies?password=a'{}&user=me",
    "postgresql://127.0.0.1:1/studies?password={}&user=me",
    "postgresql://127.0.0.1:1/studies?user=me&sslpassword={}",
    "postgresql+nothing://me:{}@127.0.0.1/studies",
    "mysql://me:{}@127.0.0.1/studies",
    "nothing://{}@127.0.0.1/studies",
]
SERVERS = [
    "http://me:{}@127.0.0.1:1",
    "http://me:'{}@127.0.0.1:1",
    "http://{}@127.0.0.1:1",
    "http://127.0.0.1:1/?api_key={}",
    "https://127.0.0.1:1/?token={}",
]
PLACES = [
    *(("SWEEP_STORAGE", form) for form in DATABASES),
    *(("MLFLOW_TRACKING_URI", form) for form in DATABASES + SERVERS),
]


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    forks = Forks()
    yield forks
    forks.close()


@pytest.mark.parametrize(("variable", "form"), PLACES)
def test_what_does_not_answer_is_named_without_secrets(
    variable: str, form: str, copy: Path, forks: Forks
) -> None:
    """Whatever the form of the URL, and whatever the library behind it says of it."""
    commands = [("doctor",), ("status",), ("report", "tiny")]
    if variable == "SWEEP_STORAGE" or form in (DATABASES[0], *SERVERS):
        commands.append(("sync", "tiny"))  # which waits for a database of MLflow's
    for command in commands:
        done = forks.sweep(
            *command, "--home", copy, env=environment() | {variable: form.format(CANARY)}
        )
        assert done.status is not None, command
        assert CANARY not in done.out + done.err
        assert "Traceback" not in done.err
    assert_nothing_kept(copy)
