"""Scripts and manifests for one study, from templates that lie beside this module."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import jinja2

from sweep import __version__
from sweep.config import StudyConfig
from sweep.execution.ray.session import SETTINGS

_PLENTY = 1000
"""Of each resource that a task takes: a node that has it has enough for all its slots."""
_LONGEST_DNS_NAME = 30
"""KubeRay shortens names of more than 50 characters, with what it and we put around this one."""
Where = Literal["slurm", "kubernetes", "ssh"]
_TEMPLATES: Mapping[Where, str] = {
    "slurm": "slurm.sh",
    "kubernetes": "kubernetes.yaml",
    "ssh": "ssh.sh",
}


def deployment(where: Where, config: StudyConfig, path: Path, home: Path) -> str:
    """The script or manifest that runs a study.

    Args:
        where: nodes come from.
        config: the study.
        path: of its YAML file.
        home: in which the study is kept, where the coordinator runs.
    """
    demands = config.execution.ray
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="{**",  # ${#array[@]} is bash's
        comment_end_string="**}",
        autoescape=False,  # noqa: S701  # what is made is no HTML: a filter quotes what needs it
    )
    environment.filters["quoted"] = shlex.quote
    environment.filters["in_yaml"] = lambda text: "'" + json.dumps(text).replace("'", "''") + "'"
    environment.filters["indented"] = lambda text, by: text.replace("\n", "\n" + " " * by)
    return environment.get_template(_TEMPLATES[where]).render(
        name=config.name,
        dns_name=_dns_name(config.name),
        config=str(path.resolve()),
        config_text=path.read_text(encoding="utf-8").rstrip("\n"),
        home=str(home),
        python=sys.executable,
        settings=SETTINGS,
        token=secrets.token_hex(32),
        image=f"latent-sweep:{__version__}",
        cpus=max(1, math.ceil(demands.cpus_per_task)),
        gpus=math.ceil(max(demands.gpus_per_encoder, demands.gpus_per_draw)),
        resources=json.dumps(dict.fromkeys(demands.resources, _PLENTY))
        if demands.resources
        else "",
    )


def _dns_name(study: str) -> str:
    """A study's name as Kubernetes takes names: no capitals, underscores or dots, and short.

    Where it is not the study's own, digits of a hash tell it from those of other studies.
    """
    name = "".join(c if c.isalnum() else "-" for c in study.lower()).strip("-")
    if name == study and len(name) <= _LONGEST_DNS_NAME:
        return name
    digest = hashlib.sha256(study.encode()).hexdigest()[:6]
    return f"{name[: _LONGEST_DNS_NAME - 7].rstrip('-')}-{digest}"
