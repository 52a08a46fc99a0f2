"""What must hold between the keys of a config that are right by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sweep.config.blocks import Cell
from sweep.data.partition import BUDGET_PART, part_names
from sweep.errors import ConfigError
from sweep.representations import REPRESENTATIONS, TrainedRepresentation

if TYPE_CHECKING:
    from sweep.config.model import StudyConfig

Problem = tuple[tuple[str | int, ...], str]
"""A path of keys, and what is wrong there."""


def disagreements(config: StudyConfig) -> Iterator[Problem]:
    """All that does not agree with each other."""
    yield from _of_the_search(config)
    yield from _of_the_rows(config)


def _of_the_search(config: StudyConfig) -> Iterator[Problem]:
    """What must hold between the search, its spaces and the partition."""
    if config.searches and "validation" not in part_names(config.partition):
        yield (
            ("partition",),
            "a search must select on a validation partition, and the scheme "
            f"'{config.partition.scheme}' has none: selecting on the test partition is a leak; "
            "use scheme: fractions, or rows instead of trials",
        )
    if config.confirm is not None and not config.searches:
        yield (
            ("confirm",),
            "needs a search: without trials nothing is selected, and the rows are scored "
            "on the test partition as they are",
        )
    for name, block in config.blocks.items():
        if block.space is None or not block.trials:
            continue
        for key, each in block.space.dimensions.items():
            if each.values is None and config.search.sampler == "grid":
                yield (
                    ("representations", name, "space", key),
                    "a grid needs 'step' or 'points' (or 'choices')",
                )
        least = config.classifier_parameters(Cell.of(name, block.space.smallest, None))
        bound = config.search.max_parameters
        if bound is not None and least > bound:
            yield (
                ("search", "max_parameters"),
                f"the smallest classifier in the space of '{name}' has {least:,}, and this is "
                f"{bound:,}",
            )


def _of_the_rows(config: StudyConfig) -> Iterator[Problem]:
    """No row may stand there twice."""
    seen: set[Cell] = set()
    for number, row in enumerate(config.rows):
        cell = config.cell(row, None)
        if cell in seen:
            yield ("rows", number), "stands there twice"
        seen.add(cell)


def check_sizes(config: StudyConfig, sizes: Mapping[str, int]) -> None:
    """See that the parts of a dataset have as many images as a config asks for.

    Args:
        config: of the study.
        sizes: numbers of images, by part.

    Raises:
        ConfigError: one has not.
    """
    largest = max(filter(None, config.label_budgets), default=0)
    if largest > sizes[BUDGET_PART]:
        raise ConfigError(
            f"labels: {largest:,} are more than the {sizes[BUDGET_PART]:,} of the "
            f"part '{BUDGET_PART}', which label budgets are taken from",
            hint="take fewer, or 'all'",
        )
    most = sizes["encoder"]
    for name, dims in _latent_dims(config):
        representation = REPRESENTATIONS[name]
        assert issubclass(representation, TrainedRepresentation)
        if representation.needs_an_image_a_dimension and dims > most:
            raise ConfigError(
                f"'{name}' can have at most {most:,} latent dimensions of the {most:,} images of "
                f"the part 'encoder', and not {dims:,}",
                hint="take fewer, or a larger part",
            )


def _latent_dims(config: StudyConfig) -> Iterator[tuple[str, float]]:
    """Those of the rows, and the largest of each space, by representation."""
    for row in config.rows:
        if row.latent_dim is not None:
            yield row.representation, row.latent_dim
    for name, block in config.blocks.items():
        dims = block.space.dimensions.get("latent_dim") if block.space else None
        if block.trials and dims is not None:
            yield name, dims.largest
