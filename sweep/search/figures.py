"""Optuna's own plots of a study, for its report."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from sweep.config import StudyConfig
from sweep.search.space import SearchSpace, label_name
from sweep.search.storage import Storage

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Titled = tuple[str, str, tuple[str, ...]]
"""Figures of Plotly's that stand side by side: their title, their caption, and the JSON of each."""

_FEWEST_TRIALS = 4  # fewer show no dependence on anything
_FEWEST_FOR_IMPORTANCES = 10  # a forest is grown on them
_MOST_FOR_IMPORTANCES = 200  # the time that it takes grows with them, and what it says does not
_COLOUR_BAR = {"thickness": 10, "x": 1, "xpad": 6}
_FIRST, _LAST = (184, 134, 11), (123, 79, 214)
"""Gold and violet, no representation's: both are seen on a light page and on a dark one, as is what
lies between, and colour-blind readers tell them apart."""


def figures(storage: Storage, config: StudyConfig) -> list[Titled]:
    """Importances, slices and parallel coordinates of the first objective, titled and captioned.

    For each representation that was searched, over its own space; with label budgets, over the
    largest. Slices are a figure for each parameter. Importances are those of functional ANOVA
    (Hutter, Hoos, Leyton-Brown 2014), for which a few trials, or trials that all score alike, say
    nothing: there they are left out, as is what Optuna cannot draw. Of very many trials they are
    those of a random sample, and their title says of how many.
    """
    study = optuna.load_study(study_name=config.name, storage=storage)
    objective = config.search.objectives[0]
    target = "accuracy (%)" if objective == "accuracy" else objective.replace("_", " ")
    found = []
    for name, block in config.blocks.items():
        if not block.trials:
            continue
        params = list(SearchSpace(config, name).dimensions)
        shown = _of_space(study, name, params, config)
        params = [_plain(param, name) for param in params]
        if len(shown.trials) < _FEWEST_TRIALS:
            continue
        plots: dict[str, Callable[..., list[Figure]]] = {"Slices": _slices}
        if len(params) > 1:
            plots["Parallel coordinates"] = _parallel_coordinates
        values = {trial.value for trial in shown.trials}
        if len(params) > 1 and len(shown.trials) >= _FEWEST_FOR_IMPORTANCES and len(values) > 1:
            count = len(shown.trials)
            sampled = f" (of {_MOST_FOR_IMPORTANCES} of {count:,} trials)"
            plots[f"Importances{sampled if count > _MOST_FOR_IMPORTANCES else ''}"] = _importances
        for title, plot in plots.items():
            drawn = _drawn(plot, shown, params, target)
            if drawn:
                note = _CAPTIONS[plot].format(name=name, target=target)
                found.append((f"{title}: {name}", note, tuple(map(_json, drawn))))
    return found


def _shade(place: float) -> str:
    """The colour of a place from 0 to 1."""
    parts = (round(a + place * (b - a)) for a, b in zip(_FIRST, _LAST, strict=True))
    return f"rgb({', '.join(map(str, parts))})"


def _json(figure: Figure) -> str:
    """Without what the page decides: title, background and fonts."""
    figure.update_layout(template=None, title=None)
    return str(figure.to_json())


def _slices(study: optuna.Study, params: Sequence[str], **options: Any) -> list[Figure]:
    drawn = [optuna.visualization.plot_slice(study, params=[name], **options) for name in params]
    for figure in drawn:
        marker = {"size": 8, "colorbar": _COLOUR_BAR, "colorscale": _SCALE, "line": {"width": 0}}
        figure.update_traces(marker=marker)
        if figure.layout.xaxis.type == "log":
            figure.update_xaxes(tickvals=_round_values(figure.data[0].x))
    return drawn


def _round_values(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 times the powers of ten, from below the least value to above the greatest."""
    powers = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    return [digit * 10.0**power for power in powers for digit in (1, 2, 5)]


def _parallel_coordinates(study: optuna.Study, **options: Any) -> list[Figure]:
    figure = optuna.visualization.plot_parallel_coordinate(study, **options)
    scale = {"marker_colorbar": _COLOUR_BAR, "marker_colorscale": _SCALE}
    figure.update_traces(scale, selector={"mode": "markers"})
    for line in figure.select_traces({"mode": "lines"}):  # from the objective on, its first axis
        line.update(line_color=_shade(line.y[0]), opacity=0.8)
    figure.update_annotations(font_color=None)  # the page's
    return [figure]


def _importances(study: optuna.Study, **options: Any) -> list[Figure]:
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    figure = optuna.visualization.plot_param_importances(
        _sample(study), evaluator=evaluator, **options
    )
    figure.update_traces(marker_color=_shade(1))
    figure.update_yaxes(title=None)  # it would stand on the parameters' names
    return [figure]


def _sample(study: optuna.Study) -> optuna.Study:
    """At most so many trials as importances need, the same at every time."""
    trials = study.get_trials(deepcopy=False)
    if len(trials) <= _MOST_FOR_IMPORTANCES:
        return study
    sample = optuna.create_study(direction=study.direction)
    taken = np.random.default_rng(0).choice(len(trials), _MOST_FOR_IMPORTANCES, replace=False)
    sample.add_trials([trials[place] for place in sorted(taken)])
    return sample


def _of_space(
    study: optuna.Study, representation: str, params: Sequence[str], config: StudyConfig
) -> optuna.Study:
    """The complete trials that have these parameters, with the first objective, in memory.

    With an objective of its own, whose direction it knows, and no ``target``: Optuna would take the
    least of a target to be the best, and say what matters for bad accuracies. Accuracies are in
    percent, and parameters without the representation's name, as reports show them.
    """
    shown = optuna.create_study(direction=study.directions[0])
    leading = label_name(config.leading_budget)
    scale = 100 if config.search.objectives[0] == "accuracy" else 1
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        leads = trial.params.get("labels", leading) == leading
        if leads and set(params) <= trial.params.keys():
            names = {_plain(param, representation): param for param in params}
            shown.add_trial(
                optuna.trial.create_trial(
                    value=scale * trial.values[0],
                    params={plain: trial.params[name] for plain, name in names.items()},
                    distributions={
                        plain: trial.distributions[name] for plain, name in names.items()
                    },
                )
            )
    return shown


def _plain(param: str, representation: str) -> str:
    return param.removeprefix(f"{representation}.")


_SCALE = [[0, _shade(0)], [1, _shade(1)]]
_CAPTIONS: dict[Callable[..., list[Figure]], str] = {
    _slices: "Each mark is a trial: its {target} over one parameter, whatever the others were. The "
    "colour is the trial's number among those of {name}, which are counted from 0 in their order: "
    "where late ones gather, the search has looked closer.",
    _parallel_coordinates: "Each line is a trial of {name}: its {target} at the left, from there "
    "through its value of each parameter. The colour is the {target}.",
    _importances: "The share of the differences in {target} among the trials of {name} that goes "
    "with each parameter (functional ANOVA); together they are 1. It holds for what the search "
    "tried, most of it where it found good values.",
}


def _drawn(
    plot: Callable[..., list[Figure]], study: optuna.Study, params: list[str], target: str
) -> list[Figure]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return plot(study, params=params, target_name=target)
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            logging.getLogger("sweep").info("Optuna draws no %s: %s", plot.__name__[1:], error)
            return []
