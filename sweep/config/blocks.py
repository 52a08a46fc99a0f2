"""The blocks of a config: representations, and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, create_model, model_validator

from sweep.config.space import Neurons, Space
from sweep.configuration import ClassifierTraining, LabelsFrom
from sweep.representations import REPRESENTATIONS
from sweep.values import Value


class RepresentationConfig(Value):
    """What every representation's block holds, beside the representation's own settings."""

    labels_from: LabelsFrom
    classifier: ClassifierTraining
    trials: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    space: Space | None = None

    @model_validator(mode="after")
    def _searches_a_space(self) -> RepresentationConfig:
        if self.trials and self.space is None:
            raise ValueError(f"{self.trials} trials need a space to search")
        return self


class RowConfig(Value):
    """A configuration that is trained without being searched for."""

    representation: Annotated[str, Field(max_length=100)]
    latent_dim: Neurons | None = None
    hidden_neurons: Neurons
    labels_from: LabelsFrom | None = None
    """In place of its block's."""
    classifier: ClassifierTraining | None = None
    """In place of its block's."""


class Cell(RowConfig):
    """One configuration of a study: a representation, its dimensions, and the label budget."""

    label_budget: int | None = None
    """None: all labels."""


def _block(name: str) -> Any:
    """A representation's block: what all have, and its own settings."""
    bases = (RepresentationConfig, REPRESENTATIONS[name].Settings)
    return create_model(f"{name}_config", __base__=bases) | None, None


if TYPE_CHECKING:
    Representations = Value
else:
    Representations = create_model(
        "Representations", __base__=Value, **{name: _block(name) for name in REPRESENTATIONS}
    )
    """A block for each representation; None for those that a study has not."""
