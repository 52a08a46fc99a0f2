"""RMSprop as Keras 3 has it, and as Keras 2 had it when the notebook was run."""

from __future__ import annotations

from collections.abc import Mapping

import keras
from keras import ops

from sweep.configuration import Optimizer


class Keras2RMSprop(keras.optimizers.RMSprop):  # type: ignore[misc]  # Keras ships no types
    """RMSprop that divides by sqrt(v) + epsilon instead of sqrt(v + epsilon).

    So do ``tf.keras.optimizers.legacy.RMSprop`` (Keras 2 before 2.11) and PyTorch. Where gradients
    are small Keras 3's steps are shorter: its epsilon of 1e-7 is one of 3.2e-4 beside sqrt(v).
    """

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: keras.Variable
    ) -> None:
        velocity = self._velocities[self._get_variable_index(variable)]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * ops.square(gradient))
        step = learning_rate * gradient / (ops.sqrt(velocity) + self.epsilon)
        self.assign_sub(variable, step)


RULES: Mapping[Optimizer, type[keras.optimizers.RMSprop]] = {
    None: keras.optimizers.RMSprop,
    "keras2_rmsprop": Keras2RMSprop,
}
