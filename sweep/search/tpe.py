"""Optuna's TPE over a space that is known, proposing only what was not tried before."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.special import log_ndtr

IsNew = Callable[[Mapping[str, Any]], bool]
"""Whether parameters have not been tried before."""

_ROUNDS = 10
"""How often candidates are drawn before a proposal that was tried before is given."""
_SHARE_UNSEEN = 20
"""Of so many trials that run, one more may have begun or ended than a proposal's model knows."""


class Models:
    """What the last proposal stood on: a model of the good trials, and one of the others.

    Proposals that follow may stand on it, too, as long as few trials have begun or ended since, of
    those that run. So with a handful of workers each proposal has a model of its own, and with a
    thousand nobody waits for a thousand models.
    """

    def __init__(self) -> None:
        self._built: dict[bool, _ParzenEstimator] = {}
        self._changes = 0

    def change(self) -> None:
        """A trial has begun, or ended."""
        self._changes += 1

    def keep(self, model: _ParzenEstimator, *, of_good: bool) -> None:
        """A model of all that is known now."""
        self._built[of_good] = model
        self._changes = 0

    def recent(self, running: int) -> tuple[_ParzenEstimator, _ParzenEstimator] | None:
        """Those of the good and of the others; None if a proposal wants new ones.

        Args:
            running: trials that run now.
        """
        if len(self._built) < 2 or self._changes > running // _SHARE_UNSEEN:
            return None
        return self._built[True], self._built[False]


class NewTPESampler(TPESampler):
    """Optuna's sampler, multivariate, with one model at most for each proposal.

    Optuna's own may propose what was tried before, and another try would cost another model. The
    candidates among which this one chooses are all new, as long as its model has any.
    """

    def __init__(
        self,
        space: Mapping[str, BaseDistribution],
        is_new: IsNew,
        seed: int,
        models: Models,
        running: int,
    ) -> None:
        """Over a space, whose parameters all trials have.

        Args:
            space: its parameters.
            is_new: whether they may be proposed.
            seed: of the proposal.
            models: those of the proposals before.
            running: trials that run now.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            # The start-up is ours, and over as soon as anything of it has ended.
            super().__init__(seed=seed, multivariate=True, constant_liar=True, n_startup_trials=1)
        self._space = space
        self._models = models
        self._running = running
        fixed = {name: _only_value(each) for name, each in space.items() if each.single()}

        def is_new_beside_fixed(params: Mapping[str, Any]) -> bool:
            return is_new({**fixed, **params})

        self._parzen_estimator_cls = partial(_NewCandidates, is_new_beside_fixed)  # type: ignore[assignment]

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The space but for what has one value; Optuna would look through all trials for it."""
        return {name: each for name, each in sorted(self._space.items()) if not each.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A proposal."""
        with _whole_arrays():
            return super().sample_relative(study, trial, search_space)

    def _sample(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        recent = self._models.recent(self._running)
        if recent is None:
            return super()._sample(study, trial, search_space)
        candidates = recent[0].sample(self._rng.rng, self._n_ei_candidates)
        best = self._compare(candidates, self._compute_acquisition_func(candidates, *recent))
        return {name: each.to_external_repr(best[name]) for name, each in search_space.items()}

    def _build_parzen_estimator(
        self,
        study: Study,
        search_space: dict[str, BaseDistribution],
        trials: list[FrozenTrial],
        handle_below: bool,
    ) -> _ParzenEstimator:
        model = super()._build_parzen_estimator(study, search_space, trials, handle_below)
        self._models.keep(model, of_good=handle_below)
        return model


@contextmanager
def _whole_arrays() -> Iterator[None]:
    """Have Optuna compute logarithms of the normal distribution by SciPy for the length of a block.

    Optuna, which does without SciPy, computes them number by number in Python: most of the time
    that a proposal takes.
    """
    one_by_one = _truncnorm._log_ndtr
    _truncnorm._log_ndtr = log_ndtr
    try:
        yield
    finally:
        _truncnorm._log_ndtr = one_by_one


def _only_value(distribution: BaseDistribution) -> Any:
    """The value of a distribution that has but one."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return distribution.low


class _NewCandidates(_ParzenEstimator):
    """A density from which what was tried before is not drawn."""

    def __init__(
        self,
        is_new: IsNew,
        observations: dict[str, NDArray[np.float64]],
        search_space: dict[str, BaseDistribution],
        *arguments: Any,
    ) -> None:
        super().__init__(observations, search_space, *arguments)
        self._is_new = is_new

    def sample(self, rng: np.random.RandomState, size: int) -> dict[str, NDArray[np.float64]]:
        """Draws, as many as asked for; fewer, or ones tried before, if new ones are that rare."""
        drawn = super().sample(rng, size)
        found = self._new(drawn)
        for _ in range(_ROUNDS - 1):
            if _count(found) == size:
                break
            more = self._new(super().sample(rng, size))
            found = {name: np.append(found[name], more[name])[:size] for name in found}
        return found if _count(found) else drawn

    def _new(self, drawn: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        rows = zip(*drawn.values(), strict=True)
        are_new = [
            self._is_new(
                {
                    name: self._search_space[name].to_external_repr(value)
                    for name, value in zip(drawn, row, strict=True)
                }
            )
            for row in rows
        ]
        return {name: values[are_new] for name, values in drawn.items()}


def _count(drawn: Mapping[str, NDArray[np.float64]]) -> int:
    return len(next(iter(drawn.values())))
