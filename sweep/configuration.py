"""What a configuration is made of: a partition, a representation, and a classifier's training."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from sweep.values import Value, without_nones

Share = Annotated[float, Field(gt=0, lt=1)]
LabelsFrom = Literal["encoder", "classifier"]
DEFAULT_OPTIMIZER = "rmsprop"
Optimizer = Annotated[
    Literal["rmsprop", "keras2_rmsprop"] | None,
    AfterValidator(lambda name: None if name == DEFAULT_OPTIMIZER else name),
]
"""The rule of RMSprop: Keras 3's (``rmsprop``; None here, so that it is in no key), which divides
by sqrt(v + 1e-7), or that of Keras 2 before 2.11, which divides by sqrt(v) + 1e-7.
"""


class FractionsPartition(Value):
    """Four stratified parts by their shares of the images; the shares add up to 1."""

    scheme: Literal["fractions"] = "fractions"
    encoder: Share = 0.6
    classifier: Share = 0.2
    validation: Share = 0.1
    test: Share = 0.1

    @model_validator(mode="after")
    def _adds_up(self) -> FractionsPartition:
        total = self.encoder + self.classifier + self.validation + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            raise ValueError(
                f"encoder + classifier + validation + test must be 1, and are {total:g}"
            )
        return self


class NotebookPartition(Value):
    """The notebook's 70 / 20 / 10 split, class by class: encoder, classifier and test."""

    scheme: Literal["notebook"]


Partition = Annotated[FractionsPartition | NotebookPartition, Field(discriminator="scheme")]


class RepresentationSpec(Value):
    """A way to feed the classifier, with all that changes its features.

    One with a latent dimension stands on an encoder, which is trained on every draw; one without is
    the same function of an image everywhere. ``settings`` holds the representation's own training
    settings, as its ``Settings`` dumps them, but for those of None.
    """

    name: str
    latent_dim: int | None = None
    settings: dict[str, bool | int | float | str] = Field(default_factory=dict)

    @field_validator("settings", mode="before")
    @classmethod
    def _without_unset(cls, settings: Any) -> Any:
        return without_nones(settings)

    @property
    def is_trained(self) -> bool:
        """Whether it stands on encoders."""
        return self.latent_dim is not None

    @property
    def label(self) -> str:
        """As in ``vae 10`` or ``pixels``."""
        return self.name if self.latent_dim is None else f"{self.name} {self.latent_dim}"


class ClassifierTraining(Value):
    """How the classifier is trained: RMSprop on shuffled batches for a number of epochs."""

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    batch_size: Annotated[int, Field(ge=1, le=100_000)]
    learning_rate: Annotated[float, Field(gt=0, le=1e6)]
    optimizer: Optimizer = None
