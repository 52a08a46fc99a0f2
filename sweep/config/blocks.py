"""The blocks of a config: partition, representations, rows, and how they are trained."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sweep.config.dimensions import Dimension, Neurons, dimension
from sweep.config.space import Space
from sweep.configuration import (
    ClassifierTraining,
    FractionsPartition,
    LabelsFrom,
    NotebookPartition,
)
from sweep.representations import REPRESENTATIONS, TrainedRepresentation
from sweep.specs import CLASSIFIER
from sweep.values import Value


def _scheme(partition: Any) -> str:
    default = FractionsPartition.model_fields["scheme"].default
    if isinstance(partition, dict):
        return f"<{partition.get('scheme', default)}>"
    return f"<{getattr(partition, 'scheme', default)}>"


PartitionChoice = Annotated[
    Annotated[FractionsPartition, Tag("<fractions>")]
    | Annotated[NotebookPartition, Tag("<notebook>")],
    Discriminator(_scheme),
]


class Replicates(Value):
    """Outer draws (partition, encoder, batch order) times classifier initialisations."""

    draws: Annotated[int, Field(ge=1, le=1000)] = 1
    classifiers: Annotated[int, Field(ge=1, le=1000)] = 3


class Confirm(Value):
    """Fresh draws, times classifiers, on which what a search has selected is trained again."""

    draws: Annotated[int, Field(ge=1, le=1000)]
    classifiers: Annotated[int, Field(ge=1, le=1000)]


_NOTEBOOK = {"epochs": 50, "batch_size": 256, "learning_rate": 0.001}
"""How the notebook trained classifiers on latents."""
_NOTEBOOK_EPOCHS = {"classifier": 50, "encoder": 30}
"""It trained pixels, which had the encoder part's labels, for fewer epochs: there are more."""


_TRIALS = 8
"""Of a space, where nothing is said: enough to see a curve, and minutes on a small dataset."""


class _Completed:
    """Tells the JSON Schema of a classifier's training that a block may leave keys out of it."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = dict(handler.resolve_ref_schema(handler(core_schema)))
        del schema["required"]
        return schema


class RepresentationConfig(Value):
    """What every representation's block holds, beside the representation's own settings."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    labels_from: LabelsFrom = "classifier"
    """The part whose images and labels classifiers are trained on."""
    classifier: Annotated[ClassifierTraining, _Completed()] = Field(
        default_factory=dict, validate_default=True
    )
    """How they are trained; what is not said is the notebook's."""
    trials: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """How many configurations the search trains: 8 by default, where there is a space."""
    space: Space | None = Field(default=None, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _searches_its_space(cls, block: Any) -> Any:
        """Who gives a space wants it searched."""
        if not isinstance(block, dict) or block.get("space") is None:
            return block
        return {"trials": _TRIALS} | block

    @field_validator("classifier", mode="before")
    @classmethod
    def _as_in_the_notebook(cls, training: Any, block: ValidationInfo) -> Any:
        """What is not said of it is the notebook's."""
        if not isinstance(training, dict):
            return training
        epochs = _NOTEBOOK_EPOCHS[block.data.get("labels_from", "classifier")]
        return _NOTEBOOK | {"epochs": epochs} | training

    @field_validator("space")
    @classmethod
    def _is_there_to_search(cls, space: Space | None, block: ValidationInfo) -> Space | None:
        trials = block.data.get("trials", 0)
        if trials and space is None:
            raise ValueError(f"{trials} trials need a space to search")
        return space


def _check_largest(
    representation: type[TrainedRepresentation], latent_dims: Dimension
) -> Dimension:
    _check_size(representation, latent_dims.largest)
    return latent_dims


def _check_size(representation: type[TrainedRepresentation], latent_dim: int) -> None:
    """Refuse a latent dimension that a representation cannot have."""
    largest = representation.largest_latent_dim
    if latent_dim > largest:
        raise ValueError(
            f"'{representation.name}' has at most {largest:,} latent dimensions, and not "
            f"{latent_dim:,}"
        )


if TYPE_CHECKING:
    RepresentationName = str
else:
    RepresentationName = Literal[tuple(REPRESENTATIONS)]


class _Configuration(Value):
    """What one configuration is trained with."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    representation: Annotated[str, Field(max_length=100)]
    latent_dim: Neurons | None = None
    hidden_neurons: Neurons
    labels_from: LabelsFrom | None = None
    """In place of its block's."""
    classifier: ClassifierTraining | None = None
    """In place of its block's."""


class RowConfig(_Configuration):
    """A configuration that is trained without being searched for."""

    representation: RepresentationName

    @model_validator(mode="after")
    def _has_its_latent_dim(self) -> RowConfig:
        representation = REPRESENTATIONS[self.representation]
        if issubclass(representation, TrainedRepresentation):
            if self.latent_dim is None:
                raise ValueError(f"'{self.representation}' needs latent_dim")
            _check_size(representation, self.latent_dim)
        elif self.latent_dim is not None:
            raise ValueError(f"'{self.representation}' does not have latent_dim")
        return self


class Cell(_Configuration):
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
    searched: Any = space | None, Field(default=None, validate_default=True)
    return create_model(f"{name}_config", __base__=bases, space=searched) | None, None


def _searchable(name: str) -> dict[str, Any]:
    """What may be searched beside hidden neurons: every number that a block sets."""
    representation = REPRESENTATIONS[name]
    found: dict[str, Any] = {}
    if issubclass(representation, TrainedRepresentation):
        within = AfterValidator(partial(_check_largest, representation))
        found["latent_dim"] = Annotated[dimension(Neurons), within], ...
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
