"""Studies whose processes and servers are killed again and again: nothing lost, nothing twice.

The short form kills 15 times; the long one is ``uv run pytest -m chaos -n0 --kills 100``.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from mlflow import MlflowClient

from sweep.search.attempt import Cause
from tests.chaos.servers import MlflowServer, Postgres, postgres
from tests.chaos.study import STUDY, Kills, target_for, workers_of
from tests.cli.process import start, sweep, wait_until
from tests.guarantee import accuracies, assert_exactly_once, runs, trials

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(7200)]


def run_to_its_end(config: Path, home: Path, **environment: str) -> None:
    """Run the study once more, with nothing killed."""
    done = sweep("run", config, "--home", home, "--workers", 2, env=environment, timeout=1800)
    assert done.returncode == 0, done.stderr


def accuracies_undisturbed(config: Path, home: Path) -> dict[str, list[float]]:
    """The accuracies that the study has when nobody disturbs it."""
    run_to_its_end(config, home)
    return accuracies(f"sqlite:///{home}/optuna.db", STUDY)


def test_kills_change_nothing(kills: Kills, chaos_config: Path, tmp_path: Path) -> None:
    """Whatever was killed when: the guarantee, and the accuracies of a run without a kill.

    A spec whose worker died too often is given up, and the search goes one cell further. Once
    ``sweep retry`` has brought it back, the study has all that the other has, and those cells more.
    """
    home = tmp_path / "home"
    encoders: dict[str, float] = {}
    victims: Counter[str] = Counter()
    for victim in kills.until_killed_often(chaos_config, home, {}):
        victims[victim] += 1
        for path in (home / "encoders").glob("[0-9a-f]*/record.json"):
            trained = path.stat().st_mtime
            assert encoders.setdefault(path.parent.name, trained) == trained, "trained twice"
    print(dict(victims))
    assert sum(victims.values()) >= kills.number
    storage, target = f"sqlite:///{home}/optuna.db", target_for(kills.number)
    tracking = f"sqlite:///{home}/mlflow.db"
    run_to_its_end(chaos_config, home)
    assert_exactly_once(storage, tracking, STUDY, target)
    queued = sweep("retry", STUDY, "--home", home)
    given_up = queued.stderr.count(Cause.WORKER_DIED)
    print(f"{len(trials(storage, STUDY))} attempts for {target} trials, {given_up} given up")
    assert queued.stderr.count("\n") == given_up, queued.stderr
    run_to_its_end(chaos_config, home)
    assert_exactly_once(storage, tracking, STUDY, target + given_up)
    disturbed = accuracies(storage, STUDY)
    undisturbed = accuracies_undisturbed(chaos_config, tmp_path / "undisturbed")
    assert {key: disturbed.get(key) for key in undisturbed} == undisturbed
    assert not list((home / "checkpoints").iterdir())


VARIED = """
name: chaos
dataset: mnist-5k
partition: {scheme: fractions, encoder: .1, classifier: .3, validation: .3, test: .3}
seed: 7
replicates: {draws: 1, classifiers: 1}
representations:
  vae:
    {epochs: 2, batch_size: 100, labels_from: classifier, trials: 12,
     space: {latent_dim: {choices: [2, 3]}, hidden_neurons: {low: 4, high: 40},
             beta: {low: 0.1, high: 4.0, log: true, points: 3},
             classifier.learning_rate: {low: 0.0005, high: 0.02, log: true}},
     classifier: {epochs: 5, batch_size: 64, learning_rate: 0.001}}
