"""Proposing cells: a sampler by name for each representation's space.

Optuna's samplers work on copies of the study in memory, one for each representation, so that each
space is searched jointly and a proposal that is not used, because its cell was tried before, leaves
no trace in the storage. Every proposal has a sampler of its own, seeded with the number of cells
that its representation has had: a resumed study goes on where an uninterrupted one would, instead
of repeating its first suggestions.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator, Sequence

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler
from optuna.samplers.nsgaii import SBXCrossover
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from sweep import seeds
from sweep.config import Cell, StudyConfig
from sweep.errors import ConfigError
from sweep.search.attempt import Attempt, State
from sweep.search.recollection import Recollection
from sweep.search.sequences import quasi_random, spread_out
from sweep.search.space import SearchSpace, directions, objective_values
from sweep.search.tpe import Models, NewTPESampler

_REDRAWS = 50
_INSISTING = 5  # a sampler that proposes cells it has had gives way to chance after so many
_MUTATION = 0.1  # per dimension; Optuna's 1 / dimensions would mutate a single one every time
# NSGA-II wants some generations: Optuna's 50 a generation leave a study of 50 trials to chance.
_GENERATIONS, _FEWEST, _MOST = 5, 4, 50
_SHARE, _SHORTEST, _LONGEST = 4, 4, 10


def startup_trials(config: StudyConfig, representation: str) -> int:
    """How many trials fill a representation's space evenly before its sampler learns from them.

    As many as the config says; or a quarter of its trials, and from 4 to 10.
    """
    if config.search.startup_trials is not None:
        return config.search.startup_trials
    return min(max(config.blocks[representation].trials // _SHARE, _SHORTEST), _LONGEST)


def check_sampler(config: StudyConfig) -> None:
    """See that the sampler's packages are installed.

    Raises:
        ConfigError: they are not.
    """
    if config.search.sampler == "gp" and importlib.util.find_spec("torch") is None:
        raise ConfigError(
            "search.sampler is 'gp', which needs PyTorch, and that is not installed",
            hint="install it with the extra 'gp': uv sync --extra gp",
        )


class Proposer:
    """Proposes cells for a study, and learns from its attempts."""

    def __init__(self, config: StudyConfig, attempts: Sequence[Attempt]) -> None:
        """Start from the attempts that there are.

        Raises:
            ConfigError: the sampler's packages are not installed.
        """
        check_sampler(config)
        self._leading_budget = config.leading_budget
        self._searches = {
            name: _Search(config, name)
            for name, block in config.blocks.items()
            if block.space is not None
        }
        for attempt in attempts:
            self.learn(attempt)

    def exhausted(self, representation: str) -> bool:
        """Whether every cell of a representation's space has been tried."""
        return self._searches[representation].exhausted

    def propose(self, representation: str) -> Cell:
        """A cell that was not tried before; the space must not be exhausted."""
        return self._searches[representation].propose()

    def learn(self, attempt: Attempt) -> None:
        """Take note of an attempt that began or ended."""
        search = self._searches.get(attempt.cell.representation)
        if search is not None and attempt.cell.label_budget == self._leading_budget:
            search.learn(attempt)


