"""A config to begin with."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from ruamel.yaml import YAML

from sweep.config.model import LONGEST_NAME, NAME_CHARACTERS, STUDY_NAME
from sweep.config.schema import SCHEMA
from sweep.errors import InputError

_TEMPLATE = Path(__file__).with_name("first.yaml")


def write_first_config(name: str, directory: Path) -> Path:
    """Write a commented config of a small study, and give its path.

    Args:
        name: the study's name; the file is called so, too.
        directory: where to write.

    Raises:
        InputError: no study can have this name, or the file is there already.
    """
    if not re.fullmatch(STUDY_NAME, name) or len(name) > LONGEST_NAME:
        raise InputError(f"{name!r} is no name for a study", hint=f"it must be {NAME_CHARACTERS}")
    path = directory / f"{name}.yaml"
    is_text = isinstance(YAML(typ="safe", pure=True).load(name), str)  # and no number, say
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        file=path.name, name=name if is_text else f"'{name}'", schema=_schema_from(directory)
    )
    try:
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"{path.name} is there already", hint="sweep init NAME takes another name"
        ) from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be written: {error.strerror}") from error
    return path


def _schema_from(directory: Path) -> str:
    """The schema as a config in a directory names it: by a relative path where it lies below."""
    below = SCHEMA.resolve()
    directory = directory.resolve()
    is_near = below.is_relative_to(directory) and " " not in str(below.relative_to(directory))
    return below.relative_to(directory).as_posix() if is_near else below.as_uri()
