"""TPE at scale: what it models, and how often."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from sweep.config import parse_config
from sweep.search import recollection, tpe
from sweep.search.attempt import Attempt
from sweep.search.recollection import Recollection, crowding_distances, worst
from sweep.search.sampling import Proposer
from tests.search.builders import FACTS, config, result

SPACE: dict[str, BaseDistribution] = {"x": IntDistribution(1, 1000)}
VALUES = st.lists(
    st.tuples(st.integers(0, 20).map(float), st.integers(0, 20).map(float)), min_size=1, max_size=60
)


def test_a_proposal_costs_one_model_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the 120th trial as in the 30th, though the front is all that was tried: none has a cell
    twice, and no proposal takes a second model."""
    monkeypatch.setattr(recollection.Recollection.__init__, "__defaults__", (20, 5))
    models: list[int] = []
    built = tpe._NewCandidates.__init__

    def counting(self: Any, is_new: Any, observations: Any, *rest: Any) -> None:
        models.append(len(next(iter(observations.values()))))
        built(self, is_new, observations, *rest)

    monkeypatch.setattr(tpe._NewCandidates, "__init__", counting)
    tree = config("tpe", pixels=200).model_dump()
    tree["representations"]["pixels"]["space"]["hidden_neurons"] = {"low": 1, "high": 1000}
    study = parse_config(tree, "test")
    proposer = Proposer(study, [])
    cells = set()
    for number in range(120):
        before = len(models)
        cell = proposer.propose("pixels")
        spec = study.trial_spec(cell, FACTS.sha256)
        attempt = Attempt(number=number, spec=spec, cell=cell, attempt=1, started_at=0)
        proposer.learn(attempt)
        proposer.learn(attempt.model_copy(update={"result": result(attempt)}))
        cells.add(cell)
        if number >= 10:
            assert len(models) - before == 2  # of the good ones and of the others
        if number >= 30:
            assert sum(models[before:]) == 25
    assert len(cells) == 120


