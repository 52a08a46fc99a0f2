"""Who may join a cluster, and what others on its machine can see of it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.errors import InputError
from sweep.execution.ray import Joined, session
from sweep.execution.ray.session import TOKEN, TOKEN_PATH
from tests.cli.process import TINY, processes, sweep
from tests.cluster.nodes import Cluster, cluster

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def started() -> Iterator[Joined]:
    """A cluster that was started for a run."""
    with session(None, 1) as found:
        yield found


@pytest.fixture(scope="module")
def joined() -> Iterator[Cluster]:
    """A cluster that was started before."""
    with cluster(nodes=0) as found:
        yield found


def listening() -> socket.socket:
    """Somebody at an address, who is not asked."""
    return socket.create_server(("127.0.0.1", 0))


def test_joining_wants_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's own default, a file that others may read, is not taken."""
    for name in (TOKEN, TOKEN_PATH):
        monkeypatch.delenv(name, raising=False)
    address = listening()
    with (
        address,
        pytest.raises(InputError, match="joined with its token, and there is none"),
        session(f"127.0.0.1:{address.getsockname()[1]}", 1),
    ):
        pass


def test_a_token_is_for_nobody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that others may read is refused; so is one that is not there."""
    token = tmp_path / "token"
    token.write_text("0" * 64)
    token.chmod(0o640)
    monkeypatch.delenv(TOKEN, raising=False)
    for path, reason in ((token, "others than you may use"), (tmp_path / "no", "cannot be read")):
        monkeypatch.setenv(TOKEN_PATH, str(path))
        address = listening()
        port = address.getsockname()[1]
        with (
            address,
            pytest.raises(InputError, match=reason),
            session(f"127.0.0.1:{port}", 1),
        ):
            pass


def test_an_address_is_of_the_engine_ray(tiny_config: Path, tmp_path: Path) -> None:
    """Elsewhere it is refused, as it says something that is not done. ``RAY_ADDRESS`` is for the
    engine ``ray`` alone, and is taken like the option.
    """
    run = ("run", tiny_config, "--home", tmp_path / "home")
    refused = sweep(*run, "--address", "127.0.0.1:1")
    assert refused.returncode == 2
    assert "--address names a Ray cluster, and tiny runs without one" in refused.stderr
    for options in ((), ("--address", "127.0.0.1:1")):
        said = sweep(*run, "--engine", "ray", *options, env={"RAY_ADDRESS": "127.0.0.1:1"})
        assert said.returncode == 2
        assert "the Ray cluster at 127.0.0.1:1 cannot be joined" in said.stderr
    assert not (tmp_path / "home").exists()


def tokens() -> Path:
    return Path(os.environ[TOKEN_PATH])


def test_what_a_cluster_keeps_is_for_nobody_else(started: Joined) -> None:
    """Its directory can be entered by its user alone, and its token be read by nobody else."""
    token = tokens()
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.parent.stat().st_mode & 0o777 == 0o700
    assert re.fullmatch(r"[0-9a-f]{64}", token.read_text())
    temporary = Path(started.ray.get_runtime_context().get_temp_dir())
    assert temporary.is_relative_to(token.parent)


def test_a_process_may_be_of_one_cluster_after_another() -> None:
    """Each with a token of its own; Ray itself would keep to the first."""
    program = (
        "import os\n"
        "from sweep.execution.ray import session\n"
        "for _ in range(2):\n"
        "    with session(None, 1):\n"
        "        print(open(os.environ['RAY_AUTH_TOKEN_PATH']).read())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.split()
    assert first != second


def test_no_command_line_has_the_token(started: Joined) -> None:
    """Everybody on a machine sees those."""
    lines = processes(lambda *_: True).values()
    assert any("raylet" in line for line in lines)
    assert not any(tokens().read_text() in line for line in lines)


def test_no_dashboard_listens(started: Joined) -> None:
    """On its port 8265, nobody does."""
    listening = {
        int(line.split()[1].rpartition(":")[2], 16)
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    }
    assert listening
    assert 8265 not in listening


INTRUDER = """
import ray
ray.init(address="{address}", log_to_driver=False)
print(ray.get(ray.remote(lambda: "ran").remote()))
"""


@pytest.mark.parametrize(
    "credentials",
    [
        {"RAY_AUTH_MODE": "disabled"},
        {"RAY_AUTH_MODE": "token", TOKEN: "f" * 64},
    ],
    ids=["none", "wrong"],
)
def test_nobody_else_gets_in(started: Joined, credentials: dict[str, str], tmp_path: Path) -> None:
    """Neither without a token nor with another one: no code runs."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    address = started.ray.get_runtime_context().gcs_address
    with subprocess.Popen(
        [sys.executable, "-c", INTRUDER.format(address=address)],
        env=inherited | credentials | {"HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as intruder:
        try:
            said, _ = intruder.communicate(timeout=60)
        except subprocess.TimeoutExpired:  # it waits for an answer for ever
            intruder.kill()
            said, _ = intruder.communicate()
    assert intruder.returncode != 0
    assert "ran" not in said


def test_a_wrong_token_is_refused_in_one_line(joined: Cluster, tmp_path: Path) -> None:
    """Before anything of the study is made."""
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    arguments = ("run", config, "--home", tmp_path / "home", "--engine", "ray", "--address")
    done = sweep(*arguments, joined.address, env=joined.environment | {TOKEN: "f" * 64})
    assert done.returncode == 2, done.stderr
    assert "cannot be joined" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()
    for address in ("127.0.0.1:1", "auto"):
        done = sweep(*arguments, address, env=joined.environment)
        assert done.returncode == 2
        assert "cannot be joined" in done.stderr
        assert not (tmp_path / "home").exists()
