"""The notebook's convolutional VAE, of which the classifier sees the latent mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator, Field

from sweep.configuration import RepresentationSpec
from sweep.representations.convolutional import ConvolutionalRepresentation, ConvolutionalSettings

if TYPE_CHECKING:
    from sweep.representations.autoencoding import Objective  # imports TensorFlow

Beta = Annotated[
    Annotated[float, Field(ge=0, le=1e6)] | None,
    BeforeValidator(lambda beta: None if type(beta) in (int, float) and beta == 1 else beta),
]
"""The weight of the KL divergence in the loss (Higgins et al. 2017, "beta-VAE", equation 4); 1,
the notebook's, is None here, so that it is in no key."""


class VaeSettings(ConvolutionalSettings):
    """Training of the VAE; the defaults are the notebook's."""

    beta: Beta = None


class Vae(ConvolutionalRepresentation):
    """The mean of the latent posterior of a variational autoencoder."""

    name = "vae"
    Settings = VaeSettings
    unset: ClassVar = {**ConvolutionalRepresentation.unset, "beta": 1.0}

    def __init__(self, spec: RepresentationSpec) -> None:
        super().__init__(spec)
        self._beta = VaeSettings.model_validate(spec.settings).beta

    def objective(self) -> Objective:
        from sweep.representations import autoencoding, vae_network

        weight = 1.0 if self._beta is None else self._beta
        return autoencoding.Objective(vae_network.losses, kl_weight=weight)
