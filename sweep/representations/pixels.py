"""Raw pixels: the representation that costs nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sweep.data.datasets import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.trial import EncoderHistory, EncoderSpec, Report, RepresentationSpec, Value


class PixelsSettings(Value):
    """Pixels have nothing to set."""


class Pixels:
    """The 784 pixels of an image, divided by 255."""

    name = "pixels"
    settings = PixelsSettings
    largest_latent_dim = None
    is_trained = False

    def dimensions(self, spec: RepresentationSpec) -> int:
        return IMAGE_SIDE**2

    def parameters(self, spec: RepresentationSpec) -> int:
        return 0

    def training_multiply_adds(self, spec: RepresentationSpec) -> int:
        return 0

    def train(
        self, spec: EncoderSpec, images: NDArray[np.uint8], part: Indices, out: Path, report: Report
    ) -> EncoderHistory:
        raise NotImplementedError("pixels are not trained")

    def features(
        self, images: NDArray[np.uint8], indices: Indices, encoder: Path | None
    ) -> Features:
        return images[indices].reshape(len(indices), -1).astype(np.float32) / np.float32(255)
