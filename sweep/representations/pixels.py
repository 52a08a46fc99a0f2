"""Raw pixels: the representation that costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.representations.base import FixedRepresentation, as_floats, image_input

if TYPE_CHECKING:
    import keras  # imports TensorFlow


class Pixels(FixedRepresentation):
    """The 784 pixels of an image, divided by 255."""

    name = "pixels"
    dimensions = IMAGE_SIDE**2
    parameters = 0
    multiply_adds = 0

    def features(self, images: NDArray[np.uint8], indices: Indices) -> Features:
        return as_floats(images[indices])

    def network(self) -> keras.Model:
        import keras

        images, pixels = image_input()
        return keras.Model(images, keras.layers.Flatten()(pixels), name=self.name)
