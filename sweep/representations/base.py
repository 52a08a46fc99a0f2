"""What every representation offers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sweep.data.datasets import Features
from sweep.data.partition import Indices
from sweep.trial import EncoderHistory, EncoderSpec, Report, RepresentationSpec, Value


class Representation(Protocol):
    """A way to turn images into the classifier's inputs."""

    @property
    def name(self) -> str:
        """Its name in configs, tables and plots."""

    @property
    def settings(self) -> type[Value]:
        """Its training settings: what a study config may set beside the common keys."""

    @property
    def largest_latent_dim(self) -> int | None:
        """The largest ``latent_dim`` it can have; None if it has no such dimension."""

    @property
    def is_trained(self) -> bool:
        """Whether it needs an encoder, trained on the encoder partition without labels."""

    def dimensions(self, spec: RepresentationSpec) -> int:
        """Number of features of an image."""

    def parameters(self, spec: RepresentationSpec) -> int:
        """Number of parameters needed to compute an image's features, in closed form."""

    def training_multiply_adds(self, spec: RepresentationSpec) -> int:
        """Multiply-adds of all that is trained, for one image forward; a rough measure of cost."""

    def train(
        self, spec: EncoderSpec, images: NDArray[np.uint8], part: Indices, out: Path, report: Report
    ) -> EncoderHistory:
        """Train an encoder and write it, with all that ``features`` needs, into ``out``.

        Args:
            spec: what to train.
            images: all images of the dataset, uint8 ``(n, 28, 28)``.
            part: indices of the images to train on.
            out: an empty directory.
            report: is told how much is done.

        Raises:
            DivergedError: the loss is no longer finite.
        """

    def features(
        self, images: NDArray[np.uint8], indices: Indices, encoder: Path | None
    ) -> Features:
        """Features float32 ``(len(indices), dimensions)`` of some images.

        Args:
            images: all images of the dataset, uint8 ``(n, 28, 28)``.
            indices: which images.
            encoder: the directory that ``train`` filled; None where nothing is trained.
        """
