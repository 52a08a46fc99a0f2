"""``docker-compose.yml``: what it says agrees with the specification, and with itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sweep.execution.ray.session import SETTINGS
from tests.deployment.compose import FILE, UnsetError, command, mounts, read, references, resolved

SCHEMA = json.loads(Path(__file__).with_name("compose.schema.json").read_text())
SECRETS = {"POSTGRES_PASSWORD": "p@ss/w:o#r%d $x'\"", "RAY_AUTH_TOKEN": "0" * 64}
PINNED = re.compile(r"[\w/-]+:[\w.-]+@sha256:[0-9a-f]{64}")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = resolved(read(), SECRETS)["services"]
    return found


def test_the_specification_allows_it() -> None:
    """As it stands, and with all that it refers to."""
    validator = jsonschema.Draft7Validator(SCHEMA)
    for document in (read(), resolved(read(), SECRETS)):
        assert not list(validator.iter_errors(document))
    wrong = read()
    wrong["services"]["mlflow"]["healthchek"] = {}
    assert list(validator.iter_errors(wrong))


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_has_no_default(secret: str) -> None:
    """Who gives none is told where to write it; with all of them there is nothing else to give."""
    given = {name: value for name, value in SECRETS.items() if name != secret}
    with pytest.raises(UnsetError, match=rf"{secret}: write .* to \.env"):
        resolved(read(), given)
    assert references(read()) == {*SECRETS, "STUDY"}
    assert ".env" in (FILE.parent / ".gitignore").read_text().split()


def test_secrets_are_in_the_environment_alone(services: dict[str, Any]) -> None:
    """Neither an argument nor a URL has one: other users see those, and would need them escaped."""
    for service in services.values():
        environment = service["environment"].values()
        elsewhere = str({**service, "environment": None})
        urls = " ".join(value for value in environment if "://" in value)
        assert not any(secret in elsewhere + urls for secret in SECRETS.values())


def test_what_is_referred_to_is_there(services: dict[str, Any]) -> None:
    """Services, volumes, directories, and the health that others wait for."""
    volumes = read()["volumes"]
    for service in services.values():
        for name, waits in service.get("depends_on", {}).items():
            if waits["condition"] == "service_healthy":
                assert "healthcheck" in services[name]
            assert name in services
        for source in mounts(service).values():
            assert (FILE.parent / source).is_dir() if source.startswith(".") else source in volumes
        variables = set(re.findall(r"\$(\w+)", " ".join(command(service))))
        assert variables <= service["environment"].keys()


def test_whatever_stays_is_looked_after(services: dict[str, Any]) -> None:
    """Each service that does not end by itself says how it is seen to be well, and who restarts."""
    for name, service in services.items():
        assert "restart" in service, name
        assert name == "mlflow-database" or service["healthcheck"]["test"][0] == "CMD", name


def test_images_are_pinned_and_ports_are_this_machine_s(services: dict[str, Any]) -> None:
    """Those that are not built here by their content; and so is what ours is built on."""
    for service in services.values():
        assert "build" in service or PINNED.fullmatch(service["image"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    (base,) = re.findall(r"^FROM (.*)$", (FILE.parent / "Dockerfile").read_text(), re.MULTILINE)
    assert PINNED.fullmatch(base)


def test_every_part_of_the_cluster_has_ray_s_settings(services: dict[str, Any]) -> None:
    """Those of ``sweep run`` itself: a head without them has no token."""
    for name in ("coordinator", "ray-worker"):
        environment = services[name]["environment"]
        assert environment.items() >= SETTINGS.items()
        assert environment["RAY_AUTH_TOKEN"] == SECRETS["RAY_AUTH_TOKEN"]


def test_the_image_has_what_was_tested() -> None:
    """Without what only developers need."""
    tested, image = (
        dict(re.findall(r"^(\S+)==(\S+)", (FILE.parent / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements.image.lock")
    )
    assert image.items() <= tested.items()
    assert {"ray", "psycopg", "tensorflow"} <= image.keys()
    assert not {"pytest", "mypy", "ruff"} & image.keys()