def test_many_that_run_share_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 200 workers one for ten proposals, all of them new; with a few one for each."""
    built = 0
    counted = tpe._NewCandidates.__init__

    def counting(*arguments: Any) -> None:
        nonlocal built
        built += 1
        counted(*arguments)

    monkeypatch.setattr(tpe._NewCandidates, "__init__", counting)
    tree = config("tpe", pixels=400).model_dump()
    tree["representations"]["pixels"]["space"]["hidden_neurons"] = {"low": 1, "high": 1000}
    study = parse_config(tree, "test")
    proposer = Proposer(study, [])
    attempts: list[Attempt] = []

    def propose(number: int) -> None:
        for _ in range(number):
            cell = proposer.propose("pixels")
            spec = study.trial_spec(cell, FACTS.sha256)
            attempts.append(
                Attempt(number=len(attempts), spec=spec, cell=cell, attempt=1, started_at=0)
            )
            proposer.learn(attempts[-1])

    def end(number: int) -> None:
        for attempt in attempts[:number]:
            proposer.learn(attempt.model_copy(update={"result": result(attempt)}))

    propose(10)
    end(10)
    built = 0
    propose(19)
    assert built == 2 * 19
    propose(190)
    built = 0
    propose(60)
    assert 2 * 4 <= built <= 2 * 7
    assert len({attempt.cell for attempt in attempts}) == len(attempts)


@pytest.mark.parametrize("only", [{"choices": [4]}, {"low": 4, "high": 4}])
def test_a_dimension_of_one_value_is_no_dimension(only: dict[str, Any]) -> None:
    """The model leaves it out, as Optuna does; every cell is still found, once."""
    tree = config("tpe", vae=40).model_dump()
    space = {"latent_dim": only, "hidden_neurons": {"low": 1, "high": 40}}
    tree["representations"]["vae"]["space"] = space
    study = parse_config(tree, "test")
    proposer = Proposer(study, [])
    neurons = []
    for number in range(40):
        cell = proposer.propose("vae")
        spec = study.trial_spec(cell, FACTS.sha256)
        attempt = Attempt(number=number, spec=spec, cell=cell, attempt=1, started_at=0)
        proposer.learn(attempt.model_copy(update={"result": result(attempt)}))
        assert cell.latent_dim == 4
        neurons.append(cell.hidden_neurons)
    assert sorted(neurons) == list(range(1, 41))
    assert proposer.exhausted("vae")


def add(study: optuna.Study, number: int, values: tuple[float, float]) -> None:
    study.add_trial(create_trial(params={"x": number + 1}, distributions=SPACE, values=values))


@given(VALUES)
def test_what_is_remembered_does_not_depend_on_when_it_is_asked(
    values: list[tuple[float, float]],
) -> None:
    """A study that was resumed models what an uninterrupted one would."""
    asked, resumed = (
        optuna.create_study(storage=Recollection(10, 4), directions=["maximize", "minimize"])
        for _ in range(2)
    )
    for number, each in enumerate(values):
        add(asked, number, each)
        add(resumed, number, each)
        numbers = [trial.number for trial in asked.get_trials(deepcopy=False)]
        assert numbers[-10:] == list(range(max(0, number - 9), number + 1))
        assert len(numbers) <= 14
    remembered = [trial.number for trial in resumed.get_trials(deepcopy=False)]
    assert remembered == numbers == sorted(set(numbers))


@given(VALUES)
def test_the_best_of_one_objective_are_kept(values: list[tuple[float, float]]) -> None:
    """However long ago they were."""
    study = optuna.create_study(storage=Recollection(5, 3), direction="maximize")
    for number, (value, _) in enumerate(values):
        study.add_trial(create_trial(params={"x": number + 1}, distributions=SPACE, value=value))
    older = sorted((value for value, _ in values[:-5]), reverse=True)[:3]
    kept = [trial.value or 0.0 for trial in study.get_trials(deepcopy=False)][:-5]
    assert sorted(kept, reverse=True) == older


def test_what_runs_is_remembered_and_what_was_only_proposed_is_not() -> None:
    """A proposal that was not used leaves no trace."""
    study = optuna.create_study(storage=Recollection(2, 2), direction="maximize")
    running = create_trial(state=TrialState.RUNNING, params={"x": 1}, distributions=SPACE)
    study.add_trial(running)
    study.tell(study.ask(SPACE), state=TrialState.FAIL)
    for x in (3, 4, 5):
        study.add_trial(create_trial(params={"x": x}, distributions=SPACE, value=float(x)))
    xs = [trial.params["x"] for trial in study.get_trials(deepcopy=False)]
    assert xs == [1, 4, 5]
    study.tell(0, 1.0)
    xs = [trial.params["x"] for trial in study.get_trials(deepcopy=False)]
    assert xs == [1, 3, 4, 5]


def test_of_many_that_run_the_latest_are_shown() -> None:
    """Whatever waits behind them to be forgotten; and all of it is forgotten in its order."""
    study = optuna.create_study(storage=Recollection(3, 2), direction="maximize")
    for x in range(1, 9):
        study.add_trial(
            create_trial(state=TrialState.RUNNING, params={"x": x}, distributions=SPACE)
        )
    for number in (1, 2, 3, 4):
        study.tell(number, 10.0 - number)
    xs = [trial.params["x"] for trial in study.get_trials(deepcopy=False)]
    assert xs == [3, 4, 5, 6, 7, 8]  # three that have ended, and three that run
    study.tell(0, 1.0)
    xs = [trial.params["x"] for trial in study.get_trials(deepcopy=False)]
    assert xs == [2, 3, 6, 7, 8]  # the best of those that have ended, and the latest


def test_the_worst_is_most_dominated_and_then_most_crowded() -> None:
    """Ends of a front stand alone."""
    assert worst(np.array([[0.0, 0.0], [2.0, 2.0], [1.0, 1.0]])) == 1
    front = np.array([[0.0, 10.0], [1.0, 9.0], [1.5, 8.8], [10.0, 0.0]])
    assert worst(front) == 1
    assert crowding_distances(front)[[0, 3]].tolist() == [np.inf, np.inf]
