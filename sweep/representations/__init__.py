"""Representations by name: each is one file, and one line here.

Importing this package does not import TensorFlow; training a representation does.
"""

from __future__ import annotations

from collections.abc import Mapping

from sweep.representations.base import Representation
from sweep.representations.pca import Pca
from sweep.representations.pixels import Pixels
from sweep.representations.vae import Vae

REPRESENTATIONS: Mapping[str, Representation] = {
    representation.name: representation for representation in (Vae(), Pca(), Pixels())
}

__all__ = ["REPRESENTATIONS", "Representation"]
