"""The study config's model: every key, its type, and what must hold between keys."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from ruamel.yaml import YAML

from sweep import classifier
from sweep.config.blocks import (
    Cell,
    Confirm,
    PartitionChoice,
    Replicates,
    RepresentationConfig,
    Representations,
    RowConfig,
)
from sweep.config.consistency import check_sizes, disagreements
from sweep.config.execution import Execution
from sweep.config.search import Search
from sweep.configuration import FractionsPartition, RepresentationSpec
from sweep.data.datasets import DatasetFile, DatasetName
from sweep.data.images import CLASSES
from sweep.data.partition import partition
from sweep.representations import REPRESENTATIONS, TrainedRepresentation, bind
from sweep.specs import TrialSpec
from sweep.values import Value

# One thread a task: on two cores, two workers of one thread train more than one of two threads.
# Results depend on it in their last bits, so it is part of every spec and the same everywhere.
THREADS_PER_TASK = 1
# Tags of alternatives stand in angle brackets: error messages tell them from a user's keys.
DatasetChoice = Annotated[
    Annotated[DatasetName, Tag("<name>")] | Annotated[DatasetFile, Tag("<file>")],
    Discriminator(lambda value: "<name>" if isinstance(value, str) else "<file>"),
]
STUDY_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
LONGEST_NAME = 64
NAME_CHARACTERS = (
    f"of letters, digits, '_', '.' and '-', {LONGEST_NAME} at most, with a letter or a digit first"
)
AUTO = "auto"
"""A setting of a representation that is left to us."""
ALL_LABELS = "all"
INCONSISTENT = "inconsistent"
"""The type of pydantic's errors about what must hold between keys."""
LabelBudget = Annotated[
    Annotated[Literal["all"], Tag("<all>")] | Annotated[int, Field(ge=CLASSES), Tag("<number>")],
    Discriminator(lambda value: "<all>" if isinstance(value, str) else "<number>"),
]


