"""The blocks of a config: representations, rows, and how they are trained."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, Tag, create_model, model_validator

from sweep.config.space import CLASSIFIER, Neurons, Space, dimension
from sweep.configuration import ClassifierTraining, LabelsFrom
from sweep.representations import REPRESENTATIONS, TrainedRepresentation
from sweep.values import Value

Workers = Annotated[
    Annotated[Literal["auto"], Tag("<auto>")]
    | Annotated[int, Field(ge=1, le=1024), Tag("<number>")],
    Discriminator(lambda value: "<auto>" if isinstance(value, str) else "<number>"),
]


class Replicates(Value):
    """Outer draws (partition, encoder, batch order) times classifier initialisations."""

    draws: Annotated[int, Field(ge=1, le=1000)]
    classifiers: Annotated[int, Field(ge=1, le=1000)]


class Confirm(Value):
    """Fresh draws, times classifiers, on which what a search has selected is trained again."""

    draws: Annotated[int, Field(ge=1, le=1000)]
    classifiers: Annotated[int, Field(ge=1, le=1000)]


class Execution(Value):
    """How a study is run; not part of its identity, because results do not depend on it."""

    workers: Workers = "auto"
    engine: Literal["local"] = "local"
    trial_timeout: Annotated[int, Field(ge=1)] = 3600
    """Seconds that one task, a trial or an encoder, may take."""


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
    varied: tuple[tuple[str, int | float], ...] = ()
    """What else was searched, by its name in the space."""

    @staticmethod
    def of(representation: str, values: Mapping[str, Any], label_budget: int | None) -> Cell:
        """The cell of a space's values, by their names."""
        named = dict(values)
        return Cell(
            representation=representation,
            latent_dim=named.pop("latent_dim", None),
            hidden_neurons=named.pop("hidden_neurons"),
            label_budget=label_budget,
            varied=tuple(named.items()),
        )

    @property
    def encoding(self) -> tuple[object, ...] | None:
        """What tells its encoders from those of other cells; None if it has none."""
        if self.latent_dim is None:
            return None
        return self.representation, self.latent_dim, *self.of_representation.items()

    @property
    def of_representation(self) -> dict[str, int | float]:
        """What it varies of its representation's settings."""
        return {key: value for key, value in self.varied if not key.startswith(CLASSIFIER)}

    @property
    def of_classifier(self) -> dict[str, int | float]:
        """What it varies of its classifier's training."""
        return {
            key.removeprefix(CLASSIFIER): value
            for key, value in self.varied
            if key.startswith(CLASSIFIER)
        }


def _block(name: str) -> Any:
    """A representation's block: what all have, and its own settings."""
    bases = (RepresentationConfig, REPRESENTATIONS[name].Settings)
    space = create_model(f"{name}_space", __base__=Space, **_searchable(name))
    searched: Any = space | None, None
    return create_model(f"{name}_config", __base__=bases, space=searched) | None, None


def _searchable(name: str) -> dict[str, Any]:
    """What may be searched beside hidden neurons: every number that a block sets."""
    representation = REPRESENTATIONS[name]
    found: dict[str, Any] = {}
    if issubclass(representation, TrainedRepresentation):
        found["latent_dim"] = dimension(Neurons) | None, None
    for prefix, settings in (("", representation.Settings), (CLASSIFIER, ClassifierTraining)):
        for setting, field in settings.model_fields.items():
            number = _number(field.annotation, field.metadata)
            if number is not None:
                alias = Field(default=None, alias=f"{prefix}{setting}")
                found[f"{prefix}{setting}".replace(".", "_")] = dimension(number) | None, alias
    return found


def _number(annotation: Any, metadata: list[Any]) -> Any:
    """A setting's type with its bounds, if it is a number."""
    if annotation in (int, float):
        return Annotated[annotation, *metadata]
    inner = [each for each in get_args(annotation) if each is not NoneType]
    if len(inner) == 1 and get_args(inner[0])[:1] in ((int,), (float,)):
        return inner[0]
    return None


if TYPE_CHECKING:
    Representations = Value
else:
    Representations = create_model(
        "Representations", __base__=Value, **{name: _block(name) for name in REPRESENTATIONS}
    )
    """A block for each representation; None for those that a study has not."""


def check_latent_dim(where: str, name: str, latent_dim: int | None) -> None:
    """Refuse a latent dimension that a representation cannot have, or the want of one."""
    representation = REPRESENTATIONS[name]
    if not issubclass(representation, TrainedRepresentation):
        if latent_dim is not None:
            raise ValueError(f"{where} does not have latent_dim")
        return
    largest = representation.largest_latent_dim
    if latent_dim is None:
        raise ValueError(f"{where} needs latent_dim")
    if latent_dim > largest:
        raise ValueError(f"{where} has a latent_dim of {latent_dim}, and at most {largest} can be")
