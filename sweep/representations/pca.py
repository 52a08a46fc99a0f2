"""Principal components: the linear baseline that a VAE has to beat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweep.data.images import IMAGE_SIDE, Features
from sweep.data.partition import Indices
from sweep.representations.base import Pictures, Representation, as_floats, image_input
from sweep.representations.checkpoint import Checkpoint
from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec, RepresentationSpec
from sweep.values import Report

if TYPE_CHECKING:
    import keras  # imports TensorFlow

_PIXELS = IMAGE_SIDE**2
_MODEL_FILE = "pca.npz"
_FEATURES_FILE = "features.npy"


class Pca(Representation):
    """The first principal components of the pixels, not whitened.

    Fitted on the encoder partition by scikit-learn; ``latent_dim`` is the number of components.
    """

    name = "pca"
    largest_latent_dim = _PIXELS
    is_trained = True

    def dimensions(self, spec: RepresentationSpec) -> int:
        assert spec.latent_dim is not None
        return spec.latent_dim

    def parameters(self, spec: RepresentationSpec) -> int:
        """A linear layer's: the components, and a bias into which the mean folds."""
        return self.dimensions(spec) * (_PIXELS + 1)

    def multiply_adds(self, spec: RepresentationSpec) -> int:
        return self.dimensions(spec) * _PIXELS

    def features(
        self, images: NDArray[np.uint8], indices: Indices, encoder: Path | None
    ) -> Features:
        assert encoder is not None
        stored = np.load(encoder / _FEATURES_FILE, mmap_mode="r", allow_pickle=False)
        return np.asarray(stored[indices], dtype=np.float32)

    def training_multiply_adds(self, spec: RepresentationSpec) -> int:
        return _PIXELS**2

    def train(
        self,
        spec: EncoderSpec,
        images: NDArray[np.uint8],
        part: Indices,
        out: Path,
        checkpoint: Checkpoint,  # it takes seconds: nothing is kept of a part
        report: Report,
    ) -> EncoderHistory:
        from sklearn.decomposition import PCA

        model = PCA(self.dimensions(spec.representation), svd_solver="covariance_eigh")
        trained_on = as_floats(images[part])
        model.fit(trained_on)
        report(0.5)
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

    def network(self, spec: RepresentationSpec, encoder: Path | None) -> keras.Model:
        import keras

        assert encoder is not None
        images, pixels = image_input()
        projection = keras.layers.Dense(self.dimensions(spec))
        outputs = projection(keras.layers.Flatten()(pixels))
        with np.load(encoder / _MODEL_FILE, allow_pickle=False) as model:
            components = model["components"]
            projection.set_weights([components.T, -components @ model["mean"]])
        return keras.Model(images, outputs, name=self.name)

    def decode(self, points: Features, encoder: Path) -> Pictures:
        with np.load(encoder / _MODEL_FILE, allow_pickle=False) as model:
            pixels: Features = points @ model["components"] + model["mean"]
        return pixels.clip(0, 1).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)

    def sample(self, noise: Features, encoder: Path) -> Pictures:
        with np.load(encoder / _MODEL_FILE, allow_pickle=False) as model:
            return self.decode(noise * model["deviations"].astype(np.float32), encoder)
