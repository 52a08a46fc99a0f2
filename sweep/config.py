"""The study config: what a user writes, checked and frozen.

Reading a config imports neither TensorFlow, Optuna nor MLflow.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from sweep.data.datasets import DatasetFile, DatasetName
from sweep.data.partition import part_names
from sweep.errors import ConfigError
from sweep.representations import REPRESENTATIONS
from sweep.trial import (
    ClassifierTraining,
    FractionsPartition,
    NotebookPartition,
    RepresentationSpec,
    TrialSpec,
    Value,
)

# One thread a task: on two cores two single-threaded workers train more than one with two threads.
# Results depend on it in their last bits, so it is part of every spec and never follows the machine.
THREADS_PER_TASK = 1
MOST_CONFIG_BYTES = 1_000_000

# Tags of alternatives stand in angle brackets, and so are told from a user's keys in error messages.
DatasetChoice = Annotated[
    Annotated[DatasetName, Tag("<name>")] | Annotated[DatasetFile, Tag("<file>")],
    Discriminator(lambda value: "<name>" if isinstance(value, str) else "<file>"),
]
Workers = Annotated[
    Annotated[Literal["auto"], Tag("<auto>")]
    | Annotated[int, Field(ge=1, le=1024), Tag("<number>")],
    Discriminator(lambda value: "<auto>" if isinstance(value, str) else "<number>"),
]
Neurons = Annotated[int, Field(ge=1, le=100_000)]
Objective = Literal["accuracy", "classifier_parameters", "inference_parameters"]


class Choices(Value):
    """One of a list of values."""

    choices: Annotated[tuple[Neurons, ...], Field(min_length=1, max_length=1000, strict=False)]

    @field_validator("choices")
    @classmethod
    def _distinct(cls, choices: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(choices)) < len(choices):
            raise ValueError("a value stands in the list twice")
        return choices

    @property
    def size(self) -> int:
        return len(self.choices)


class Range(Value):
    """Whole numbers from ``low`` to ``high``, both included; ``log`` samples their logarithm."""

    low: Neurons
    high: Neurons
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) is greater than high ({self.high})")
        return self

    @property
    def size(self) -> int:
        return self.high - self.low + 1


Dimension = Annotated[
    Annotated[Choices, Tag("<choices>")] | Annotated[Range, Tag("<range>")],
    Discriminator(lambda value: "<choices>" if _has(value, "choices") else "<range>"),
]


class Space(Value):
    """What is searched."""

    hidden_neurons: Dimension
    latent_dim: Dimension | None = None

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.hidden_neurons.size * (self.latent_dim.size if self.latent_dim else 1)


class RepresentationConfig(Value):
    """What every representation's block holds, beside the representation's own settings."""

    labels_from: Literal["encoder", "classifier"]
    classifier: ClassifierTraining
    trials: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    space: Space | None = None

    @model_validator(mode="after")
    def _searches_a_space(self) -> RepresentationConfig:
        if self.trials and self.space is None:
            raise ValueError(f"{self.trials} trials need a space to search")
        return self


class Cell(Value):
    """One configuration of a study: a representation and its dimensions."""

    representation: str
    latent_dim: Neurons | None = None
    hidden_neurons: Neurons


class Replicates(Value):
    """Outer draws (partition, encoder, batch order) times classifier initialisations."""

    draws: Annotated[int, Field(ge=1, le=1000)]
    classifiers: Annotated[int, Field(ge=1, le=1000)]


class Search(Value):
    """Which sampler proposes, and what it optimises."""

    sampler: Literal["tpe", "random"] = "tpe"
    objectives: Annotated[
        tuple[Objective, ...], Field(min_length=1, max_length=3, strict=False)
    ] = ("accuracy", "classifier_parameters")

    @field_validator("objectives")
    @classmethod
    def _distinct(cls, objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if len(set(objectives)) < len(objectives):
            raise ValueError("an objective stands in the list twice")
        return objectives


class Execution(Value):
    """How a study is run; not part of its identity, because results do not depend on it."""

    workers: Workers = "auto"
    engine: Literal["local"] = "local"
    trial_timeout: Annotated[int, Field(ge=1)] = 3600
    """Seconds that one task, a trial or an encoder, may take."""


class StudyConfig(Value):
    """A study, as its YAML file and the overrides on the command line describe it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
    dataset: DatasetChoice
    partition: FractionsPartition | NotebookPartition = Field(discriminator="scheme")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    replicates: Replicates
    representations: Value
    """A model with a field for each representation; read it through :attr:`blocks`."""
    search: Search = Search()
    rows: Annotated[tuple[Cell, ...], Field(max_length=10_000, strict=False)] = ()
    execution: Execution = Execution()

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
    def identity(self) -> dict[str, Any]:
        """All that results depend on, as JSON."""
        return self.model_dump(mode="json", exclude={"execution"}, serialize_as_any=True)

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        if self.searches and "validation" not in part_names(self.partition):
            raise ValueError(
                "a search must select on a validation partition, and the scheme "
                f"'{self.partition.scheme}' has none: selecting on the test partition is a leak; "
                "use scheme: fractions, or rows instead of trials"
            )
        for name, block in self.blocks.items():
            has_latent_dim = REPRESENTATIONS[name].has_latent_dim
            if block.space and (block.space.latent_dim is not None) != has_latent_dim:
                needs = "needs" if has_latent_dim else "does not have"
                raise ValueError(f"the space of '{name}' {needs} latent_dim")
        for number, row in enumerate(self.rows):
            if row.representation not in self.blocks:
                known = ", ".join(self.blocks) or "none"
                raise ValueError(
                    f"rows.{number}.representation is '{row.representation}', "
                    f"which is not under representations (there: {known})"
                )
            has_latent_dim = REPRESENTATIONS[row.representation].has_latent_dim
            if (row.latent_dim is not None) != has_latent_dim:
                needs = "needs" if has_latent_dim else "does not have"
                raise ValueError(f"rows.{number}: '{row.representation}' {needs} latent_dim")
            if row in self.rows[:number]:
                raise ValueError(f"rows.{number} stands there twice")
        return self

    def trial_spec(self, cell: Cell, data: str) -> TrialSpec:
        """The trial that trains one cell on the dataset whose content hash is ``data``."""
        block = self.blocks[cell.representation]
        settings = REPRESENTATIONS[cell.representation].settings
        return TrialSpec(
            data=data,
            partition=self.partition,
            seed=self.seed,
            draws=self.replicates.draws,
            members=self.replicates.classifiers,
            representation=RepresentationSpec(
                name=cell.representation,
                latent_dim=cell.latent_dim,
                settings={name: getattr(block, name) for name in settings.model_fields},
            ),
            hidden_neurons=cell.hidden_neurons,
            classifier=block.classifier,
            labels_from=block.labels_from,
            scored_on=self.scored_on,
            threads=THREADS_PER_TASK,
        )

    def to_yaml(self) -> str:
        """The config as YAML, with all defaults written out."""
        text = io.StringIO()
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = None
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # keeps our order
        yaml.dump(self.model_dump(mode="json", exclude_none=True, serialize_as_any=True), text)
        return text.getvalue()


