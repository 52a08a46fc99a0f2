"""A study: what comes next, after whatever happened before, on real storage."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from sweep.config import Cell, parse_config
from sweep.errors import StudyChangedError, UnknownStudyError
from sweep.representations.vae import Vae
from sweep.search.attempt import Attempt, Cause, State
from sweep.search.ledger import Ledger
from sweep.search.seals import sealed
from sweep.search.space import directions
from sweep.search.storage import open_storage
from sweep.search.study import Study
from tests.search.builders import FACTS, SAMPLERS, begin, complete, config, fail, failure, result


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/optuna.db"


def run_to_end(study: Study, most: int = 1000) -> list[Attempt]:
    """Complete every attempt as soon as it begins."""
    done: list[Attempt] = []
    while len(done) < most and (attempt := begin(study)) is not None:
        done.append(complete(study, attempt, result(attempt)))
    return done


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_representation_gets_its_trials(url: str, sampler: str) -> None:
    """The configured numbers, never a cell twice, rows first; Optuna's own tools see the same."""
    rows = [{"representation": "pixels", "hidden_neurons": 5}]
    study = Study(open_storage(url), config(sampler, rows, vae=9, pixels=6), FACTS)
    done = run_to_end(study)
    assert done[0].cell == Cell(representation="pixels", hidden_neurons=5)
    assert Counter(a.cell.representation for a in done) == {"vae": 9, "pixels": 7}
    assert len({attempt.cell for attempt in done}) == 16
    assert study.progress.complete == study.progress.target == 16
    seen = optuna.load_study(study_name="study", storage=url)
    assert len(seen.trials) == 16
    assert [trial.values for trial in seen.trials] == [
        [result(a).accuracy, result(a).classifier_parameters] for a in done
    ]
    assert {trial.params["representation"] for trial in seen.trials} == {"vae", "pixels"}
    assert seen.metric_names == ["accuracy", "classifier_parameters"]


@pytest.mark.filterwarnings("error")
def test_a_study_of_an_older_version_gets_names_for_its_objectives(url: str) -> None:
    """Once, when it goes on; nothing that is sealed changes by it."""
    storage = open_storage(url)
    run_to_end(Study(storage, config(vae=2), FACTS))
    study_id = storage.get_study_id_from_name("study")
    storage.set_study_system_attr(study_id, "study:metric_names", None)  # as if never named
    sealed = storage.get_study_user_attrs(study_id)
    study = Study(storage, config(vae=3), FACTS)
    assert len(run_to_end(study)) == 1
    names = storage.get_study_system_attrs(study_id)["study:metric_names"]
    assert names == ["accuracy", "classifier_parameters"]
    after = storage.get_study_user_attrs(study_id)
    assert {name: after[name] for name in sealed if name != "config"} == {
        name: value for name, value in sealed.items() if name != "config"
    }
    assert len(Ledger(storage, "study").attempts()) == 3


