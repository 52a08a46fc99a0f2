"""Principal components: the linear baseline that a VAE has to beat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.artifacts import Checkpoint
from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.representations.base import Pictures, TrainedRepresentation, as_floats, image_input
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec
from sweep.values import OnProgress

if TYPE_CHECKING:
    import keras  # imports TensorFlow

_PIXELS = IMAGE_SIDE**2
_MODEL_FILE = "pca.npz"
_FEATURES_FILE = "features.npy"


class Pca(TrainedRepresentation):
    """The first principal components of the pixels, not whitened.

    Fitted on the encoder partition by scikit-learn; ``latent_dim`` is the number of components.
    """

    name = "pca"
    largest_latent_dim = _PIXELS
    needs_an_image_a_dimension = True

    @property
    def parameters(self) -> int:
        """A linear layer's: the components, and a bias into which the mean folds."""
        return self.dimensions * (_PIXELS + 1)

    @property
    def multiply_adds(self) -> int:
        return self.dimensions * _PIXELS

    def training_multiply_adds(self, images: int) -> int:
        return images * _PIXELS**2

    def train(
        self,
        spec: EncoderSpec,
        images: NDArray[np.uint8],
        part: Indices,
        out: Path,
        checkpoint: Checkpoint,  # it takes seconds: nothing is kept of a part
        on_progress: OnProgress,
    ) -> EncoderHistory:
        from sklearn.decomposition import PCA

        model = PCA(self.dimensions, svd_solver="covariance_eigh")
        trained_on = as_floats(images[part])
        model.fit(trained_on)
        on_progress(0.5)
        error = trained_on - model.inverse_transform(model.transform(trained_on))
        np.savez(
            out / _MODEL_FILE,
            allow_pickle=False,
            components=model.components_,
            mean=model.mean_,
            deviations=np.sqrt(model.explained_variance_),
        )
        # Stored, as a VAE's are: the last bits of a product depend on how many rows it has.
        np.save(out / _FEATURES_FILE, model.transform(as_floats(images)), allow_pickle=False)
        return {
            "explained_variance_ratio": (float(model.explained_variance_ratio_.sum()),),
            "mean_squared_error": (float(np.square(error).mean()),),
        }

    def encoder(self, directory: Path) -> Components:
        return Components(directory)


class Components:
    """Fitted components; see :class:`sweep.representations.base.Encoder`."""

    def __init__(self, directory: Path) -> None:
        self._features = directory / _FEATURES_FILE
        with np.load(directory / _MODEL_FILE, allow_pickle=False) as model:
            self._components = model["components"]
            self._mean = model["mean"]
            self._deviations = model["deviations"]

    def features(self, images: NDArray[np.uint8], indices: Indices) -> Features:
        stored = np.load(self._features, mmap_mode="r", allow_pickle=False)
        return np.asarray(stored[indices], dtype=np.float32)

    def network(self) -> keras.Model:
        import keras

        images, pixels = image_input()
        projection = keras.layers.Dense(len(self._components))
        outputs = projection(keras.layers.Flatten()(pixels))
        projection.set_weights([self._components.T, -self._components @ self._mean])
        return keras.Model(images, outputs, name=Pca.name)

    def decode(self, points: Features) -> Pictures:
        pixels: Features = points @ self._components + self._mean
        return pixels.clip(0, 1).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)

    def sample(self, noise: Features) -> Pictures:
        return self.decode(noise * self._deviations.astype(np.float32))
