"""Real servers that can be killed, restarted, and made to fail."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sweep.tracking.connection import SERVER_ENVIRONMENT
from sweep.ui import free_address
from tests.cli.process import wait_until

PG = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/usr/bin"))


class MlflowServer:
    """An MLflow server, on one port for all its lives."""

    def __init__(self, directory: Path, database: str | None = None) -> None:
        """Nothing is started yet.

        Args:
            directory: for what it keeps.
            database: the URL of what it keeps its runs in; None for an SQLite file of its own.
        """
        self._directory = directory
        self._database = database or f"sqlite:///{directory}/server.db"
        self._port = free_address("127.0.0.1", 0).port
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and return when it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--backend-store-uri", self._database]
        command += ["--artifacts-destination", str(self._directory / "artifacts")]
        with (self._directory / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                command,
                env=os.environ | SERVER_ENVIRONMENT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, seconds=120)

    def kill(self) -> None:
        """Kill it with its children, in the middle of whatever they do."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                return True
        except OSError:
            return False


class Proxy:
    """A server before another one, that can be slow and can fail instead of asking it."""

    def __init__(self, behind_uri: str) -> None:
        self.answers_500 = False
        self.delay = 0.0
        self.asked = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def _forward(self) -> None:
                proxy.asked += 1
                time.sleep(proxy.delay)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if proxy.answers_500:
                    self.send_error(500)
                    return
                behind = http.client.HTTPConnection(behind_uri.removeprefix("http://"), timeout=60)
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                behind.request(self.command, self.path, body, headers)
                answer = behind.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.getheader("Content-Type", ""))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _forward  # noqa: N815  # http.server's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class DrippingServer:
    """Takes every request, and answers with a byte now and then, for ever."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while True:
                connection.sendall(b" ")
                time.sleep(1)

    def close(self) -> None:
        self._socket.close()


class SilentServer(DrippingServer):
    """Takes every connection, and never says a word."""

    def _drip(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while connection.recv(1024):
                pass


class Postgres:
    """Debian's PostgreSQL on loopback, in a directory of its own, as a user that is not root."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "data"
        self._port = free_address("127.0.0.1", 0).port
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self._as_user:
            shutil.chown(directory, "postgres")
        self._run("initdb", "-D", self._data, "-U", "sweep", "-A", "trust", "-N")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"port = {self._port}\nlisten_addresses = '127.0.0.1'\n"
                f"unix_socket_directories = '{directory}'\nfsync = off\n"
            )
        self.start()
        for name in ("optuna", "mlflow"):
            self.create(name)

    def create(self, database: str) -> None:
        """Make an empty database."""
        self._run("createdb", "-h", "127.0.0.1", "-p", self._port, "-U", "sweep", database)

    def url(self, database: str) -> str:
        return f"postgresql://sweep:a-secret@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self._data / "log", "start")

    def kill(self) -> None:
        """Stop it at once, without a checkpoint: its connections are cut."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def stop(self) -> None:
        """Stop it in good order: what it shares between its processes goes."""
        self._run("pg_ctl", "-D", self._data, "-m", "fast", "-w", "stop")

    def dump(self, database: str) -> str:
        """All that a database holds."""
        place = ("-h", "127.0.0.1", "-p", self._port, "-U", "sweep")
        return self._run("pg_dump", *place, database)

    def _run(self, program: str, *arguments: object) -> str:
        command = [*self._as_user, str(PG / program), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A new PostgreSQL for the length of a block."""
    directory = Path(tempfile.mkdtemp(prefix="sweep-postgres-"))  # which its user may enter
    directory.chmod(0o755)
    server = None
    try:
        server = Postgres(directory)
        yield server
    finally:
        if server is not None:
            with suppress(AssertionError):
                server.stop()
        shutil.rmtree(directory)
