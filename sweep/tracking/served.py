"""A registered model as MLflow loads and serves it.

MLflow keeps a copy of this file beside the Keras model, and runs it wherever the model is loaded:
it imports nothing of this package.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

_WHITE = 255


class ImageClassifier(PythonModel):
    """Images ``(n, 28, 28)`` in, probabilities ``(n, 10)`` out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the Keras model; code in it is not run."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import keras

        self._model = keras.saving.load_model(
            context.artifacts["model"], compile=False, safe_mode=True
        )
        if "__pyfunc_model_path__" in os.environ:  # the process is MLflow's server of this model
            # It puts what it was sent before each refusal: thousands of pixels.
            np.set_printoptions(threshold=1, edgeitems=1)
            for limit, number in (("max_rows", 1), ("max_columns", 1), ("max_colwidth", 4)):
                pd.set_option(f"display.{limit}", number)

    def predict(
        self,
        context: PythonModelContext,  # MLflow's form of the method
        model_input: np.ndarray,  # as MLflow knows it
        params: dict[str, Any] | None = None,
    ) -> NDArray[np.float32]:
        """Probabilities of the ten classes, for pixels from 0 to 255 or from 0 to 1.

        Raises:
            MlflowException: the pixels are on neither scale, or it is not clear on which.
        """
        probabilities: NDArray[np.float32] = np.asarray(self._model(as_bytes(model_input)))
        return probabilities


def as_bytes(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Pixels as the Keras model takes them, 0 (black) to 255.

    Images whose pixels are all at most 1, some of them between 0 and 1, go from 0 to 1.

    Raises:
        MlflowException: some are outside 0 to 255, on both scales, or nothing but 0 and 1.
    """
    values = np.asarray(images, dtype=np.float64)
    if not np.isfinite(values).all() or values.min(initial=0) < 0:
        raise _refusal("a pixel is negative or no number")
    if values.max(initial=0) > _WHITE:
        raise _refusal("a pixel is above 255")
    most = values.max(axis=(1, 2), initial=0)
    is_whole = (values == np.floor(values)).all(axis=(1, 2))
    to_255, to_1 = most > 1, (most <= 1) & ~is_whole
    if to_255.any() and to_1.any():
        raise _refusal("some images go from 0 to 1, and some to 255")
    if most.any() and not to_255.any() and not to_1.any():
        raise _refusal("all pixels are 0 or 1, which may be black and white, or nearly black")
    scaled = values * _WHITE if to_1.any() else values
    return np.rint(scaled).astype(np.uint8)


def _refusal(reason: str) -> MlflowException:
    wanted = "send images (n, 28, 28) with pixels from 0 (black) to 255, or all from 0 to 1"
    return MlflowException(f"{reason}: {wanted}", error_code=INVALID_PARAMETER_VALUE)


set_model(ImageClassifier())