def test_what_is_left_to_us_is_decided_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study keeps what it began with when a later version would decide otherwise."""
    auto = config(vae=2, precision="auto")
    for _ in range(2):
        study = Study(open_storage(url), auto, FACTS)
        begun = begin(study)
        assert begun is not None
        assert begun.spec.representation.settings["precision"] == "float32"
        complete(study, begun, result(begun))
        monkeypatch.setattr(Vae, "automatic", {"precision": "bfloat16"})
    assert Study(open_storage(url), config(vae=2), FACTS).progress.complete == 2
    other = begin(Study(open_storage(f"{url}.other"), auto, FACTS))
    assert other is not None
    assert other.spec.representation.settings["precision"] == "bfloat16"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_used_up_space_ends_the_search(url: str, sampler: str) -> None:
    """Every cell exactly once; the study then says which space is used up, and misses nothing."""
    study = Study(open_storage(url), config(sampler, vae=40), FACTS)
    done = run_to_end(study)
    assert len({attempt.cell for attempt in done}) == len(done) == 24
    assert study.exhausted == ["vae"]
    assert study.shortfall == 0


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_resumed_study_goes_on_as_if_it_had_not_stopped(tmp_path: Path, sampler: str) -> None:
    """The cells of an interrupted study are those of an uninterrupted one, in the same order."""
    whole = Study(open_storage(f"sqlite:///{tmp_path}/whole.db"), config(sampler, vae=14), FACTS)
    expected = [attempt.cell for attempt in run_to_end(whole)]
    cells = []
    for _ in range(7):
        storage = open_storage(f"sqlite:///{tmp_path}/parts.db")
        part = Study(storage, config(sampler, vae=14), FACTS)
        cells += [attempt.cell for attempt in run_to_end(part, most=2)]
    assert cells == expected


@pytest.mark.parametrize("sampler", ["grid", "qmc"])
def test_a_sequence_is_the_same_however_it_is_cut(url: str, sampler: str) -> None:
    """More trials go on with the sequence that a longer study would have had from the start."""
    whole = Study(open_storage(url), config(sampler, vae=24), FACTS)
    expected = [attempt.cell for attempt in run_to_end(whole)]
    url += ".parts"
    cells = []
    for trials in (5, 11, 24):
        study = Study(open_storage(url), config(sampler, vae=trials), FACTS)
        cells += [attempt.cell for attempt in run_to_end(study)]
    assert cells == expected


def test_a_bound_on_parameters_is_kept(url: str) -> None:
    """No cell beyond it is searched, Optuna is told, and a row beyond it is never the best."""
    rows = [{"representation": "vae", "latent_dim": 8, "hidden_neurons": 10}]  # 200 parameters
    bounded = config("tpe", rows, {"max_parameters": 100}, vae=24)
    study = Study(open_storage(url), bounded, FACTS)
    done = run_to_end(study)
    assert {(a.cell.latent_dim, a.cell.hidden_neurons) for a in done[1:]} == {
        (d, h) for d in (2, 4, 8) for h in range(3, 11) if (d + 1) * h + (h + 1) * 10 <= 100
    }
    assert study.exhausted == ["vae"]
    assert study.shortfall == 0
    trials = optuna.load_study(study_name="study", storage=url).trials
    assert trials[0].constraints == {"max_parameters": 100.0}
    assert all(trial.constraints["max_parameters"] <= 0 for trial in trials[1:])
    assert study.best is not None
    assert study.best.number != 0


def test_one_objective_has_a_best(url: str) -> None:
    """By that objective, in its direction; Optuna names the same trial."""
    single = config("tpe", search={"objectives": ["classifier_parameters"]}, vae=6)
    study = Study(open_storage(url), single, FACTS)
    done = run_to_end(study)
    assert study.best is not None
    assert study.best.result is not None
    assert study.best.result.classifier_parameters == min(
        result(attempt).classifier_parameters for attempt in done
    )
    seen = optuna.load_study(study_name="study", storage=url)
    assert seen.best_value == study.best.result.classifier_parameters


def test_what_was_interrupted_runs_again(url: str) -> None:
    """An attempt left running is recorded as interrupted, and its spec comes first, as the next."""
    cells = config(vae=3)
    lost = begin(Study(open_storage(url), cells, FACTS))
    assert lost is not None
    study = Study(open_storage(url), cells, FACTS)
    assert [attempt.state for attempt in study.attempts] == [State.INTERRUPTED]
    again = begin(study)
    assert again is not None
    assert (again.cell, again.spec.key, again.attempt) == (lost.cell, lost.spec.key, 2)
    complete(study, again, result(again))
    run_to_end(study)
    states = Counter(t.state for t in optuna.load_study(study_name="study", storage=url).trials)
    assert states == {TrialState.COMPLETE: 3, TrialState.FAIL: 1}


def test_a_result_that_was_stored_but_not_told_is_kept(url: str) -> None:
    """A coordinator killed between storing and telling loses nothing."""
    storage = open_storage(url)
    attempt = begin(Study(storage, config(pixels=1), FACTS))
    assert attempt is not None
    trial = optuna.load_study(study_name="study", storage=url).trials[0]
    storage.set_trial_user_attr(trial._trial_id, "result", result(attempt).model_dump(mode="json"))
    study = Study(open_storage(url), config(pixels=1), FACTS)
    assert begin(study) is None
    assert study.progress.complete == 1
    (told,) = optuna.load_study(study_name="study", storage=url).trials
    assert told.state is TrialState.COMPLETE
    assert told.values == [result(attempt).accuracy, result(attempt).classifier_parameters]


def test_an_interrupted_spec_is_tried_again_and_a_given_up_one_is_not(url: str) -> None:
    """Interruptions do not count; one that kept killing its workers makes room for another cell."""
    causes = [Cause.INTERRUPTED, Cause.INTERRUPTED, Cause.WORKER_DIED]
    study = Study(open_storage(url), config(pixels=5), FACTS)
    tried = []
    for number, cause in enumerate(causes, start=1):
        attempt = begin(study)
        assert attempt is not None
        assert attempt.attempt == number
        tried.append(fail(study, attempt, failure(cause)).cell)
    assert len(set(tried)) == 1
    run_to_end(study)
    assert study.progress.complete == 5
    assert study.progress.failed == 1
    assert study.shortfall == 0


@pytest.mark.parametrize("cause", [Cause.DIVERGED, Cause.TIMED_OUT, Cause.ERROR])
def test_a_failed_configuration_is_replaced_and_never_tried_again(url: str, cause: Cause) -> None:
    """The target counts completed trials; a search that only fails gives up."""
    study = Study(open_storage(url), config(pixels=4), FACTS)
    failed = begin(study)
    assert failed is not None
    fail(study, failed, failure(cause))
    done = run_to_end(study)
    assert len(done) == 4
    assert failed.cell not in {attempt.cell for attempt in done}


def test_a_search_that_only_fails_gives_up(url: str) -> None:
    """As many failures as trials were asked for end it, and the shortfall is said."""
    study = Study(open_storage(url), config(pixels=4, vae=1), FACTS)
    while (attempt := begin(study)) is not None:
        fail(study, attempt, failure(Cause.DIVERGED))
    failed = Counter(attempt.cell.representation for attempt in study.attempts)
    assert failed == {"pixels": 4, "vae": 3}
    assert study.shortfall == 5


def test_a_search_trains_what_it_finds_with_every_label_budget(url: str) -> None:
    """It learns from the largest; a resumed study goes on with the budgets that are missing."""
    searched = config("tpe", [{"representation": "pixels", "hidden_neurons": 5}], vae=4)
    budgets = searched.model_copy(update={"labels": (100, "all", 20)})
    begun = run_to_end(Study(open_storage(url), budgets, FACTS), most=6)
    study = Study(open_storage(url), budgets, FACTS)
    done = begun + run_to_end(study)
    found = Counter((a.cell.representation, a.cell.hidden_neurons, a.cell.latent_dim) for a in done)
    assert (len(found), set(found.values())) == (5, {3})
    assert len({attempt.spec.key for attempt in done}) == 15
    assert study.progress.complete == study.progress.target == 15
    assert study.shortfall == 0
    plain = run_to_end(Study(open_storage(f"{url}2"), searched, FACTS))
    leading = [attempt.cell for attempt in done if attempt.cell.label_budget is None]
    assert leading == [attempt.cell for attempt in plain]


def test_a_failed_row_is_not_replaced(url: str) -> None:
    """A row has no substitute: it is missing."""
    rows = [{"representation": "pixels", "hidden_neurons": n} for n in (5, 6)]
    study = Study(open_storage(url), config(rows=rows), FACTS)
    first = begin(study)
    assert first is not None
    fail(study, first, failure(Cause.DIVERGED))
    assert len(run_to_end(study)) == 1
    assert study.shortfall == 1


def test_rows_added_later_count_what_the_search_has_tried(url: str) -> None:
    """A row that the search happened to try is done; the search tries another cell instead."""
    study = Study(open_storage(url), config(pixels=3), FACTS)
    tried = run_to_end(study)[1].cell
    row = {"representation": "pixels", "hidden_neurons": tried.hidden_neurons}
    study = Study(open_storage(url), config(rows=[row], pixels=3), FACTS)
    (extra,) = run_to_end(study)
    assert extra.cell != tried
    assert study.progress.complete == study.progress.target == 4


def test_encoders_to_come_are_those_of_the_space(url: str) -> None:
    """A row outside of it has one of its own, which is none of those that the search asks for."""
    rows = [
        {"representation": "vae", "latent_dim": dims, "hidden_neurons": 3} for dims in (2, 30, 40)
    ]
    study = Study(open_storage(url), config(rows=rows, vae=20), FACTS)
    assert study.upcoming()["vae"] == (23, 5)  # 2, 4 and 8 of the space, and 30 and 40
    for _ in rows:
        attempt = begin(study)
        assert attempt is not None
        complete(study, attempt, result(attempt))
    assert study.upcoming()["vae"] == (20, 2)


def test_a_search_is_not_added_to_rows_that_were_scored_on_the_test_partition(url: str) -> None:
    """Its rows and its trials would be scored on different partitions, and teach it of both."""
    storage = open_storage(url)
    rows = [{"representation": "pixels", "hidden_neurons": 1}]
    Study(storage, config(rows=rows), FACTS)
    Study(storage, config(rows=[*rows, {"representation": "pixels", "hidden_neurons": 2}]), FACTS)
    with pytest.raises(StudyChangedError, match="scored on the test partition"):
        Study(storage, config(rows=rows, pixels=3), FACTS)


def test_a_changed_config_is_refused(url: str) -> None:
    """With what changed; more trials and more rows go on from what is there."""
    storage = open_storage(url)
    Study(storage, config(pixels=3), FACTS)
    Study(
        storage, config(pixels=4, rows=[{"representation": "pixels", "hidden_neurons": 1}]), FACTS
    )
    with pytest.raises(StudyChangedError, match=r"representations\.pixels\.trials: 4 became 2"):
        Study(
            storage,
            config(pixels=2, rows=[{"representation": "pixels", "hidden_neurons": 1}]),
            FACTS,
        )
    with pytest.raises(StudyChangedError, match="rows"):
        Study(storage, config(pixels=4), FACTS)
    with pytest.raises(StudyChangedError, match=r"search\.sampler: random became tpe"):
        Study(storage, config("tpe", pixels=4), FACTS)
    gpus = {"engine": "ray", "ray": {"gpus_per_draw": 1}}
    on_gpus = parse_config(config(pixels=4).identity | {"execution": gpus}, "on GPUs")
    with pytest.raises(StudyChangedError, match=r"gpus_per_draw: \(not set\) became 1"):
        Study(storage, on_gpus, FACTS)
    other = FACTS.model_copy(update={"sha256": "1" * 64})
    rows = [{"representation": "pixels", "hidden_neurons": 1}]
    with pytest.raises(StudyChangedError, match="dataset's content"):
        Study(storage, config(pixels=4, rows=rows), other)


def test_a_study_of_an_older_version_goes_on(url: str) -> None:
    """Its stored rows lack the keys that came later; added rows are still seen as added."""
    storage = open_storage(url)
    rows: list[dict[str, object]] = [
        {"representation": "pixels", "hidden_neurons": n} for n in (1, 2)
    ]
    Study(storage, config(rows=rows), FACTS)
    ledger = Ledger(storage, "study")
    stored = ledger.config
    assert stored is not None
    for row in stored["rows"]:
        del row["labels_from"], row["classifier"]
    del stored["representations"]["vae"]["optimizer"]
    ledger.set_config(stored, FACTS)
    few = {"representation": "pixels", "hidden_neurons": 2, "labels_from": "classifier"}
    study = Study(storage, config(rows=[*rows, few]), FACTS)
    assert [attempt.spec.labels_from for attempt in run_to_end(study)] == [
        "encoder",
        "encoder",
        "classifier",
    ]
    with pytest.raises(StudyChangedError, match="rows"):
        Study(storage, config(rows=rows), FACTS)


def test_a_row_that_trains_otherwise_is_no_cell_of_the_space(url: str) -> None:
    """The search still tries the cell itself."""
    space = [{"representation": "pixels", "hidden_neurons": n, "labels_from": "classifier"}
             for n in range(1, 13)]  # fmt: skip
    study = Study(open_storage(url), config(rows=space, pixels=12), FACTS)
    assert len(run_to_end(study)) == 24


@pytest.mark.parametrize("written", [(), ("data",)])
def test_a_study_whose_creation_was_cut_short_goes_on(url: str, written: tuple[str, ...]) -> None:
    """After any of the steps that come before its config, and it is not taken for another's."""
    storage = open_storage(url)
    study_id = storage.create_new_study(directions(config()), "study")
    for name in written:
        storage.set_study_user_attr(study_id, name, sealed(FACTS.model_dump(mode="json")))
    assert not Ledger(storage, "study").is_another_program_s
    assert len(run_to_end(Study(storage, config(pixels=2), FACTS))) == 2