def load_config(path: Path, overrides: Sequence[str] = (), trials: int | None = None) -> StudyConfig:
    """Read a study config, apply overrides, and check it.

    Args:
        path: the YAML file.
        overrides: ``a.b.c=VALUE`` each, the value in YAML.
        trials: number of trials for every representation with a space.

    Raises:
        ConfigError: the file, an override, or the config they make is not valid.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MOST_CONFIG_BYTES:
        raise ConfigError(f"{path} is larger than {MOST_CONFIG_BYTES:,} bytes: not a study config")
    try:
        document = _parse_yaml(content.decode(), str(path))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error.reason}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must be a mapping, as in 'name: my-study'")
    for override in overrides:
        _override(document, override)
    if trials is not None:
        _set_trials(document, trials)
    return parse_config(document, str(path))


def parse_config(document: dict[str, Any], source: str) -> StudyConfig:
    """Check a config that has been read already.

    Raises:
        ConfigError: with every problem that was found; ``source`` says where.
    """
    try:
        return _model().model_validate(document)
    except ValidationError as error:
        problems = "\n".join(f"  {_explain(problem)}" for problem in error.errors())
        raise ConfigError(f"{source} is not a valid study config:\n{problems}") from None
    except RecursionError:
        raise ConfigError(f"{source} is not a valid study config: it contains itself") from None


def _model() -> type[StudyConfig]:
    """The config model with a block for each registered representation."""
    blocks: dict[str, Any] = {
        name: (
            create_model(f"{name}_config", __base__=(RepresentationConfig, representation.settings))
            | None,
            None,
        )
        for name, representation in REPRESENTATIONS.items()
    }
    representations = create_model("representations", __base__=Value, **blocks)
    return cast(
        type[StudyConfig],
        create_model("study_config", __base__=StudyConfig, representations=(representations, ...)),
    )


def _parse_yaml(text: str, source: str) -> Any:
    """Safe YAML 1.2: no tags that build objects, no key twice."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{source}{where}: not valid YAML: {error.problem}") from None
    except (YAMLError, ValueError, RecursionError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{source}: not valid YAML: {reason}") from None


def _override(document: dict[str, Any], override: str) -> None:
    """Apply one ``a.b.c=VALUE`` in place; a number in the path is a place in a list."""
    path, equals, text = override.partition("=")
    steps = path.split(".")
    if not equals or not all(steps):
        raise ConfigError(f"--set {override!r} is not of the form a.b.c=VALUE")
    value = _parse_yaml(text, f"--set {path}")
    place: Any = document
    for number, step in enumerate(steps):
        here = ".".join(steps[:number]) or "the config"
        last = number == len(steps) - 1
        key: str | int = step
        if isinstance(place, list):
            if not re.fullmatch(r"\d{1,9}", step) or int(step) >= len(place):
                raise ConfigError(f"--set {path}: {here} has no entry {step}")
            key = int(step)
        elif not isinstance(place, dict):
            raise ConfigError(f"--set {path}: {here} is a value and has nothing below it")
        if last:
            place[key] = value
        else:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]


