"""Raw pixels: the representation that costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.representations.base import Representation, as_floats, image_input
from sweep.specs import RepresentationSpec

if TYPE_CHECKING:
    import keras  # imports TensorFlow


class Pixels(Representation):
    """The 784 pixels of an image, divided by 255."""

    name = "pixels"

    def dimensions(self, spec: RepresentationSpec) -> int:
        return IMAGE_SIDE**2

    def parameters(self, spec: RepresentationSpec) -> int:
        return 0

    def multiply_adds(self, spec: RepresentationSpec) -> int:
        return 0

    def features(
        self, images: NDArray[np.uint8], indices: Indices, encoder: Path | None
    ) -> Features:
        return as_floats(images[indices])

    def network(self, spec: RepresentationSpec, encoder: Path | None) -> keras.Model:
        import keras

        images, pixels = image_input()
        return keras.Model(images, keras.layers.Flatten()(pixels), name=self.name)
