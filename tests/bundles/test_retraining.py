"""Draws of a bundle that are trained again come out as they did, or are said not to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sweep.bundles import Bundle, Retrained, write_bundle
from sweep.bundles.contents import write_sums
from sweep.bundles.retraining import Machines, spread
from sweep.coordinator.documents import write_report
from sweep.results import DrawResult
from sweep.workspace import Workspace
from tests.bundles.test_bundle import change, nudge_accuracy
from tests.cli.process import sweep


@pytest.fixture(scope="module")
def written(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "tiny"
    write_bundle(Workspace.at(finished, {}), "tiny", out, with_encoders=False)
    return out


def a_draw(bundle: Bundle) -> DrawResult:
    found = bundle.store.draws.claimed(next(iter(bundle.draws.values())))
    assert found
    return found


def test_what_moved_and_since_when(written: Path) -> None:
    """An accuracy of the second classifier, by half a point, in the second epoch and the last."""
    bundle = Bundle.at(written)
    before = a_draw(bundle)
    first, second = before.members
    *_, last = second.val_accuracy
    changed = (second.val_accuracy[0], second.val_accuracy[1] + 0.1, last + 0.005)
    after = before.model_copy(
        update={"members": (first, second.model_copy(update={"val_accuracy": changed}))}
    )
    spec = next(iter(bundle.draws.values()))
    retrained = Retrained(spec, before, after)
    assert not retrained.is_equal
    assert retrained.moved == pytest.approx(0.005)
    assert retrained.first_epoch == 2
    again = Retrained(spec, before, before.model_copy(update={"seconds": 1e6}))
    assert again.is_equal
    assert (again.moved, again.first_epoch) == (0, None)


@pytest.mark.parametrize("count", [1, 2, 5, 16, 100])
def test_draws_are_chosen_all_over_the_bundle(written: Path, count: int) -> None:
    """None twice, in order, from its beginning to its end."""
    draws = [*Bundle.at(written).draws.values()]
    chosen = spread(draws, count)
    places = [draws.index(draw) for draw in chosen]
    assert places == sorted(set(places))
    assert len(places) == min(count, len(draws))
    widest = max(b - a for a, b in zip([-1, *places], [*places, len(draws)], strict=True))
    assert widest <= len(draws) / len(places) + 1


def test_a_machine_of_the_same_kind_is_recognized(written: Path) -> None:
    """By processor, system and versions; another TensorFlow is another kind."""
    bundle = Bundle.at(written)
    assert Machines.of(bundle).are_alike
    (environment,) = bundle.study.environments
    packages = {**environment["packages"], "tensorflow": "2.0.0"}
    study = bundle.study.model_copy(
        update={"environments": ({**environment, "packages": packages},)}
    )
    machines = Machines.of(Bundle(bundle.root, bundle.config, study))
    assert not machines.are_alike
    assert "tensorflow 2.0.0" in machines.there[0].said
    assert "tensorflow 2.0.0" not in machines.here.said


@pytest.mark.slow
def test_draws_are_equal_to_the_last_bit_when_trained_again(written: Path, tmp_path: Path) -> None:
    """With their encoders, in a home that is thrown away."""
    home = tmp_path / "home"
    done = sweep("verify", written, "--retrain", 3, "--format", "json", "--home", home)
    assert done.returncode == 0, done.stderr
    retrained = json.loads(done.stdout)["retrained"]
    assert [each["is_equal"] for each in retrained] == [True] * 3
    assert not home.exists()


def test_nothing_is_trained_again_of_a_bundle_that_was_changed(
    written: Path, tmp_path: Path
) -> None:
    """What it would be held against is not what was written; that is said."""
    bundle = Path(shutil.copytree(written, tmp_path / "bundle"))
    (bundle / "report.csv").unlink()
    done = sweep("verify", bundle, "--retrain", 1, "--home", tmp_path / "home")
    assert done.returncode == 1
    assert "Nothing was trained again" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("cpu", [None, "another"], ids=["same kind", "another kind"])
def test_draws_that_were_made_up_are_found_by_training_them_again(
    written: Path, tmp_path: Path, cpu: str | None
) -> None:
    """With seals and a report that agree with them. On another kind of machine bits may differ, so
    that it is said, with both machines, and is no error.
    """
    root = Path(shutil.copytree(written, tmp_path / "bundle"))
    for path in (root / "draws").iterdir():
        change(path, nudge_accuracy, sealed=True)
    if cpu:
        content = json.loads((root / "study.json").read_text())
        for environment in content["environments"]:
            environment["cpu"] = cpu
        (root / "study.json").write_text(json.dumps(content))
    bundle = Bundle.at(root)
    write_report([bundle.document(bundle.recorded())], root)
    write_sums(root)
    done = sweep("verify", root, "--retrain", 1, "--home", tmp_path / "home")
    assert "Every number agrees" in done.stdout
    assert "0.1 points" in done.stdout
    assert done.returncode == (0 if cpu else 1), done.stderr
    here = Machines.of(bundle).here.cpu
    assert f"Trained again on: {here}" in done.stdout
    assert f"The study ran on: {cpu or here}" in done.stdout


@pytest.mark.slow
def test_a_home_takes_the_draws_of_a_bundle(
    written: Path, tiny_config: Path, tmp_path: Path
) -> None:
    """It has the layout of a home: whoever copies its draws into one trains none of them again."""
    home = tmp_path / "home"
    (home / "draws").mkdir(parents=True)
    for draw in (written / "draws").iterdir():
        (home / "draws" / draw.name).write_bytes(draw.read_bytes())
    kept = {path.name: path.stat().st_mtime_ns for path in (home / "draws").iterdir()}
    done = sweep("run", tiny_config, "--home", home, "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert {path.name: path.stat().st_mtime_ns for path in (home / "draws").iterdir()} == kept
