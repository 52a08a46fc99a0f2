"""Time of an epoch of the notebook's VAE, beside a plain Keras model's ``fit``.

    SWEEP_DATA_DIR=... uv run --with torch python -m benchmarks.vae [--threads 1] [--rounds 3]

10 latent dimensions, batches of 128, on a part of MNIST; an epoch is the second one, so that
neither side's compilation is in it. One peer is that of benchmarks/peers.py, in float32; the other
is PyTorch's (benchmarks/torch_vae.py), in both precisions, in processes of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import mnist, options, publish, ratio, set_threads
from sweep.representations.vae import VaeSettings

IMAGES = 12_800
BATCH = 128
LATENT_DIM = 10
EPOCH_OF_THE_NOTEBOOK = 48_996


Precision = Literal["float32", "bfloat16"]


def ours(images: NDArray[np.uint8], precision: Precision) -> float:
    """Seconds of the second of three epochs."""
    from sweep.artifacts import Checkpoint
    from sweep.configuration import NotebookPartition, RepresentationSpec
    from sweep.representations.vae import Vae
    from sweep.specs import EncoderSpec

    spec = EncoderSpec(
        data="0" * 64,
        partition=NotebookPartition(scheme="notebook"),
        seed=0,
        draw=0,
        representation=RepresentationSpec(
            name="vae",
            latent_dim=LATENT_DIM,
            settings=VaeSettings(epochs=3, batch_size=BATCH, precision=precision).model_dump(),
        ),
        threads=1,
    )
    began: dict[int, float] = {}

    def report(fraction: float) -> None:
        began.setdefault(int(3 * fraction + 1e-9), time.perf_counter())

    part = np.arange(len(images))
    with tempfile.TemporaryDirectory() as directory:
        checkpoint = Checkpoint(Path(directory, "state"))
        Vae(spec.representation).train(spec, images, part, Path(directory), checkpoint, report)
    return began[2] - began[1]


def fit(images: NDArray[np.uint8]) -> float:
    """Seconds of the second of two epochs."""
    import keras

    from benchmarks.peers import Vae

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            self.taken = time.perf_counter() - self.began

    model, clock = Vae(LATENT_DIM), Clock()
    model.compile(optimizer=keras.optimizers.RMSprop(0.001))
    floats = images[..., np.newaxis].astype(np.float32) / 255
    model.fit(floats, batch_size=BATCH, epochs=2, verbose=0, callbacks=[clock])
    return clock.taken


def torch(precision: Precision, threads: int) -> float:
    """Seconds of the second of two epochs in PyTorch."""
    command = [sys.executable, "-m", "benchmarks.torch_vae", "--precision", precision]
    command += ["--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    chosen = options(__doc__, threads=1, rounds=3)
    set_threads(chosen.threads)
    images = mnist().load().images[:IMAGES]

    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(chosen.rounds):
        taken["fit"].append(fit(images))
        for precision in precisions:
            taken[precision].append(ours(images, precision))
            taken[f"PyTorch {precision}"].append(torch(precision, chosen.threads))
    publish(
        f"vae-{chosen.threads}-threads",
        {
            "threads": chosen.threads,
            "rounds": chosen.rounds,
            f"seconds an epoch of {EPOCH_OF_THE_NOTEBOOK:,} images": {
                name: round(statistics.median(each) * EPOCH_OF_THE_NOTEBOOK / IMAGES, 1)
                for name, each in taken.items()
            },
            "fit / float32": round(ratio(taken["fit"], taken["float32"]), 2),
            "fit / bfloat16": round(ratio(taken["fit"], taken["bfloat16"]), 2),
            **{
                f"PyTorch / ours, {name}": round(ratio(taken[f"PyTorch {name}"], taken[name]), 2)
                for name in precisions
            },
        },
    )


if __name__ == "__main__":
    main()