def _set_trials(document: dict[str, Any], trials: int) -> None:
    blocks = document.get("representations")
    searched = [
        block
        for block in (blocks.values() if isinstance(blocks, dict) else ())
        if isinstance(block, dict) and "space" in block
    ]
    if not searched:
        raise ConfigError("--trials: no representation of this config has a space to search")
    for block in searched:
        block["trials"] = trials


def _explain(problem: Any) -> str:
    """One problem in a line: key path, what would be right, and the value."""
    schemes = ("fractions", "notebook")
    steps = [str(step) for step in problem["loc"]]
    if len(steps) > 1 and steps[0] == "partition" and steps[1] in schemes:
        del steps[1]
    where = ".".join(step for step in steps if not step.startswith("<")) or "the config"
    value = problem["input"]
    match problem["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key"
        case "missing":
            return f"{where}: missing"
        case "union_tag_invalid" | "union_tag_not_found":
            return f"{where}: scheme must be one of {', '.join(schemes)}"
        case "model_type" | "model_attributes_type" | "dict_type":
            message = "must be a mapping of keys to values"
        case "tuple_type":
            message = "must be a list"
        case _:
            message = problem["msg"].removeprefix("Value error, ")
            message = re.sub(r"^(Input|String|Tuple) should", "must", message)
    if isinstance(value, dict | list | Value):
        return f"{where}: {message}"
    shown = repr(value)
    return f"{where}: {message}, and is {shown if len(shown) < 80 else shown[:77] + '...'}"


def _has(value: Any, key: str) -> bool:
    """Whether a mapping, or a model, has a key."""
    return key in value if isinstance(value, dict) else hasattr(value, key)