search: {sampler: tpe}
confirm: {draws: 1, classifiers: 1}
"""


def has_draws(home: Path, number: int) -> bool:
    """Whether so many draws have ended."""
    return len(list((home / "draws").glob("*.json"))) >= number


def test_kills_of_a_search_over_any_setting(tmp_path: Path) -> None:
    """Three times, everything: each cell once; Optuna, MLflow and the report say what varied."""
    config, home = tmp_path / "varied.yaml", tmp_path / "home"
    config.write_text(VARIED)
    for kill in range(3):
        process = start("run", config, "--home", home, "--workers", 2, start_new_session=True)
        wait_until(partial(has_draws, home, 3 * (kill + 1)), seconds=600)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    run_to_its_end(config, home)
    storage, tracking = f"sqlite:///{home}/optuna.db", f"sqlite:///{home}/mlflow.db"
    assert_exactly_once(storage, tracking, STUDY, 12)
    complete = [trial for trial in trials(storage, STUDY) if trial.state.name == "COMPLETE"]
    cells = {tuple(sorted(trial.params.items())) for trial in complete}
    assert len(cells) == 12
    assert len({trial.params["vae.classifier.learning_rate"] for trial in complete}) == 12
    shown = runs(MlflowClient(tracking), STUDY)
    params = {run.data.tags["sweep.key"]: run.data.params for run in shown}
    for trial in complete:
        of_run = params[trial.user_attrs["result"]["key"]]
        assert float(of_run["learning_rate"]) == trial.params["vae.classifier.learning_rate"]
        assert float(of_run.get("vae.beta", 1)) == pytest.approx(trial.params["vae.beta"])
    done = sweep(
        *("report", STUDY, "--home", home, "--format", "json", "--out", tmp_path / "report")
    )
    report = json.loads(done.stdout)
    assert {frozenset(row["varied"]) for row in report["searched"]} == {
        frozenset({"beta", "classifier.learning_rate"})
    }
    seen, fresh = (
        {draw for row in report[of] for draw, _, _ in row["replicates"]}
        for of in ("searched", "rows")
    )
    assert seen.isdisjoint(fresh)
    drawn = (tmp_path / "report" / "accuracy_vs_parameters.svg").read_text()
    names = {row["representation"] for row in report["rows"]}
    assert names
    said = (
        f"{STUDY} on ",
        "parameters of the classifier",
        "accuracy on the test partition",
        *names,
    )
    assert all(name in drawn for name in said)


@contextmanager
def restarted(server: MlflowServer | Postgres, kills: Kills) -> Iterator[None]:
    """Kill and restart a server at random for the length of a block."""
    ended = threading.Event()

    def disturb() -> None:
        while not ended.wait(kills.random.uniform(2, 12)):
            server.kill()
            ended.wait(kills.random.uniform(0, 8))
            server.start()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_kills_with_an_mlflow_server_that_is_killed_too(
    kills: Kills, chaos_config: Path, tmp_path: Path
) -> None:
    """MLflow over HTTP comes and goes while the study's own processes do."""
    home = tmp_path / "home"
    server = MlflowServer(tmp_path)
    server.start()
    environment = {"MLFLOW_TRACKING_URI": server.uri}
    try:
        with restarted(server, kills):
            for _ in kills.until_killed_often(chaos_config, home, environment):
                pass
        run_to_its_end(chaos_config, home, **environment)
        target = target_for(kills.number)
        assert_exactly_once(f"sqlite:///{home}/optuna.db", server.uri, STUDY, target)
    finally:
        server.kill()


def databases(server: Postgres) -> dict[str, str]:
    """The environment in which a study keeps its trials and its runs in a server."""
    return {
        "SWEEP_STORAGE": server.url("optuna"),
        "MLFLOW_TRACKING_URI": server.url("mlflow"),
    }


def test_kills_with_a_postgresql_that_crashes_too(
    kills: Kills, chaos_config: Path, tmp_path: Path
) -> None:
    """Both databases on a PostgreSQL that crashes after every kill and comes back.

    That is between two runs, and, when a worker alone was killed, in the middle of one.
    """
    home = tmp_path / "home"
    with postgres() as server:
        environment = databases(server)
        for _ in kills.until_killed_often(chaos_config, home, environment):
            server.kill()
            server.start()
        run_to_its_end(chaos_config, home, **environment)
        target = target_for(kills.number)
        assert_exactly_once(server.url("optuna"), server.url("mlflow"), STUDY, target)


def test_postgresql_that_crashes(kills: Kills, chaos_config: Path, tmp_path: Path) -> None:
    """Both databases on a PostgreSQL that crashes and comes back while one run goes on.

    The run waits for it, ends by itself, and shows its password to nobody.
    """
    home = tmp_path / "home"
    with postgres() as server:
        environment = databases(server)
        begun = sweep(
            *("run", chaos_config, "--home", home, "--set", "representations.vae.trials=0"),
            *("--set", "representations.pixels.trials=1"),
            env=environment,
        )
        assert begun.returncode == 0, begun.stderr
        process = start("run", chaos_config, "--home", home, "--workers", 2, env=environment)
        wait_until(lambda: workers_of(process))
        with restarted(server, kills):
            out, said = process.communicate(timeout=1800)
        again = sweep("run", chaos_config, "--home", home, env=environment)
        target = target_for(kills.number)
        assert process.returncode == 0, said
        assert "The studies' storage is back" in said
        assert again.returncode == 0, again.stderr
        assert_exactly_once(server.url("optuna"), server.url("mlflow"), STUDY, target)
        said += out + again.stdout + again.stderr
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert "a-secret" not in said
    assert not any(b"a-secret" in path.read_bytes() for path in kept)
