"""What must hold of every study, whatever was killed when: checked in Optuna and in MLflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import optuna
from mlflow import MlflowClient
from optuna.trial import FrozenTrial, TrialState

from sweep.search.storage import find_storage

CURVES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")


def trials(storage: str, study: str) -> list[FrozenTrial]:
    """A study's trials, read with Optuna's own tools.

    Optuna makes tables where it finds none, also while a study makes them: so it is asked before
    whether they are there.

    Raises:
        KeyError: there is no such study yet.
    """
    found = find_storage(storage)
    if found is None:
        raise KeyError(study)
    return optuna.load_study(study_name=study, storage=found).trials


def runs(client: MlflowClient, study: str) -> Iterator[Any]:
    """A study's MLflow runs, page by page."""
    experiment = client.get_experiment_by_name(study)
    assert experiment is not None
    token = None
    while True:
        page = client.search_runs([experiment.experiment_id], max_results=500, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def accuracies(storage: str, study: str) -> dict[str, list[float]]:
    """For each completed spec, by its key, the accuracies of its replicates."""
    return {
        trial.user_attrs["result"]["key"]: [
            replicate["accuracy"] for replicate in trial.user_attrs["result"]["replicates"]
        ]
        for trial in trials(storage, study)
        if trial.state is TrialState.COMPLETE
    }


def assert_exactly_once(storage: str, tracking: str, study: str, target: int) -> None:
    """Every spec once complete and once FINISHED, with all its values; nothing left running.

    Args:
        storage: Optuna's URL.
        tracking: MLflow's URI.
        study: the study's name.
        target: how many specs are to be complete.
    """
    attempts = {str(trial.number): trial for trial in trials(storage, study)}
    states = Counter(trial.state for trial in attempts.values())
    assert states[TrialState.COMPLETE] == target
    assert set(states) <= {TrialState.COMPLETE, TrialState.FAIL}
    assert len(accuracies(storage, study)) == target

    client = MlflowClient(tracking)
    by_kind: dict[str, list[Any]] = {"study": [], "trial": [], "encoder": []}
    for run in runs(client, study):
        by_kind[run.data.tags["sweep.kind"]].append(run)
        assert run.info.status != "RUNNING"
    assert len(by_kind["study"]) == 1
    encoders = [run.data.tags["sweep.key"] for run in by_kind["encoder"]]
    results = [trial.user_attrs.get("result") or {} for trial in attempts.values()]
    used = {key for result in results for key in result.get("encoders", ())}
    assert len(encoders) == len(set(encoders))
    assert used <= set(encoders)
    for run in by_kind["encoder"]:
        if run.info.status == "FINISHED":
            _assert_every_epoch_once(client, run)
    numbers = [run.data.tags["sweep.trial"] for run in by_kind["trial"]]
    assert sorted(numbers) == sorted(attempts)
    for run in by_kind["trial"]:
        _assert_projected(client, run, attempts[run.data.tags["sweep.trial"]])


def _assert_every_epoch_once(client: MlflowClient, run: Any) -> None:
    """A finished encoder's curves are whole, and no epoch of them is doubled."""
    curves = set(run.data.metrics) - {"representation_parameters", "train_seconds"}
    assert curves
    epochs = int(run.data.params.get(f"{run.data.params['representation']}.epochs", 1))
    for name in curves:
        points = client.get_metric_history(run.info.run_id, name)
        assert sorted(point.step for point in points) == list(range(1, epochs + 1)), name


def _assert_projected(client: MlflowClient, run: Any, trial: FrozenTrial) -> None:
    """A trial's run says what the trial says, and all of it."""
    failure, result = trial.user_attrs.get("failure"), trial.user_attrs.get("result")
    assert run.data.tags["sweep.key"]
    assert run.data.params["hidden_neurons"] == str(trial.user_attrs["spec"]["hidden_neurons"])
    if trial.state is TrialState.FAIL:
        assert failure is not None
        assert run.info.status == ("KILLED" if failure["cause"] == "interrupted" else "FAILED")
        assert failure["cause"] in run.data.tags["sweep.failure"]
        return
    assert run.info.status == "FINISHED"
    assert result is not None
    mean = sum(each["accuracy"] for each in result["replicates"]) / len(result["replicates"])
    assert abs(run.data.metrics["accuracy"] - mean) < 1e-12
    assert run.data.metrics["classifier_parameters"] == result["classifier_parameters"]
    for name in CURVES:
        points = client.get_metric_history(run.info.run_id, name)
        logged = {point.step: point.value for point in points}
        assert len(points) == len(logged) == len(result["curves"][name])
        assert [logged[step] for step in sorted(logged)] == list(result["curves"][name])
