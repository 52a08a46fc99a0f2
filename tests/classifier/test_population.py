"""The population: each member is the network that Keras would train."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sweep import classifier
from sweep.classifier import population
from sweep.classifier.population import Labelled, Weights, initial_weights, member_model, train
from sweep.configuration import ClassifierTraining, Optimizer
from sweep.errors import DivergedError
from sweep.representations.rmsprop import RULES


def data(rows: int, inputs: int, seed: int) -> Labelled:
    """Features that say something of their class."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, rows).astype(np.uint8)
    centres = generator.normal(size=(10, inputs))
    features = centres[labels] + generator.normal(size=(rows, inputs))
    return Labelled(features.astype(np.float32), labels)


def orders(rows: int, epochs: int, seed: int = 0) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    return [generator.permutation(rows) for _ in range(epochs)]


def weights(inputs: int, hidden: int, members: int, seed: int = 0) -> Weights:
    return initial_weights(
        inputs, hidden, [np.random.default_rng([seed, m]) for m in range(members)]
    )


@settings(max_examples=4, deadline=None)
@example(optimizer=None, inputs=3, hidden=4, members=2, rows=11, batch_size=40, seed=0)  # partial
@example(optimizer=None, inputs=3, hidden=4, members=1, rows=32, batch_size=16, seed=0)  # none
@example(optimizer="keras2_rmsprop", inputs=20, hidden=9, members=3, rows=90, batch_size=16, seed=1)
@given(
    optimizer=st.sampled_from([*RULES]),
    inputs=st.integers(1, 20),
    hidden=st.integers(1, 30),
    members=st.integers(1, 2),
    rows=st.integers(11, 90),
    batch_size=st.integers(5, 40),
    seed=st.integers(0, 1000),
)
def test_a_member_is_the_network_that_keras_trains(
    optimizer: Optimizer,
    inputs: int,
    hidden: int,
    members: int,
    rows: int,
    batch_size: int,
    seed: int,
) -> None:
    """From the same weights, one epoch in the same order gives Keras's loss and weights.

    By the rule of either optimizer.
    """
    train_on = data(rows, inputs, seed)
    start = weights(inputs, hidden, members, seed)
    training = ClassifierTraining(
        epochs=1, batch_size=batch_size, learning_rate=0.01, optimizer=optimizer
    )
    order = orders(rows, 1, seed)
    curves, end = train(start, training, train_on, train_on, order, lambda _: None)
    for member in range(members):
        model = member_model(start, member)
        model.compile(RULES[optimizer](0.01), "sparse_categorical_crossentropy")
        history = model.fit(
            train_on.features[order[0]],
            train_on.labels[order[0]],
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
        )
        for mine, theirs in zip(
            member_model(end, member).get_weights(), model.get_weights(), strict=True
        ):
            np.testing.assert_allclose(mine, theirs, rtol=2e-3, atol=2e-4)
        assert curves[member].train_loss[0] == pytest.approx(history.history["loss"][0], rel=1e-4)
        probabilities = np.asarray(model(train_on.features))
        hits = float((probabilities.argmax(axis=1) == train_on.labels).mean())
        assert curves[member].val_accuracy[0] == pytest.approx(hits, abs=1.5 / rows)


def test_the_parameter_count_is_keras_s() -> None:
    """The closed form counts what Keras counts."""
    model = member_model(weights(17, 23, 1), 0)
    assert model.count_params() == classifier.parameters(17, 23)


def test_initial_weights_are_glorot_uniform() -> None:
    """Kernels fill +- sqrt(6 / (fan_in + fan_out)) of a single member; biases are zero."""
    start = weights(30, 70, 5)
    for kernel, fans in ((start.hidden_kernel, 30 + 70), (start.output_kernel, 70 + 10)):
        limit = np.sqrt(6 / fans)
        assert 0.97 * limit < np.abs(kernel).max() <= limit
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert not start.hidden_bias.any()
    assert not start.output_bias.any()


def test_trials_of_similar_sizes_share_a_program() -> None:
    """Compiled once, and used by other numbers of neurons, latent dimensions, epochs and rates."""
    train_on = data(50, 3, 0)
    training = ClassifierTraining(epochs=2, batch_size=16, learning_rate=0.01)
    before = population._epoch.experimental_get_tracing_count()
    for hidden, rate in ((20, 0.01), (80, 0.01), (33, 0.001)):
        changed = training.model_copy(update={"learning_rate": rate})
        train(weights(3, hidden, 2), changed, train_on, train_on, orders(50, 2), lambda _: None)
    wider = data(50, 16, 0)
    train(weights(16, 50, 2), training, wider, wider, orders(50, 2), lambda _: None)
    assert population._epoch.experimental_get_tracing_count() == before + 1


def test_members_do_not_disturb_each_other() -> None:
    """A member whose initial weights are another's has its curves, whoever stands beside it."""
    train_on = data(64, 5, 0)
    training = ClassifierTraining(epochs=3, batch_size=16, learning_rate=0.01)
    first, second = weights(5, 8, 2, seed=1), weights(5, 8, 2, seed=2)
    mixed = Weights(
        np.stack([first.hidden_kernel[:, 0], second.hidden_kernel[:, 0]], axis=1),
        np.stack([first.hidden_bias[0], second.hidden_bias[0]]),
        np.stack([first.output_kernel[0], second.output_kernel[0]]),
        np.stack([first.output_bias[0], second.output_bias[0]]),
    )
    order = orders(64, 3)
    curves, _ = train(first, training, train_on, train_on, order, lambda _: None)
    beside, _ = train(mixed, training, train_on, train_on, order, lambda _: None)
    np.testing.assert_allclose(curves[0].val_loss, beside[0].val_loss, rtol=1e-4)


def test_training_is_a_function_of_its_arguments() -> None:
    """The same training twice gives the same bits, and learns something."""
    train_on = data(300, 8, 0)
    training = ClassifierTraining(epochs=20, batch_size=32, learning_rate=0.01)
    fractions: list[float] = []
    runs = [
        train(weights(8, 16, 2), training, train_on, train_on, orders(300, 20), fractions.append)
        for _ in range(2)
    ]
    assert runs[0][0] == runs[1][0]
    assert min(member.val_accuracy[-1] for member in runs[0][0]) > 0.8
    assert fractions[19] == 1.0
    assert len(runs[0][0][0].train_loss) == 20


def test_divergence_says_where() -> None:
    """A loss that is not finite ends the training with its epoch."""
    train_on = Labelled(np.full((40, 3), 3e38, np.float32), np.arange(40, dtype=np.uint8) % 10)
    training = ClassifierTraining(epochs=5, batch_size=8, learning_rate=1e6)
    with pytest.raises(DivergedError, match="not finite in epoch 1 of 5"):
        train(weights(3, 4, 1), training, train_on, train_on, orders(40, 5), lambda _: None)
