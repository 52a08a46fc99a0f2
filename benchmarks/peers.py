"""The peers: what a careful user writes with Keras, Optuna and MLflow alone.

    uv run python -m benchmarks.peers plain|tuned|keras-tuner --trials 100 --home DIRECTORY

``plain`` trains a VAE and a classifier in every trial and logs each epoch to MLflow, as the
tutorials do. ``tuned`` keeps trained VAEs and their latent means by latent dimension, compiles the
classifier with XLA and runs a whole epoch an execution, scores once at the end, and logs a trial's
values in one call: all that ``fit`` offers. ``keras-tuner`` searches the pixel classifier's hidden
neurons with KerasTuner's random search. Each prints at its end where its seconds went, as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import keras
import mlflow
import numpy as np
import optuna
import tensorflow as tf
from numpy.typing import NDArray

from sweep.configuration import FractionsPartition
from sweep.data.datasets import DatasetSource
from sweep.data.partition import partition
from sweep.representations.vae_network import build_encoder

LATENT_DIMS = (2, 4, 8, 10, 16)
VAE_EPOCHS = 2
CLASSIFIER_EPOCHS = 50
PIXEL_EPOCHS = 30
PARTITION = FractionsPartition(
    scheme="fractions", encoder=0.6, classifier=0.2, validation=0.1, test=0.1
)


spent: Counter[str] = Counter()
"""Seconds of this process by what they were spent on."""


@contextmanager
def spending(what: str) -> Iterator[None]:
    """Count a block's seconds."""
    started = time.perf_counter()
    yield
    spent[what] += time.perf_counter() - started  # type: ignore[assignment]  # seconds, not times