class StudyConfig(Value):
    """A study, as its YAML file and the overrides on the command line describe it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=STUDY_NAME, max_length=LONGEST_NAME)]
    """Also of the Optuna study and of the MLflow experiment."""
    dataset: DatasetChoice
    """A name, or a file of one's own."""
    partition: PartitionChoice = FractionsPartition()
    """How each draw divides the images."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Every random choice derives from it."""
    replicates: Replicates = Replicates()
    representations: Representations = Field(default_factory=dict, validate_default=True)
    """A block for each that the study has; what has rows and no block has one of defaults."""
    search: Search = Search()
    """Who proposes what is searched, and for what."""
    confirm: Confirm | None = None
    """How what the search selects is confirmed; by default its own draws are all there is."""
    rows: Annotated[tuple[RowConfig, ...], Field(max_length=10_000, strict=False)] = ()
    """What is trained without being searched for."""
    labels: (
        Annotated[tuple[LabelBudget, ...], Field(min_length=1, max_length=100, strict=False)] | None
    ) = None
    """With how many labels every configuration is trained; by default with all, once."""
    execution: Execution = Execution()
    """How it is run: no result depends on it, but for whether Ray's tasks ask for GPUs."""

    @property
    def blocks(self) -> Mapping[str, RepresentationConfig]:
        """The representations of the study, in the order of the registry."""
        return {
            name: getattr(self.representations, name)
            for name in REPRESENTATIONS
            if getattr(self.representations, name) is not None
        }

    @property
    def searches(self) -> bool:
        """Whether anything is searched, and so selected."""
        return any(block.trials for block in self.blocks.values())

    @property
    def scored_on(self) -> Literal["validation", "test"]:
        """The one partition that the study scores: never the test partition if it selects."""
        return "validation" if self.searches else "test"

    @property
    def label_budgets(self) -> tuple[int | None, ...]:
        """The numbers of labels, None for all of them, in the config's order."""
        budgets = (ALL_LABELS,) if self.labels is None else self.labels
        return tuple(None if isinstance(budget, str) else budget for budget in budgets)

    @property
    def leading_budget(self) -> int | None:
        """The largest budget: a search learns from it, and trains what it finds at the others."""
        return None if None in self.label_budgets else max(filter(None, self.label_budgets))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The rows, each with every label budget."""
        return tuple(self.cell(row, budget) for row in self.rows for budget in self.label_budgets)

    def cell(self, row: RowConfig, label_budget: int | None) -> Cell:
        """A row as a cell, in which nothing stands that its block says as well."""
        block = self.blocks[row.representation]
        return Cell(
            representation=row.representation,
            latent_dim=row.latent_dim,
            hidden_neurons=row.hidden_neurons,
            labels_from=None if row.labels_from == block.labels_from else row.labels_from,
            classifier=None if row.classifier == block.classifier else row.classifier,
            label_budget=label_budget,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """All that results depend on, as JSON."""
        unset = {name for name in ("labels", "confirm") if getattr(self, name) is None}
        identity = self.model_dump(mode="json", exclude={"execution", *unset})
        devices = self.execution.identity
        return {**identity, "execution": devices} if devices else identity

    @field_validator("labels")
    @classmethod
    def _distinct_labels(cls, labels: tuple[int | str, ...] | None) -> tuple[int | str, ...] | None:
        if labels is not None and len(set(labels)) < len(labels):
            raise ValueError("a value stands in the list twice")
        return labels

    @model_validator(mode="before")
    @classmethod
    def _with_blocks_of_rows(cls, document: Any) -> Any:
        """What has rows has a block, if only one of defaults."""
        if not isinstance(document, dict):
            return document
        blocks, rows = document.get("representations", {}), document.get("rows", ())
        if not isinstance(blocks, dict) or not isinstance(rows, list | tuple):
            return document
        named = [row.get("representation") for row in rows if isinstance(row, dict)]
        missing: dict[Any, Any] = {
            name: {} for name in REPRESENTATIONS if name in named and blocks.get(name) is None
        }
        return document | {"representations": blocks | missing}

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        problems = list(disagreements(self))
        if problems:
            details: list[InitErrorDetails] = [
                {
                    "type": PydanticCustomError(INCONSISTENT, "{message}", {"message": message}),
                    "loc": where,
                    "input": self,
                }
                for where, message in problems
            ]
            raise ValidationError.from_exception_data(type(self).__name__, details)
        return self

    def part_sizes(self, labels: NDArray[np.uint8]) -> Mapping[str, int]:
        """Numbers of images in the parts of a dataset.

        Args:
            labels: class of every image, shape ``(n,)``.

        Raises:
            ConfigError: a label budget is larger than the part that it is taken from, or an
                encoder has fewer images than it needs for its latent dimensions.
            DataError: a class has too few images to stand in every part.
        """
        parts = partition(labels, self.partition, self.seed, 0)
        sizes = {name: len(indices) for name, indices in parts.items()}
        check_sizes(self, sizes)
        return sizes

    def settled(self, begun: Mapping[str, Any] | None) -> StudyConfig:
        """The config with all that it leaves to us decided, once for a study.

        Args:
            begun: the identity with which the study began, perhaps with another version; None if
                it begins now.
        """
        blocks = {}
        for name, block in self.blocks.items():
            before = begun["representations"].get(name) if begun else None
            representation = REPRESENTATIONS[name]
            if not issubclass(representation, TrainedRepresentation):
                blocks[name] = block
                continue
            values = {
                setting: before[setting] if before else representation.automatic[setting]
                for setting in representation.Settings.model_fields
                if getattr(block, setting) == AUTO
            }
            blocks[name] = block.model_copy(update=values)
        return self.model_copy(
            update={"representations": self.representations.model_copy(update=blocks)}
        )

    def trial_spec(self, cell: Cell, data: str) -> TrialSpec:
        """The trial that trains one cell on the dataset whose content hash is ``data``."""
        block = self.blocks[cell.representation]
        training = cell.classifier or block.classifier
        representation = self._representation_spec(cell)
        return TrialSpec(
            data=data,
            partition=self.partition,
            seed=self.seed,
            draws=self.replicates.draws,
            members=self.replicates.classifiers,
            representation=representation,
            hidden_neurons=cell.hidden_neurons,
            classifier=training.model_copy(update=cell.of_classifier),
            labels_from=cell.labels_from or block.labels_from,
            scored_on=self.scored_on,
            label_budget=cell.label_budget,
            threads=THREADS_PER_TASK,
            device=self.execution.device(encoder=False),
            encoder_device=self.execution.device(encoder=True)
            if representation.is_trained
            else None,
        )

    def confirming_spec(self, searched: TrialSpec) -> TrialSpec:
        """The trial that confirms one of the search: on draws that the search has not seen.

        It is scored on the test partition, on which nothing is selected.
        """
        assert self.confirm is not None
        return searched.model_copy(
            update={
                "draws": self.confirm.draws,
                "members": self.confirm.classifiers,
                "first_draw": searched.draw_numbers.stop,
                "scored_on": "test",
            }
        )

    def classifier_parameters(self, cell: Cell) -> int:
        """Parameters of a cell's classifier, known without training it."""
        inputs = bind(self._representation_spec(cell)).dimensions
        return classifier.parameters(inputs, cell.hidden_neurons)

    def most_neurons(self, representation: str, latent_dim: int | None) -> float:
        """How many neurons the bound on parameters leaves; infinite without one."""
        bound = self.search.max_parameters
        if bound is None:
            return math.inf
        cell = Cell(representation=representation, latent_dim=latent_dim, hidden_neurons=1)
        inputs = bind(self._representation_spec(cell)).dimensions
        return classifier.most_neurons(inputs, bound)

    def _representation_spec(self, cell: Cell) -> RepresentationSpec:
        block = self.blocks[cell.representation]
        settings = REPRESENTATIONS[cell.representation].Settings
        values = {name: getattr(block, name) for name in settings.model_fields}
        return RepresentationSpec(
            name=cell.representation,
            latent_dim=cell.latent_dim,
            settings=settings.model_validate(values | cell.of_representation).model_dump(),
        )

    def to_yaml(self) -> str:
        """The config as YAML, with all defaults written out."""
        text = io.StringIO()
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = None
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # keeps our order
        yaml.dump(self.model_dump(mode="json", exclude_none=True), text)
        return text.getvalue()
