"""Which of a study's encoders is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sweep.configuration import RepresentationSpec
from sweep.coordinator.labels import told_apart
from sweep.errors import InputError
from sweep.representations import REPRESENTATIONS
from sweep.results import EncoderRecord


def find_encoder(
    records: Sequence[EncoderRecord],
    latent_dim: int,
    draw: int,
    representation: str | None,
    settings: Mapping[str, Any],
) -> EncoderRecord:
    """The one encoder that is asked for.

    Args:
        records: all that there are.
        latent_dim: its latent dimension.
        draw: its draw, from 0.
        representation: its name; None for any.
        settings: those of its representation that matter.

    Raises:
        InputError: there is none, or there are several.
    """
    found = [
        record
        for record in records
        if record.spec.draw == draw
        and record.spec.representation.latent_dim == latent_dim
        and representation in (None, record.spec.representation.name)
        and _has_settings(record.spec.representation, settings)
    ]
    if len(found) == 1:
        return found[0]
    asked: dict[str, Any] = {"latent_dim": latent_dim, "draw": draw}
    asked |= {} if representation is None else {"representation": representation}
    shown = ", ".join(f"{name}={value!r}" for name, value in {**asked, **settings}.items())
    if not found:
        there = dict.fromkeys(told_apart([record.spec.representation for record in records]))
        draws = {record.spec.draw for record in records}
        if records and draw not in draws:
            raise InputError(
                f"there is no encoder of {shown}",
                hint=f"draws count from 0 here, and go to {max(draws)}: draw=0 is what MLflow and "
                "the terminal call draw 1",
            )
        raise InputError(
            f"there is no encoder of {shown}",
            hint=f"the study has those of {'; '.join(there) or 'nothing'}; encoders() lists them",
        )
    raise InputError(
        f"there are {len(found)} encoders of {shown}",
        hint=f"say also {_difference([record.spec.representation for record in found])}",
    )


def _has_settings(spec: RepresentationSpec, asked: Mapping[str, Any]) -> bool:
    """Whether asking for these settings would change nothing."""
    model = REPRESENTATIONS[spec.name].Settings
    try:
        changed = model.model_validate({**spec.settings, **asked})
    except ValidationError:
        return False
    return changed == model.model_validate(spec.settings)


def _difference(specs: Sequence[RepresentationSpec]) -> str:
    """What tells representations from each other, as arguments."""
    values: dict[str, list[Any]] = {"representation": [spec.name for spec in specs]}
    if len(set(values["representation"])) == 1:
        model = REPRESENTATIONS[specs[0].name].Settings
        settings = [model.model_validate(spec.settings) for spec in specs]
        values = {name: [getattr(each, name) for each in settings] for name in model.model_fields}
    choices = {name: " or ".join(map(repr, dict.fromkeys(each))) for name, each in values.items()}
    return ", ".join(f"{name}={choice}" for name, choice in choices.items() if " or " in choice)
