"""The peer in PyTorch: the notebook's VAE as a careful user trains it there.

    uv run --with torch python -m benchmarks.torch_vae --threads 1 --precision float32

Prints the seconds of the second of two epochs. Channels last, and autocast for bfloat16, are what
PyTorch offers for convolutions on a CPU; its RMSprop is the one of Keras 2.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.measuring import mnist
from benchmarks.vae import BATCH, IMAGES, LATENT_DIM


class Vae(nn.Module):  # type: ignore[misc]  # its types are skipped: see pyproject.toml
    """The network of docs/representations.md; the decoder gives logits."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(14 * 14 * 64, 32), nn.ReLU()),
        )
        self.mean = nn.Linear(32, LATENT_DIM)
        self.log_variance = nn.Linear(32, LATENT_DIM)
        self.decoder = nn.Sequential(
            *(nn.Linear(LATENT_DIM, 14 * 14 * 64), nn.ReLU(), nn.Unflatten(1, (64, 14, 14))),
            nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1),
            *(nn.ReLU(), nn.Conv2d(32, 1, 3, padding=1)),
        )

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        hidden = self.encoder(images)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        sampled = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(sampled), mean, log_variance


def loss(
    logits: torch.Tensor, images: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor
) -> torch.Tensor:
    """Nats an image: the reconstruction's, summed over pixels, and the KL divergence."""
    reconstruction = functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    kl = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
    return (reconstruction + kl) / len(images)


def epoch_seconds(bfloat16: bool) -> float:
    """Seconds of the second of two epochs."""
    floats = mnist().load().images[:IMAGES, np.newaxis].astype(np.float32) / 255
    images = torch.from_numpy(floats).contiguous(memory_format=torch.channels_last)
    model = Vae().to(memory_format=torch.channels_last)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7)
    began = 0.0
    for _ in range(2):
        began = time.perf_counter()
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            shown = images[batch].contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                logits, mean, log_variance = model(shown)
            loss(logits.float(), shown, mean.float(), log_variance.float()).backward()
            optimizer.step()
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(epoch_seconds(chosen.precision == "bfloat16"))
