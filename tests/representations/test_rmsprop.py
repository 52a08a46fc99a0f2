"""The optimizers: each is its formula."""

from __future__ import annotations

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sweep.representations.rmsprop import RULES, Keras2RMSprop

FLOATS = st.floats(-100, 100, width=32)


@settings(max_examples=50, deadline=None)
@given(
    start=arrays(np.float32, 4, elements=FLOATS),
    gradients=st.lists(arrays(np.float32, 4, elements=FLOATS), min_size=1, max_size=5),
    rate=st.floats(1e-6, 1.0),
)
def test_keras_2_divides_by_the_root_plus_epsilon(
    start: np.ndarray, gradients: list[np.ndarray], rate: float
) -> None:
    """w -= rate g / (sqrt(v) + 1e-7), v = 0.9 v + 0.1 g², for any gradients, zeros included."""
    variable = keras.Variable(start)
    optimizer = Keras2RMSprop(rate)
    weight, velocity = start.astype(np.float64), np.zeros(4)
    moved = np.abs(weight)
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        velocity = 0.9 * velocity + 0.1 * gradient.astype(np.float64) ** 2
        step = rate * gradient / (np.sqrt(velocity) + 1e-7)
        weight -= step
        moved += np.abs(step)
    assert (np.abs(variable.numpy() - weight) <= 1e-5 * moved + 1e-12).all()


def test_the_rules_differ_where_gradients_are_small() -> None:
    """The first step of Keras 2 has the same length for any gradient; that of Keras 3 has not."""
    steps = {}
    for name, rule in RULES.items():
        variable = keras.Variable(np.zeros(1, np.float32))
        rule(0.001).apply([keras.ops.convert_to_tensor([1e-4])], [variable])
        steps[name] = -float(variable.numpy()[0])
    np.testing.assert_allclose(steps["keras2_rmsprop"], 0.001 / np.sqrt(0.1), rtol=0.01)
    assert steps[None] < 0.1 * steps["keras2_rmsprop"]
