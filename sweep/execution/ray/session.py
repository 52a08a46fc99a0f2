"""A session with a Ray cluster: one that is joined, or one that is started on this machine."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.errors import InputError

TOKEN_PATH, TOKEN = "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_TOKEN"
SETTINGS: Mapping[str, str] = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else Ray packs the working directory of whoever was started by 'uv run', and has uv make an
    # environment of it for each worker.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # Ray ends a process that has not reached the cluster's head for so long: we are earlier.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}
"""What every process of a cluster has in its environment; Ray reads it when it is imported."""

_CONNECTING_SECONDS = 10.0
_LONGEST_TEMPORARY = 30
"""Characters: the sockets below it have paths, which the system limits to about 100."""


@dataclass(frozen=True)
class Joined:
    """A cluster that this process is part of."""

    ray: Any
    """The module."""
    is_own: bool
    """Whether it was started for this session, and ends with it."""


def check_installed() -> None:
    """See that Ray is there.

    Raises:
        InputError: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError(
            "the engine 'ray' needs Ray, which is not installed",
            hint="pip install 'latent-sweep[ray]', or in a clone: uv sync --extra ray",
        )


@contextmanager
def session(
    address: str | None, cpus: int, resources: Mapping[str, float] | None = None
) -> Iterator[Joined]:
    """Join a cluster for the length of a block, or start one on this machine.

    Args:
        address: of the cluster's head, ``HOST:PORT``; None to start one.
        cpus: what one that is started has; one that is joined has its own.
        resources: the same of resources by other names.

    Raises:
        InputError: there is no Ray, no cluster at this address, or not with this token.
    """
    check_installed()
    if address is not None:
        _check_address(address)
    private = None if address else _private_directory()
    _settle_environment(private)
    import ray

    if ray.is_initialized():
        raise InputError(
            "this process is part of a Ray cluster already",
            hint="call ray.shutdown() before, or run the study in a process of its own",
        )
    # Ray reads a token once for a process, which may have been part of another cluster before.
    ray._raylet.AuthenticationTokenLoader.instance().reset_cache()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _join(ray, address) if private is None else _start(ray, private, cpus, resources)
        _restore(handlers)
        yield Joined(ray, is_own=private is not None)
    finally:
        ray.shutdown()
        _restore(handlers)
        if private is not None:
            shutil.rmtree(private, ignore_errors=True)


def _check_address(address: str) -> None:
    """See that somebody listens there: Ray would wait for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECTING_SECONDS).close()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "HOST:PORT is wanted"
        raise InputError(
            f"the Ray cluster at {address} cannot be joined: {reason or error}",
            hint="its head must run, and this machine must reach it",
        ) from error


def _private_directory() -> Path:
    """A new directory that nobody else may enter, with a new token in it."""
    place = tempfile.gettempdir()
    private = Path(tempfile.mkdtemp(prefix="sweep-", dir=place if _is_short(place) else "/tmp"))  # noqa: S108  # mkdtemp makes it safe
    token = private / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32), encoding="utf-8")
    return private


def _is_short(place: str) -> bool:
    return len(place) <= _LONGEST_TEMPORARY


def _settle_environment(private: Path | None) -> None:
    """Set what Ray reads when it is imported.

    Raises:
        InputError: the token of a cluster that is joined is missing, or others may read it.
    """
    if private is not None:
        os.environ.pop("RAY_ADDRESS", None)
        os.environ.pop(TOKEN, None)
        os.environ[TOKEN_PATH] = str(private / "token")
    elif TOKEN not in os.environ:
        _check_token(os.environ.get(TOKEN_PATH))
    os.environ.update(SETTINGS)


def _check_token(path: str | None) -> None:
    if not path:
        raise InputError(
            "a cluster is joined with its token, and there is none",
            hint=f"set {TOKEN_PATH} to the file that the cluster was started with",
        )
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        raise InputError(f"{TOKEN_PATH}: {path} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            f"{TOKEN_PATH}: others than you may use {path}: whoever has the token runs code as "
            "you on every node",
            hint=f"chmod 600 {path}",
        )


def _join(ray: Any, address: str | None) -> None:
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except Exception as error:  # whatever Ray raises
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"the Ray cluster at {address} cannot be joined: {reason:.300}",
            hint="its head must run, with this token, and this machine must be one of its nodes",
        ) from error


def _start(ray: Any, private: Path, cpus: int, resources: Mapping[str, float] | None) -> None:
    temporary = private / "ray"
    ray.init(
        num_cpus=cpus,
        resources=dict(resources or {}),
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        _temp_dir=str(temporary),
    )


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    """Undo that Ray takes signals for itself."""
    if threading.current_thread() is not threading.main_thread():
        return  # nor could Ray
    for number, handler in handlers.items():
        if handler is not None:  # None was not set from Python
            signal.signal(number, handler)
