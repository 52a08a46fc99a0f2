"""What a trial costs beside its training: thousands of trials that train nothing.

    uv run python -m benchmarks.coordinator

Each trial is proposed, stored, told, and projected into a local MLflow with four curves of 50
epochs; the next one ends when all of that is done. The peer does the same with Optuna's
``optimize`` and a call of MLflow for each value, as MLflow's tutorial does.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from concurrent.futures import wait
from functools import partial
from itertools import pairwise
from pathlib import Path

import mlflow
import optuna
from optuna.distributions import BaseDistribution

from benchmarks.measuring import options, publish
from sweep.config import load_config
from sweep.coordinator.projector import Projector
from sweep.coordinator.run import open_for_writing
from sweep.coordinator.trials import TrialRun
from sweep.execution import InlineExecutor
from sweep.results import Curves, DataFacts, DrawResult
from sweep.specs import SPEC, DrawSpec
from sweep.values import OnProgress
from sweep.workspace import Workspace

CONFIG = Path(__file__).with_name("nothing.yaml")
DATA = DataFacts(name="mnist-5k", sha256="0" * 64, is_mnist=False)
EPOCHS = 50
CURVE = tuple(1 / (epoch + 1) for epoch in range(EPOCHS))
WINDOW = 200
PEER_TRIALS = 30
TPE_TRIALS, THEIR_TRIALS = 5000, 500  # a model's cost grows with the trials that it learns from


class Settling(Projector):
    """A projector that can be waited for."""

    def settle(self) -> None:
        """Return when everything that has ended has been projected."""
        while self._next(hasty=False):
            self.project(())
            assert self._work is not None
            wait([self._work])


def nothing(projector: Settling, ended: list[float], payload: str, _: OnProgress) -> str:
    """A draw that takes no time; it is done with when MLflow has all that was there before."""
    projector.settle()
    ended.append(time.perf_counter())
    spec = SPEC.validate_json(payload)
    assert isinstance(spec, DrawSpec)
    value = 1 - 1 / (1 + spec.trial.hidden_neurons)
    accuracy = (*CURVE[:-1], value)
    curves = Curves(train_loss=CURVE, train_accuracy=CURVE, val_loss=CURVE, val_accuracy=accuracy)
    return DrawResult(
        key=spec.key,
        draw=spec.draw,
        labels=3000,
        members=(curves,) * spec.trial.members,
        seconds=0.0,
    ).model_dump_json()


def ours(trials: int, sampler: str) -> list[float]:
    """Seconds that each trial took."""
    with tempfile.TemporaryDirectory() as directory:
        workspace = Workspace.at(Path(directory), {})
        workspace.home.create()
        config = load_config(CONFIG, [f"search.sampler={sampler}"], trials)
        study = open_for_writing(workspace, config, DATA)
        projector = Settling(workspace, config.name, DATA)
        ended: list[float] = []
        executor = InlineExecutor(lambda: partial(nothing, projector, ended))
        trials_of = TrialRun(study, executor, workspace.store, projector, lambda _: None)
        trials_of.run(lambda: False)
        projector.finish(lambda _: None, timeout=60)
    return [after - before for before, after in pairwise(ended)]


def peer() -> list[float]:
    """The same as a plain script would do it."""
    ended = [time.perf_counter()]

    def objective(trial: optuna.Trial) -> float:
        hidden_neurons = trial.suggest_int("hidden_neurons", 1, 100_000, log=True)
        with mlflow.start_run():
            mlflow.log_params(
                {"representation": "pixels", "hidden_neurons": hidden_neurons, "labels": 3000}
            )
            mlflow.log_params({"epochs": EPOCHS, "batch_size": 256, "learning_rate": 0.001})
            for epoch, value in enumerate(CURVE):
                for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
                    mlflow.log_metric(name, value, step=epoch)
            for name in ("accuracy", "classifier_parameters", "train_seconds"):
                mlflow.log_metric(name, 1.0)
        ended.append(time.perf_counter())
        return 1 - 1 / (1 + hidden_neurons)

    with tempfile.TemporaryDirectory() as directory:
        mlflow.set_tracking_uri(f"sqlite:///{directory}/mlflow.db")
        mlflow.create_experiment("peer", Path(directory, "artifacts").as_uri())
        mlflow.set_experiment("peer")
        study = optuna.create_study(
            storage=f"sqlite:///{directory}/optuna.db", sampler=optuna.samplers.RandomSampler(0)
        )
        study.optimize(objective, n_trials=PEER_TRIALS)
    return [after - before for before, after in pairwise(ended[1:])]


def optunas_tpe(trials: int) -> list[float]:
    """Seconds that Optuna's sampler alone takes to propose each trial of the same search."""
    study = optuna.create_study(
        directions=["maximize", "minimize"],
        sampler=optuna.samplers.TPESampler(seed=0, multivariate=True, constant_liar=True),
    )
    space: dict[str, BaseDistribution] = {
        "hidden_neurons": optuna.distributions.IntDistribution(1, 100_000, log=True)
    }
    taken = []
    for _ in range(trials):
        started = time.perf_counter()
        trial = study.ask(space)
        taken.append(time.perf_counter() - started)
        neurons = trial.params["hidden_neurons"]
        study.tell(trial, [1 - 1 / (1 + neurons), 795 * neurons + 10])
    return taken


def milliseconds(taken: list[float]) -> float:
    return round(1000 * statistics.median(taken), 1)


def main() -> None:
    asked = options(__doc__, trials=2000, tpe_trials=TPE_TRIALS)
    trials, tpe_trials = asked.trials, asked.tpe_trials
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    figures = {}
    measured = {
        "random": ours(trials, "random"),
        "tpe": ours(tpe_trials, "tpe"),
        "tpe, Optuna's proposals alone": optunas_tpe(min(trials, THEIR_TRIALS)),
    }
    for name, taken in measured.items():
        first, last = milliseconds(taken[10 : WINDOW + 10]), milliseconds(taken[-WINDOW:])
        figures[name] = {
            "trials": len(taken),
            "ms a trial (median)": milliseconds(taken),
            f"first {WINDOW}": first,
            **({f"{WINDOW} to 500": milliseconds(taken[WINDOW:500])} if len(taken) > 500 else {}),
            f"last {WINDOW}": last,
            "last / first": round(last / first, 2),
        }
    plain = milliseconds(peer())
    ratio = round(plain / figures["random"]["ms a trial (median)"], 1)
    publish("coordinator", {**figures, "peer, ms a trial": plain, "peer / ours": ratio})


if __name__ == "__main__":
    main()