def test_an_unknown_study_is_said_to_be_so(url: str) -> None:
    """With the studies that there are."""
    storage = open_storage(url)
    Study(storage, config(), FACTS)
    with pytest.raises(UnknownStudyError, match="there is no study 'other'") as raised:
        Ledger(storage, "other")
    assert raised.value.hint == "the home has study"


def test_trials_of_other_programs_are_left_alone(url: str) -> None:
    """What someone adds with Optuna's own tools neither counts nor disturbs."""
    storage = open_storage(url)
    Study(storage, config(pixels=2), FACTS)
    optuna.load_study(study_name="study", storage=url).ask()
    study = Study(storage, config(pixels=2), FACTS)
    assert len(run_to_end(study)) == 2
    assert study.progress.complete == 2


def test_another_program_may_add_trials_meanwhile(url: str) -> None:
    """Attempts have the numbers that they have in the storage, and each cell is tried once."""
    study = Study(open_storage(url), config(pixels=5), FACTS)
    attempts = study.begin(1)
    optuna.load_study(study_name="study", storage=url).ask()
    attempts += study.begin(2)
    assert [attempt.number for attempt in attempts] == [0, 2, 3]
    study.end([each.model_copy(update={"result": result(each)}) for each in attempts])
    run_to_end(study)
    assert study.progress.complete == 5
    assert len({attempt.cell for attempt in study.attempts}) == 5
    again = Study(open_storage(url), config(pixels=5), FACTS)
    assert again.attempts == study.attempts