class _Search:
    """The search of one representation's space."""

    def __init__(self, config: StudyConfig, representation: str) -> None:
        self._config = config
        self._representation = representation
        self._space = SearchSpace(config, representation)
        is_tpe = config.search.sampler == "tpe"
        self._storage = Recollection() if is_tpe else InMemoryStorage()
        self._memory = optuna.create_study(directions=directions(config), storage=self._storage)
        self._startup = startup_trials(config, representation)
        trials = config.blocks[representation].trials
        self._population = min(max(trials // _GENERATIONS, _FEWEST), _MOST)
        self._generations = NSGAIISampler(population_size=self._population)
        self._running: dict[int, int] = {}
        self._models = Models()
        self._grid = spread_out(self._space)
        """What a grid has not proposed yet."""
        self._tried: set[Cell] = set()
        self._covered = 0
        """Cells of the space that were tried; others were rows outside of it."""

    @property
    def exhausted(self) -> bool:
        return self._covered >= self._space.size

    def propose(self) -> Cell:
        index = len(self._tried)
        name = self._config.search.sampler
        for cell in self._candidates(name, index):
            if cell not in self._tried:
                return cell
        # The sampler finds no more: one of the cells that are left. As long as they are many, it is
        # soon met by chance; a list of them all is never longer than twice what was tried.
        generator = seeds.generator(
            self._config.seed, "sampler", self._representation, index, "left"
        )
        while 2 * self._covered < self._space.size:
            cell = self._space.by_chance(generator)
            if cell not in self._tried:
                return cell
        left = [cell for cell in self._space.cells() if cell not in self._tried]
        return left[int(generator.integers(len(left)))]

    def _candidates(self, name: str, index: int) -> Iterator[Cell]:
        if name == "grid":
            return self._grid
        if name == "qmc" or (name != "random" and index < self._startup):
            seed = seeds.integer(self._config.seed, "sampler", self._representation)
            return quasi_random(self._space, seed, _REDRAWS * (index + 1))
        return (
            self._ask(name if redraw < _INSISTING else "random", index, redraw)
            for redraw in range(_REDRAWS)
        )

    def _ask(self, name: str, index: int, redraw: int) -> Cell:
        """A proposal of one of Optuna's samplers."""
        seed = seeds.integer(self._config.seed, "sampler", self._representation, index, redraw)
        memory = self._memory
        if name == "nsga2":
            # Optuna writes parents down beside the trials, and draws otherwise where it finds them:
            # a copy has none, as a resumed study has none.
            memory = optuna.create_study(directions=directions(self._config))
            memory.add_trials(self._memory.get_trials(deepcopy=False))
        memory.sampler = self._sampler(name, seed)
        trial = memory.ask(self._space.sampled)
        memory.tell(trial, state=TrialState.FAIL)
        return self._space.cell(trial.params)

    def learn(self, attempt: Attempt) -> None:
        is_of_space = self._space.has(attempt.cell)
        if attempt.cell not in self._tried:
            self._tried.add(attempt.cell)
            self._covered += is_of_space
        if not is_of_space:
            return
        self._models.change()
        if attempt.number not in self._running:
            self._begin(attempt)
        if attempt.state is State.RUNNING:
            return
        number = self._running.pop(attempt.number)
        if attempt.result is None:
            self._memory.tell(number, state=TrialState.FAIL)
        else:
            self._memory.tell(number, objective_values(self._config, attempt.result))

    def _begin(self, attempt: Attempt) -> None:
        trial = create_trial(
            state=TrialState.RUNNING,
            params=self._space.drawn(attempt.cell),
            distributions=self._space.sampled,
        )
        added = self._storage.get_trial(
            self._storage.create_new_trial(self._memory._study_id, trial)
        )
        if self._config.search.sampler == "nsga2":
            # By a study of its own: one that was asked before may have an old list of its trials.
            now = optuna.load_study(study_name=self._memory.study_name, storage=self._storage)
            self._generations.get_trial_generation(now, added)
        self._running[attempt.number] = added.number

    def _sampler(self, name: str, seed: int) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            match name:
                case "tpe":
                    return NewTPESampler(
                        self._space.sampled,
                        lambda params: self._space.cell(params) not in self._tried,
                        seed,
                        self._models,
                        len(self._running),
                    )
                case "nsga2":
                    # Uniform crossover, the default, would but repeat parents of one dimension.
                    return NSGAIISampler(
                        seed=seed,
                        population_size=self._population,
                        crossover=SBXCrossover(),
                        mutation_prob=_MUTATION,
                    )
                case "gp":
                    return GPSampler(seed=seed, n_startup_trials=1)
                case _:
                    return RandomSampler(seed=seed)
