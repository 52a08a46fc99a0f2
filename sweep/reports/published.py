"""The notebook's table, as it was published; CITATION.cff names the notebook."""

from __future__ import annotations

from typing import Literal

from sweep import classifier
from sweep.data.images import IMAGE_SIDE
from sweep.representations import REPRESENTATIONS
from sweep.trial import (
    NotebookPartition,
    RepresentationSpec,
    TrialSpec,
    Value,
    configuration_label,
)


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

    @property
    def classifier_parameters(self) -> int:
        """The exact count, which the printed one sometimes misses."""
        return classifier.parameters(self.latent_dim or IMAGE_SIDE**2, self.hidden_neurons)

    @property
    def inference_parameters(self) -> int:
        """With those of the encoder's mean path, which the notebook left out."""
        encoder = REPRESENTATIONS[self.representation].parameters(self._representation)
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
) -> PublishedRow:
    decimals = len(percent.partition(".")[2])
    return PublishedRow(
        representation=representation,
        latent_dim=latent_dim,
        hidden_neurons=hidden_neurons,
        accuracy=round(float(percent) / 100, decimals + 2),
        half_unit=0.5 * 10.0 ** -(decimals + 2),
        printed_parameters=printed_parameters,
    )


PUBLISHED = (
    _row("pixels", None, 20, "95.3", 15_910),
    _row("pixels", None, 100, "97.4", 79_510),
    _row("pixels", None, 200, "97.7", 159_610),
    _row("vae", 2, 100, "75.2", 1_000),
    _row("vae", 8, 100, "95.6", 2_000),
    _row("vae", 8, 200, "96.2", 4_000),
    _row("vae", 16, 400, "93.95", 10_000),
    _row("vae", 16, 100, "95.2", 2_000),
    _row("vae", 10, 1000, "97.2", 21_000),
    _row("vae", 10, 200, "96.9", 2_000),
)

_CLASSIFIER = {"batch_size": 256, "learning_rate": 0.001}
_VAE = {"epochs": 35, "batch_size": 128, "learning_rate": 0.001, "precision": "float32"}


def published_row(spec: TrialSpec, is_mnist: bool) -> PublishedRow | None:
    """The published row that a trial repeats, if it follows the notebook's protocol to the letter.

    Args:
        spec: the trial.
        is_mnist: whether its dataset is all of MNIST.
    """
    pixels = spec.representation.name == "pixels"
    follows = (
        is_mnist
        and isinstance(spec.partition, NotebookPartition)
        and spec.scored_on == "test"
        and spec.label_budget is None
        and spec.labels_from == ("encoder" if pixels else "classifier")
        and spec.classifier.model_dump() == {"epochs": 30 if pixels else 50, **_CLASSIFIER}
        and spec.representation.settings == ({} if pixels else _VAE)
    )
    if not follows:
        return None
    cell = (spec.representation.name, spec.representation.latent_dim, spec.hidden_neurons)
    for row in PUBLISHED:
        if (row.representation, row.latent_dim, row.hidden_neurons) == cell:
            return row
    return None