def decoder(latent_dim: int) -> keras.Model:
    """The notebook's decoder, to logits."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(14 * 14 * 64, activation="relu"),
            layers.Reshape((14, 14, 64)),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same"),
        ]
    )


class Vae(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """The notebook's VAE with a ``train_step``, as in Keras's own example of one."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.encoder = build_encoder(latent_dim, 0)
        self.decoder = decoder(latent_dim)

    def train_step(self, data: Any) -> dict[str, Any]:
        batch = data[0] if isinstance(data, tuple) else data
        with tf.GradientTape() as tape:
            mean, log_variance = self.encoder(batch)
            noise = tf.random.normal(tf.shape(mean))
            image = tf.sigmoid(self.decoder(mean + tf.exp(0.5 * log_variance) * noise))
            reconstruction = tf.reduce_mean(
                tf.reduce_sum(keras.losses.binary_crossentropy(batch, image), axis=(1, 2))
            )
            kl = -0.5 * (1 + log_variance - tf.square(mean) - tf.exp(log_variance))
            loss = reconstruction + tf.reduce_mean(tf.reduce_sum(kl, axis=1))
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def classifier(inputs: int, hidden_neurons: int, **options: Any) -> keras.Model:
    """The classifier, compiled."""
    model = keras.Sequential(
        [
            keras.Input((inputs,)),
            keras.layers.Dense(hidden_neurons, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.RMSprop(0.001),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        **options,
    )
    return model


class Data(NamedTuple):
    """Images float32 ``(n, 28, 28, 1)`` and labels of the parts."""

    encoder: NDArray[np.float32]
    classifier: NDArray[np.float32]
    labels: NDArray[np.uint8]
    validation: NDArray[np.float32]
    validation_labels: NDArray[np.uint8]


@cache
def data() -> Data:
    dataset = DatasetSource.of("mnist-5k", None).load()
    parts = partition(dataset.labels, PARTITION, 0, 0)
    images = (dataset.images / 255).astype(np.float32)[..., np.newaxis]
    return Data(
        images[parts["encoder"]],
        images[parts["classifier"]],
        dataset.labels[parts["classifier"]],
        images[parts["validation"]],
        dataset.labels[parts["validation"]],
    )


def latent_means(latent_dim: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Train a VAE; the latent means of the classifier's images and of the validation images."""
    with spending("encoders"):
        vae = Vae(latent_dim)
        vae.compile(optimizer=keras.optimizers.RMSprop(0.001))
        vae.fit(data().encoder, batch_size=128, epochs=VAE_EPOCHS, verbose=0)
        classifier_mean, _ = vae.encoder.predict(data().classifier, verbose=0)
        validation_mean, _ = vae.encoder.predict(data().validation, verbose=0)
    return classifier_mean, validation_mean


def plain(trial: optuna.Trial) -> tuple[float, int]:
    latent_dim = trial.suggest_categorical("latent_dim", LATENT_DIMS)
    hidden_neurons = trial.suggest_int("hidden_neurons", 10, 1000, log=True)
    with mlflow.start_run():
        mlflow.log_params({"latent_dim": latent_dim, "hidden_neurons": hidden_neurons})
        means, validation_means = latent_means(latent_dim)
        with spending("classifiers"):
            model = classifier(latent_dim, hidden_neurons)
            history = model.fit(
                means,
                data().labels,
                batch_size=256,
                epochs=CLASSIFIER_EPOCHS,
                validation_data=(validation_means, data().validation_labels),
                verbose=0,
            ).history
        for name, values in history.items():
            for epoch, value in enumerate(values):
                mlflow.log_metric(name, value, step=epoch)
        accuracy = history["val_accuracy"][-1]
        mlflow.log_metric("accuracy", accuracy)
        mlflow.log_metric("classifier_parameters", model.count_params())
    return accuracy, model.count_params()


cached_latent_means = cache(latent_means)


def tuned(trial: optuna.Trial) -> tuple[float, int]:
    latent_dim = trial.suggest_categorical("latent_dim", LATENT_DIMS)
    hidden_neurons = trial.suggest_int("hidden_neurons", 10, 1000, log=True)
    means, validation_means = cached_latent_means(latent_dim)
    steps = -(-len(means) // 256)
    with spending("classifiers"):
        model = classifier(latent_dim, hidden_neurons, jit_compile=True, steps_per_execution=steps)
        model.fit(means, data().labels, batch_size=256, epochs=CLASSIFIER_EPOCHS, verbose=0)
        _, accuracy = model.evaluate(
            validation_means, data().validation_labels, batch_size=len(validation_means), verbose=0
        )
    with mlflow.start_run():
        mlflow.log_params({"latent_dim": latent_dim, "hidden_neurons": hidden_neurons})
        mlflow.log_metrics({"accuracy": accuracy, "classifier_parameters": model.count_params()})
    return accuracy, model.count_params()


def keras_tuner(trials: int, home: Path) -> None:
    """Search the pixel classifier."""
    import keras_tuner as kt

    def build(choices: kt.HyperParameters) -> keras.Model:
        return classifier(784, choices.Int("hidden_neurons", 10, 500, sampling="log"))

    def flat(images: NDArray[np.float32]) -> NDArray[np.float32]:
        return images.reshape(len(images), -1)

    tuner = kt.RandomSearch(
        build, "val_accuracy", max_trials=trials, seed=0, directory=home, project_name="peer"
    )
    dataset = DatasetSource.of("mnist-5k", None).load()
    labels = dataset.labels[partition(dataset.labels, PARTITION, 0, 0)["encoder"]]
    with spending("classifiers"):  # and KerasTuner's own work, which cannot be told from it
        tuner.search(
            flat(data().encoder),
            labels,
            batch_size=256,
            epochs=PIXEL_EPOCHS,
            validation_data=(flat(data().validation), data().validation_labels),
            verbose=0,
        )


def optuna_study(peer: str, trials: int, home: Path) -> None:
    """Search the classifier on latent means."""
    mlflow.set_tracking_uri(f"sqlite:///{home}/mlflow.db")
    mlflow.create_experiment("peer", (home / "artifacts").as_uri())
    mlflow.set_experiment("peer")
    study = optuna.create_study(
        storage=f"sqlite:///{home}/optuna.db",
        directions=["maximize", "minimize"],
        sampler=optuna.samplers.TPESampler(seed=0),
    )
    study.optimize({"plain": plain, "tuned": tuned}[peer], n_trials=trials)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("peer", choices=["plain", "tuned", "keras-tuner"])
    arguments.add_argument("--trials", type=int, required=True)
    arguments.add_argument("--home", type=Path, required=True)
    options = arguments.parse_args()
    options.home.mkdir(parents=True)
    if options.peer == "keras-tuner":
        keras_tuner(options.trials, options.home)
    else:
        optuna_study(options.peer, options.trials, options.home)
    print(json.dumps(spent))


if __name__ == "__main__":
    main()
