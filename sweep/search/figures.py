"""Optuna's own plots of a study, for its report."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from sweep.config import StudyConfig
from sweep.search.space import SearchSpace, label_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Titled = tuple[str, str]
"""A figure of Plotly's: its title, and its JSON."""

_FEWEST_TRIALS = 4  # fewer show no dependence on anything
_FEWEST_FOR_IMPORTANCES = 10  # a forest is grown on them
_MOST_FOR_IMPORTANCES = 200  # the time that it takes grows with them, and what it says does not


def figures(storage: BaseStorage, config: StudyConfig) -> list[Titled]:
    """Importances, slices and parallel coordinates of the first objective, with their titles.

    For each representation that was searched, over its own space; with label budgets, over the
    largest. Importances are those of functional ANOVA (Hutter, Hoos, Leyton-Brown 2014), for which
    a few trials, or trials that all score alike, say nothing: there they are left out, as is what
    Optuna cannot draw. Of very many trials they are those of a random sample, and their title says
    of how many.
    """
    study = optuna.load_study(study_name=config.name, storage=storage)
    objective = config.search.objectives[0]
    found = []
    for name, block in config.blocks.items():
        if not block.trials:
            continue
        params = list(SearchSpace(config, name).dimensions)
        shown = _of_space(study, params, config)
        if len(shown.trials) < _FEWEST_TRIALS:
            continue
        plots: dict[str, Callable[..., Figure]] = {"Slices": optuna.visualization.plot_slice}
        if len(params) > 1:
            plots["Parallel coordinates"] = optuna.visualization.plot_parallel_coordinate
        values = {trial.value for trial in shown.trials}
        if len(params) > 1 and len(shown.trials) >= _FEWEST_FOR_IMPORTANCES and len(values) > 1:
            count = len(shown.trials)
            sampled = f" (of {_MOST_FOR_IMPORTANCES} of {count:,} trials)"
            plots[f"Importances{sampled if count > _MOST_FOR_IMPORTANCES else ''}"] = _importances
        for title, plot in plots.items():
            figure = _drawn(plot, shown, params, objective)
            if figure is not None:
                found.append((f"{title}: {name}", str(figure.to_json())))
    return found


def _importances(study: optuna.Study, **options: Any) -> Figure:
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.visualization.plot_param_importances(
        _sample(study), evaluator=evaluator, **options
    )


def _sample(study: optuna.Study) -> optuna.Study:
    """At most so many trials as importances need, the same at every time."""
    trials = study.get_trials(deepcopy=False)
    if len(trials) <= _MOST_FOR_IMPORTANCES:
        return study
    sample = optuna.create_study(direction=study.direction)
    taken = np.random.default_rng(0).choice(len(trials), _MOST_FOR_IMPORTANCES, replace=False)
    sample.add_trials([trials[place] for place in sorted(taken)])
    return sample


def _of_space(study: optuna.Study, params: Sequence[str], config: StudyConfig) -> optuna.Study:
    """The complete trials that have these parameters, with the first objective, in memory.

    With an objective of its own, whose direction it knows, and no ``target``: Optuna would take the
    least of a target to be the best, and say what matters for bad accuracies.
    """
    shown = optuna.create_study(direction=study.directions[0])
    leading = label_name(config.leading_budget)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        leads = trial.params.get("labels", leading) == leading
        if leads and set(params) <= trial.params.keys():
            shown.add_trial(_with_first_value(trial, params))
    return shown


def _with_first_value(trial: FrozenTrial, params: Sequence[str]) -> FrozenTrial:
    return optuna.trial.create_trial(
        value=trial.values[0],
        params={name: trial.params[name] for name in params},
        distributions={name: trial.distributions[name] for name in params},
    )


def _drawn(
    plot: Callable[..., Figure], study: optuna.Study, params: list[str], objective: str
) -> Figure | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return plot(study, params=params, target_name=objective)
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            logging.getLogger("sweep").info("Optuna draws no %s: %s", plot.__name__, error)
            return None
