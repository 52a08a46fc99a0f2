"""Where a server of ours listens, and under which names browsers may ask for it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sweep.errors import InputError, SweepError


@dataclass(frozen=True)
class Address:
    """A host and a port to listen on."""

    host: str
    port: int
    names: tuple[str, ...]
    """Further names of this machine, by which browsers may ask."""

    @property
    def url(self) -> str:
        """Where a browser finds the server: by the machine's name, if it listens everywhere."""
        shown = self.names[0] if self._is_everywhere else self.host
        return f"http://{_bracketed(shown)}:{self.port}"

    @property
    def own_url(self) -> str:
        """Where this machine finds it."""
        loopback = "::1" if ":" in self.host else "127.0.0.1"
        return f"http://{_bracketed(loopback if self._is_everywhere else self.host)}:{self.port}"

    @property
    def guard(self) -> dict[str, str]:
        """What MLflow's server is told, in its environment, of who may ask.

        A page of another site has another name, and is refused whatever it does.
        """
        known = dict.fromkeys(("localhost", "127.0.0.1", "[::1]", _bracketed(self.host)))
        names = [*known, *map(_bracketed, self.names)]
        # No wildcard of a network: 10.example.org is a name that anybody may have.
        patterns = [name.replace("[", "[[]", 1) for name in names]
        hosts = [*names, *(f"{pattern}:*" for pattern in patterns)]
        origins = [f"http://{pattern}:{self.port}" for pattern in patterns]
        return {
            "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(hosts),
            "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(origins),
        }

    @property
    def _is_everywhere(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_unspecified
        except ValueError:  # a name
            return False


def free_address(host: str, wished: int, names: Sequence[str] = ()) -> Address:
    """The wished port of a host, or another one if it is taken.

    Args:
        host: a name or an address of this machine; ``0.0.0.0`` or ``::`` for all of them.
        wished: the port.
        names: further names by which browsers may ask.

    Raises:
        InputError: a name is none.
        SweepError: the host is not an address of this machine.
    """
    for name in names:
        if not _is_host(name):
            raise InputError(
                f"--allow-host: {name!r} is no name of a host",
                hint="as in --allow-host workstation.example.org, without a port",
            )
    reason = ""
    for port in (wished, 0):
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
            family, kind, protocol, _, place = found
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
                port = int(probe.getsockname()[1])  # of what was wished, or free
        except (OSError, UnicodeError) as error:  # UnicodeError: it can be no name of a host
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            continue
        own = [] if _is_loopback(place[0]) else _own_names()
        return Address(host.strip("[]"), port, tuple(dict.fromkeys([*names, *own])))
    raise SweepError(f"no server can listen on {host}: {reason}")


def _own_names() -> list[str]:
    """Names and addresses of this machine, as far as it knows them."""
    found = [socket.gethostname(), socket.getfqdn()]
    with suppress(OSError):
        found += [str(place[0]) for *_, place in socket.getaddrinfo(socket.gethostname(), None)]
    for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))  # nothing is sent: it asks which way that would go
            found.append(str(probe.getsockname()[0]))
    return found


def _is_host(name: str) -> bool:
    """Whether a name can be one of a host."""
    try:
        name.encode("idna")  # no part of it is empty, or longer than 63 characters
    except UnicodeError:
        return False
    return bool(name) and name.isprintable() and not set(name) & set(" ,*/@?#")


def _is_loopback(address: str | int) -> bool:
    return ipaddress.ip_address(str(address).partition("%")[0]).is_loopback


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
