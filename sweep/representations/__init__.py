"""Representations by name: each is one file, and one entry here.

Importing this package does not import TensorFlow; training a representation does.
"""

from __future__ import annotations

from collections.abc import Mapping

from sweep.configuration import RepresentationSpec
from sweep.representations.autoencoder import Autoencoder
from sweep.representations.base import (
    Extractor,
    FixedRepresentation,
    TrainedRepresentation,
    undertrained,
)
from sweep.representations.pca import Pca
from sweep.representations.pixels import Pixels
from sweep.representations.vae import Vae

AnyRepresentation = FixedRepresentation | TrainedRepresentation
REPRESENTATIONS: Mapping[str, type[FixedRepresentation] | type[TrainedRepresentation]] = {
    each.name: each for each in (Vae, Autoencoder, Pca, Pixels)
}


def bind(spec: RepresentationSpec) -> AnyRepresentation:
    """The representation that a spec describes."""
    return REPRESENTATIONS[spec.name](spec)


def setting(spec: RepresentationSpec, name: str) -> bool | int | float | str | None:
    """A setting of a representation, and what it stands for where it is not set."""
    return spec.settings.get(name, REPRESENTATIONS[spec.name].unset.get(name))


__all__ = [
    "REPRESENTATIONS",
    "AnyRepresentation",
    "Extractor",
    "FixedRepresentation",
    "TrainedRepresentation",
    "bind",
    "setting",
    "undertrained",
]
