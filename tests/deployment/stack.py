"""The services of ``docker-compose.yml`` as processes, each in a root directory of its own.

    unshare --net --mount --pid --fork --mount-proc --kill-child \
        python -m tests.deployment.stack PLACE < VARIABLES

What it needs is root, and no Docker. Every service runs the very command of the file in the very
environment, with the volumes of the file, and with this machine's files as its image: what it
changes is its own. They share a network that nothing else is in, where each has an address by its
name. PostgreSQL's image has a command of its own, of which :func:`postgres` is the short form.

It starts them in their order, waits for the coordinator to end, and prints what it saw.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.chaos.servers import PG
from tests.deployment.compose import command, mounts, read, resolved

_PATIENCE_SECONDS = 240
_PATH = f"{Path(sys.executable).parent}:{PG}:/usr/bin:/bin:/usr/sbin:/sbin"


class Service:
    """One service, in a root of its own."""

    def __init__(self, name: str, service: Mapping[str, Any], place: Path) -> None:
        self.name = name
        self._service = service
        self._root = place / "roots" / name / "root"
        self._log = place / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        upper, work = (self._root.with_name(each) for each in ("upper", "work"))
        for each in (self._root, upper, work):
            each.mkdir(parents=True)
        layers = f"lowerdir=/,upperdir={upper},workdir={work}"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, self._root)
        for shared in ("proc", "sys", "dev"):
            _run("mount", "--rbind", f"/{shared}", self._root / shared)
        (self._root / "app").mkdir()  # the image's working directory
        for target, source in mounts(service).items():
            volume = place / source if source.startswith(".") else place / "volumes" / source
            inside = self._root / target.removeprefix("/")
            volume.mkdir(parents=True, exist_ok=True)
            inside.mkdir(parents=True, exist_ok=True)
            _run("mount", "--bind", volume, inside)

    def start(self) -> None:
        words = command(self._service) or postgres(self._service["environment"])
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._inside(words), stdout=log, stderr=log)

    def is_healthy(self) -> bool:
        """Whether the file's check of its health succeeds."""
        how, *words = self._service["healthcheck"]["test"]
        assert how == "CMD"
        with self._log.with_suffix(".health").open("wb") as log:
            return subprocess.run(self._inside(words), stdout=log, stderr=log).returncode == 0

    def say(self, *words: str) -> str:
        """What another command prints there."""
        with self._log.open("ab") as log:
            done = subprocess.run(self._inside(words), stdout=subprocess.PIPE, stderr=log)
        assert done.returncode == 0, self.log
        return done.stdout.decode()

    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _inside(self, words: Sequence[str]) -> list[str]:
        given = {key: str(value) for key, value in self._service["environment"].items()}
        environment = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8"} | given
        assignments = [f"{key}={value}" for key, value in environment.items()]
        enter = 'hostname "$1" && shift && cd /app && exec "$@"'
        return [
            *("unshare", "--uts", "chroot", str(self._root), "env", "-i", *assignments),
            *("sh", "-c", enter, "sh", self.name, *words),
        ]


def postgres(environment: Mapping[str, str]) -> list[str]:
    """What PostgreSQL's image does by itself: a user with a password, a database, a server."""
    user, database = environment["POSTGRES_USER"], environment["POSTGRES_DB"]
    data, socket = "/var/lib/postgresql/data", "-c unix_socket_directories=/tmp"
    as_postgres = "setpriv --reuid=postgres --regid=postgres --clear-groups"
    script = f"""
    set -e
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    chown -R postgres {data} /tmp/password
    {as_postgres} initdb -D {data} --username={user} --pwfile=/tmp/password --auth=scram-sha-256
    echo 'host all all all scram-sha-256' >> {data}/pg_hba.conf
    echo 'CREATE DATABASE {database}' | {as_postgres} postgres --single -D {data} {socket} postgres
    exec {as_postgres} postgres -D {data} {socket} -c listen_addresses='*'
    """
    return ["sh", "-c", script]


def main() -> None:
    place, given = Path(sys.argv[1]), json.load(sys.stdin)
    services: Mapping[str, Any] = resolved(read(), given)["services"]
    _run("ip", "link", "set", "lo", "up")
    hosts = place / "hosts"
    addresses = {name: f"127.0.0.{number}" for number, name in enumerate(services, 2)}
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in addresses.items())]
    hosts.write_text("\n".join(lines) + "\n")
    _run("mount", "--bind", hosts, "/etc/hosts")
    (place / "roots").mkdir()
    _run("mount", "-t", "tmpfs", "tmpfs", place / "roots")  # no root may lie within what it shows
    started: dict[str, Service] = {}
    while len(started) < len(services):
        name = next(
            name
            for name, service in services.items()
            if name not in started and service.get("depends_on", {}).keys() <= started.keys()
        )
        for other, waits in services[name].get("depends_on", {}).items():
            _wait(started[other], waits["condition"])
        service = started[name] = Service(name, services[name], place)
        _run("mount", "--bind", hosts, place / "roots" / name / "root/etc/hosts")
        service.start()
    for service in started.values():
        if "healthcheck" in services[service.name]:
            _wait(service, "service_healthy")
    arguments = _arguments()
    pages = {
        "studies": _page("http://127.0.0.1:5000/studies"),
        "dashboard": _page("http://127.0.0.1:8080/api/studies"),
    }
    coordinator = started["coordinator"]
    while coordinator.status() is None:
        time.sleep(0.5)
        arguments += _arguments()
    pages["studies at the end"] = _page("http://127.0.0.1:5000/studies")
    pages["report"] = _page("http://127.0.0.1:5000/studies/tiny/report")
    seen = {
        "status": coordinator.status(),
        "log": coordinator.log,
        "pages": pages,
        "report": coordinator.say("sweep", "report", "tiny", "--format", "json"),
        "arguments": arguments,
    }
    json.dump(seen, sys.stdout)


def _wait(service: Service, condition: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        status = service.status()
        if condition == "service_completed_successfully" and status is not None:
            assert status == 0, service.log
            return
        if condition == "service_healthy":
            assert status is None, service.log
            if service.is_healthy():
                return
        assert time.monotonic() < deadline, f"{service.name}: {service.log}"
        time.sleep(0.5)


def _arguments() -> str:
    """The command lines of all processes, as every user sees them."""
    found = ""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text(errors="replace")
        except OSError:
            continue
        if not line.startswith(("env\0", "unshare\0", "chroot\0")):  # of this file's own
            found += line.replace("\0", " ") + "\n"
    return found


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as response:
        text: str = response.read().decode()
        return text


def _run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True)


if __name__ == "__main__":
    main()
