"""Pictures of an encoder: what it keeps of images, what it makes up, and where it puts them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sweep import seeds
from sweep.data.images import Dataset, Features
from sweep.data.partition import Indices
from sweep.representations.base import Encoder, Pictures, as_floats
from sweep.specs import EncoderSpec

_OF_EACH_CLASS = 2
_SAMPLES = 64
_MAPPED = 2000
_SCALE = 2
_GAP = 2


def draw_pictures(
    encoder: Encoder, spec: EncoderSpec, dataset: Dataset, part: Indices, out: Path
) -> None:
    """Write ``reconstructions.png``, ``samples.png`` and ``latent_space.png`` of an encoder.

    Args:
        encoder: what was trained.
        spec: of the encoder; names the random choices.
        dataset: its labels colour the map; no encoder is trained on them.
        part: indices of the images to show.
        out: the directory to write to.
    """
    shown = np.concatenate(
        [
            part[dataset.labels[part] == label][:_OF_EACH_CLASS]
            for label in np.unique(dataset.labels[part])
        ]
    )
    originals = as_floats(dataset.images[shown]).reshape(dataset.images[shown].shape)
    features = encoder.features(dataset.images, shown)
    _save_grid(np.stack([originals, encoder.decode(features)]), out / "reconstructions.png")

    generator = seeds.generator(spec.seed, "encoder", spec.key, "pictures")
    noise = generator.standard_normal((_SAMPLES, features.shape[1]), dtype=np.float32)
    samples = encoder.sample(noise)
    _save_grid(samples.reshape(8, -1, *samples.shape[1:]), out / "samples.png")

    mapped = generator.permutation(part)[:_MAPPED]  # datasets may be sorted by class
    _save_map(
        encoder.features(dataset.images, mapped), dataset.labels[mapped], out / "latent_space.png"
    )


def _save_grid(rows: Pictures, path: Path) -> None:
    """Rows of images ``(rows, columns, 28, 28)`` as one picture."""
    from PIL import Image

    framed = np.pad(rows, ((0, 0), (0, 0), (_GAP, 0), (_GAP, 0)), constant_values=1.0)
    height, width = rows.shape[0] * framed.shape[2], rows.shape[1] * framed.shape[3]
    sheet = framed.transpose(0, 2, 1, 3).reshape(height, width)
    picture = Image.fromarray(np.round(255 * sheet).astype(np.uint8))
    picture.resize((_SCALE * width, _SCALE * height), Image.Resampling.NEAREST).save(path)


def _save_map(points: Features, labels: NDArray[np.uint8], path: Path) -> None:
    """A scatter plot of the points, coloured by class, on their two main directions."""
    from matplotlib import colormaps, style
    from matplotlib.figure import Figure

    if points.shape[1] == 1:
        plane = np.column_stack([points[:, 0], labels])
        names = ("the latent dimension", "class")
    elif points.shape[1] == 2:
        plane, names = points, ("latent dimension 1", "latent dimension 2")
    else:
        centred = points - points.mean(axis=0)
        directions = np.linalg.svd(centred, full_matrices=False)[2][:2]
        plane = centred @ directions.T
        names = ("first principal direction", "second principal direction")
    colours = colormaps["tab10"]
    with style.context("default"):  # a user's own settings may want LaTeX, which may not be there
        figure = Figure(figsize=(7, 6), layout="constrained")
        axes = figure.subplots()
        for label in np.unique(labels):
            members = plane[labels == label]
            axes.scatter(members[:, 0], members[:, 1], s=6, color=colours(label), label=str(label))
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
        axes.set_title(f"{len(points):,} images in {points.shape[1]} latent dimensions")
        axes.legend(title="class", markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.savefig(path, dpi=110)
