"""The VAE's network without its prior: nothing is drawn, and nothing is paid for a code.

Beside the VAE it tells what the Gaussian prior costs a classifier.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sweep.data.images import Features
from sweep.representations.base import Pictures
from sweep.representations.convolutional import (
    MEANS_FILE,
    ConvolutionalRepresentation,
    LatentMeans,
)

if TYPE_CHECKING:
    from sweep.representations.autoencoding import Objective  # imports TensorFlow


class Autoencoder(ConvolutionalRepresentation):
    """The code of a deterministic autoencoder."""

    name = "autoencoder"

    def objective(self) -> Objective:
        from sweep.representations import autoencoding, vae_network

        return autoencoding.Objective(vae_network.reconstruction, kl_weight=None)

    def encoder(self, directory: Path) -> Codes:
        return Codes(directory)


class Codes(LatentMeans):
    """A trained autoencoder. Its codes follow no prior: noise is spread as they are."""

    def sample(self, noise: Features) -> Pictures:
        codes = np.load(self._directory / MEANS_FILE, mmap_mode="r", allow_pickle=False)
        return self.decode(codes.mean(axis=0) + codes.std(axis=0) * noise)
