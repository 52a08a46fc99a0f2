"""latent-sweep: compare classifiers on VAE latents with classifiers on pixels, trial by trial."""

__version__ = "0.1.0"
