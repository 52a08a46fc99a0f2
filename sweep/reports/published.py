"""What the notebook published: its table, and the curves that its cells printed.

Sanket Kashyap, https://github.com/kashyapsanket/Variational-AutoEncoders-meets-NeuralNets; one run
each, with Keras 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from sweep import classifier
from sweep.configuration import DEFAULT_OPTIMIZER, NotebookPartition, RepresentationSpec
from sweep.data.images import IMAGE_SIDE
from sweep.representations import bind
from sweep.results import Curves
from sweep.specs import TrialSpec, configuration_label
from sweep.values import Value


class PublishedRow(Value):
    """One row: a single run on all of MNIST, scored after its last epoch."""

    representation: Literal["pixels", "vae"]
    latent_dim: int | None
    hidden_neurons: int
    accuracy: float
    """Fraction."""
    half_unit: float
    """Half a unit of the accuracy's last printed digit, as a fraction."""
    printed_parameters: int
    """As printed; the '~' of rounded counts is dropped."""
    cell_accuracy: float | None
    """What the notebook's own cell printed for this row, where its output is kept."""

    @property
    def classifier_parameters(self) -> int:
        """The exact count, which the printed one sometimes misses."""
        return classifier.parameters(self.latent_dim or IMAGE_SIDE**2, self.hidden_neurons)

    @property
    def inference_parameters(self) -> int:
        """With those of the encoder's mean path, which the notebook left out."""
        encoder = bind(self._representation).parameters
        return encoder + self.classifier_parameters

    @property
    def name(self) -> str:
        """Such as ``vae 10 → 200``."""
        return configuration_label(self._representation, self.hidden_neurons, None)

    @property
    def _representation(self) -> RepresentationSpec:
        return RepresentationSpec(name=self.representation, latent_dim=self.latent_dim)

    @property
    def is_misprinted(self) -> bool:
        """Whether the printed count is not the exact one, rounded to as many digits."""
        digits = len(str(self.printed_parameters).rstrip("0"))
        return float(f"{self.classifier_parameters:.{digits - 1}e}") != self.printed_parameters


def _row(
    representation: Literal["pixels", "vae"],
    latent_dim: int | None,
    hidden_neurons: int,
    percent: str,
    printed_parameters: int,
    cell_accuracy: float | None = None,
) -> PublishedRow:
    decimals = len(percent.partition(".")[2])
    return PublishedRow(
        representation=representation,
        latent_dim=latent_dim,
        hidden_neurons=hidden_neurons,
        accuracy=round(float(percent) / 100, decimals + 2),
        half_unit=0.5 * 10.0 ** -(decimals + 2),
        printed_parameters=printed_parameters,
        cell_accuracy=cell_accuracy,
    )


PUBLISHED = (
    _row("pixels", None, 20, "95.3", 15_910),
    _row("pixels", None, 100, "97.4", 79_510),
    _row("pixels", None, 200, "97.7", 159_610, cell_accuracy=0.9768),
    _row("vae", 2, 100, "75.2", 1_000),
    _row("vae", 8, 100, "95.6", 2_000),
    _row("vae", 8, 200, "96.2", 4_000),
    _row("vae", 16, 400, "93.95", 10_000),
    _row("vae", 16, 100, "95.2", 2_000),
    _row("vae", 10, 1000, "97.2", 21_000),
    _row("vae", 10, 200, "96.9", 2_000, cell_accuracy=0.9649),
)

_OPTIMIZER = "keras2_rmsprop"
_CLASSIFIER = {"batch_size": 256, "learning_rate": 0.001, "optimizer": _OPTIMIZER}
_VAE_EPOCHS = 35
_VAE = {
    "batch_size": 128,
    "learning_rate": 0.001,
    "precision": "float32",
    "optimizer": _OPTIMIZER,
}


@dataclass(frozen=True)
class Match:
    """The published row that a trial stands beside."""

    row: PublishedRow
    differs: tuple[str, ...]
    """What is not the notebook's in how the trial was trained, in words; empty if it follows the
    protocol to the letter. Only then can there be a verdict."""


def published_match(spec: TrialSpec, is_mnist: bool) -> Match | None:
    """The published row of a trial's configuration.

    None unless dataset, partition, labels and epochs are the notebook's: no other is comparable.

    Args:
        spec: the trial.
        is_mnist: whether its dataset is all of MNIST.
    """
    pixels = spec.representation.name == "pixels"
    settings = spec.representation.settings
    comparable = (
        is_mnist
        and isinstance(spec.partition, NotebookPartition)
        and spec.scored_on == "test"
        and spec.label_budget is None
        and spec.labels_from == ("encoder" if pixels else "classifier")
        and spec.classifier.epochs == (30 if pixels else 50)
        and settings.get("epochs") == (None if pixels else _VAE_EPOCHS)
    )
    if not comparable:
        return None
    cell = (spec.representation.name, spec.representation.latent_dim, spec.hidden_neurons)
    for row in PUBLISHED:
        if (row.representation, row.latent_dim, row.hidden_neurons) == cell:
            trained = {"classifier": (spec.classifier.model_dump(), _CLASSIFIER)}
            if not pixels:
                trained["encoder"] = (settings, _VAE)
            return Match(row, tuple(_differences(trained)))
    return None


def _differences(
    trained: Mapping[str, tuple[Mapping[str, object], Mapping[str, object]]],
) -> Iterator[str]:
    for what, (ours, theirs) in trained.items():
        for name, value in theirs.items():
            own = ours.get(name)
            if name == "optimizer" and own is None:
                own = DEFAULT_OPTIMIZER
            if own != value:
                yield f"{what}'s {name} {own} instead of {value}"
        for name in sorted(ours.keys() - theirs.keys() - {"epochs"}):  # those are the notebook's
            yield f"{what}'s {name} {ours[name]}"


class Printed(Value):
    """The curves that the notebook's cells printed, one run each."""

    source: str
    vae_10_loss_by_epoch: tuple[float, ...]
    """Of the VAE of 10 latent dimensions: nats per image, 35 epochs."""
    vae_10_to_200: Curves
    pixels_to_200: Curves


@cache
def printed() -> Printed:
    """The curves, from ``printed_curves.json`` beside this module."""
    content = resources.files("sweep.reports").joinpath("printed_curves.json").read_bytes()
    return Printed.model_validate(json.loads(content), strict=False)
