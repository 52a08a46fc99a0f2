"""What thousands of trials cost: a proposal, a report, and a finished study that is run again.

    uv run python -m benchmarks.scale [--trials 2000] [--proposals 5000] [--searches 3]

Results are made up, and nothing is trained. Proposals are those of ``tpe`` over a space whose front
is all that was tried, which is the hardest for it. What it models is bounded; whether a search ends
worse for that is asked of searches of 1,000 trials over accuracies that are known, beside the same
searches without a bound: of one objective by the best that was found, of two by the hypervolume, in
points of accuracy times decades of parameters. Seconds are of the processor, which a load on the
machine changes little.
"""

from __future__ import annotations

import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import optuna

from benchmarks.made_up import CONFIG, finished_study
from benchmarks.measuring import options, publish
from sweep.config import Cell, StudyConfig, load_config
from sweep.results import Curves, Replicate, TrialResult
from sweep.search import sampling
from sweep.search.attempt import Attempt
from sweep.search.recollection import Recollection
from sweep.workspace import Workspace

NOTHING = Path(__file__).with_name("nothing.yaml")
WINDOW = 100
SEARCHED = 1000
RERUN = 300
NOISE = 0.003
Accuracy = Callable[[Cell], float]


def search(
    config: StudyConfig, name: str, trials: int, accuracy: Accuracy
) -> tuple[list[Cell], list[float]]:
    """The cells that a search proposes, without any storage, and the milliseconds of each.

    Two trials run beside each proposal, as with two workers.
    """
    proposer = sampling.Proposer(config, [])
    cells, taken, running = [], [], []
    for number in range(trials):
        started = time.thread_time()
        cell = proposer.propose(name)
        taken.append(1000 * (time.thread_time() - started))
        cells.append(cell)
        spec = config.trial_spec(cell, "0" * 64)
        running.append(Attempt(number=number, spec=spec, cell=cell, attempt=1, started_at=0))
        proposer.learn(running[-1])
        if len(running) > 2:
            ended = running.pop(0)
            found = _result(config, ended, accuracy(ended.cell))
            proposer.learn(ended.model_copy(update={"result": found}))
    return cells, taken


def _result(config: StudyConfig, attempt: Attempt, accuracy: float) -> TrialResult:
    curve = (accuracy,)
    return TrialResult(
        key=attempt.spec.key,
        labels=1000,
        classifier_parameters=config.classifier_parameters(attempt.cell),
        representation_parameters=0,
        replicates=(Replicate(draw=0, member=0, accuracy=accuracy, accuracy_best_epoch=accuracy),),
        curves=Curves(train_loss=curve, train_accuracy=curve, val_loss=curve, val_accuracy=curve),
        encoders=(),
        train_seconds=0.0,
        started_at=0,
        finished_at=0,
    )


def proposals(trials: int) -> dict[str, float]:
    """Median milliseconds of the proposals up to some numbers of trials."""
    config = load_config(NOTHING, ["search.sampler=tpe"], trials)
    _, taken = search(config, "pixels", trials, lambda cell: 1 - 1 / (1 + cell.hidden_neurons))
    ends = [end for end in (500, 1000, 2000, trials) if end <= trials]
    return {
        f"up to {end:,}": round(statistics.median(taken[end - WINDOW : end]), 1) for end in ends
    }


def peaked(cell: Cell) -> float:
    """Best at 10 dimensions and 800 neurons, and worse on all sides."""
    dims = math.log((cell.latent_dim or 1) / 10)
    return 0.97 - 0.02 * dims**2 - 0.004 * math.log(cell.hidden_neurons / 800) ** 2


def _noisy(random: np.random.Generator, cell: Cell) -> float:
    return peaked(cell) + NOISE * random.standard_normal()


def hypervolume(config: StudyConfig, cells: list[Cell]) -> float:
    """What the cells' true accuracies dominate, over 50 % and below a million parameters."""
    best, found = 0.5, []
    for cell in sorted(cells, key=config.classifier_parameters):
        if peaked(cell) > best:
            best = peaked(cell)
            found.append((math.log10(config.classifier_parameters(cell)), best))
    steps = pairwise([*found, (6.0, best)])
    return sum(100 * (accuracy - 0.5) * (end - start) for (start, accuracy), (end, _) in steps)


def searches(count: int) -> dict[str, dict[str, float]]:
    """Medians over searches: with one objective the best accuracy, with two the hypervolume."""
    shown: dict[str, dict[str, float]] = {}
    for objectives in ("[accuracy]", "[accuracy,classifier_parameters]"):
        for name, latest in (("bounded", None), ("all trials", 10**9)):
            sampling.Recollection = partial(Recollection, latest) if latest else Recollection  # type: ignore[assignment,attr-defined]
            found = []
            for seed in range(count):
                settings = ["search.sampler=tpe", f"search.objectives={objectives}", f"seed={seed}"]
                config = load_config(CONFIG, settings, SEARCHED)
                noisy = partial(_noisy, np.random.default_rng(seed))
                cells, _ = search(config, "vae", SEARCHED, noisy)
                alone = 100 * max(map(peaked, cells))
                found.append(alone if objectives == "[accuracy]" else hypervolume(config, cells))
            key = "best accuracy, %" if objectives == "[accuracy]" else "hypervolume"
            shown.setdefault(key, {})[name] = round(statistics.median(found), 3)
    return shown


def cpu_seconds(*arguments: object) -> float:
    """Processor seconds of a command that must succeed, its imports and its workers included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "sweep", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1)


def commands(trials: int) -> dict[str, dict[str, float]]:
    """Seconds of reports, and of runs of a finished study; the first fills MLflow."""
    with tempfile.TemporaryDirectory() as directory:
        large, small = (Workspace.at(Path(directory, name), {}) for name in ("large", "small"))
        finished_study(large, trials)
        finished_study(small, RERUN)
        report = ["report", "scale", "--home", large.home.root]
        halves = [f"--set=representations.{name}.trials={RERUN // 2}" for name in ("vae", "pixels")]
        run = ["run", CONFIG, *halves, "--home", small.home.root]
        cpu_seconds(*report)  # so that everything is compiled
        return {
            f"report of {trials:,} trials, s": {
                "table": cpu_seconds(*report),
                "with --out": cpu_seconds(*report, "--out", Path(directory, "out")),
            },
            f"run of a finished study of {RERUN} trials, s": {
                "the first": cpu_seconds(*run),
                "again": cpu_seconds(*run),
            },
        }


def main() -> None:
    chosen = options(__doc__, trials=2000, proposals=5000, searches=3)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    publish(
        "scale",
        {
            "a proposal of tpe, ms (median of 100)": proposals(chosen.proposals),
            f"searches of {SEARCHED:,} trials (median of {chosen.searches})": searches(
                chosen.searches
            ),
            **commands(chosen.trials),
            "processes that waited for the machine's cores": round(os.getloadavg()[2]),
        },
    )


if __name__ == "__main__":
    main()
