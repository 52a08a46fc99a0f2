"""A bundle holds all that a study's numbers rest on; whoever changes one of them is found out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sweep.artifacts import ArtifactStore
from sweep.bundles import Bundle, verify, write_bundle
from sweep.bundles.contents import SUMS, write_sums
from sweep.coordinator.documents import report_texts
from sweep.errors import HomeError, InputError
from sweep.home import Home
from sweep.reports import render
from sweep.reports.charts import charts
from sweep.reports.excerpt import excerpt, with_excerpts
from sweep.values import json_checksum
from sweep.workspace import Workspace
from tests.cli.process import REPORT_FILES, TARGET, sweep

CONTENTS = REPORT_FILES | {"SHA256SUMS", "study.json", "requirements.lock"}


@pytest.fixture(scope="module")
def written(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished study's bundle; to be read only."""
    out = tmp_path_factory.mktemp("bundles") / "tiny"
    verified = write_bundle(Workspace.at(finished, {}), "tiny", out, with_encoders=False)
    assert not verified.discrepancies
    return out


@pytest.fixture
def bundle(written: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def change(path: Path, edit: Callable[[Any], None], *, sealed: bool) -> None:
    """Edit a draw or an assessment; with a checksum that fits again, or the old one."""
    content = json.loads(path.read_text())
    edit(content["result"])
    if sealed:
        content["sha256"] = json_checksum(content["result"])
    path.write_text(json.dumps(content))


def nudge_accuracy(result: dict[str, Any]) -> None:
    """Change the third digit of the first classifier's accuracy after the last epoch."""
    result["members"][0]["val_accuracy"][-1] += 0.001


def test_what_a_bundle_holds(written: Path, finished: Path) -> None:
    """The report in every form, what it rests on, and no weights: a few megabytes of text."""
    assert {path.name for path in written.iterdir() if path.is_file()} == CONTENTS
    draws = {path.name for path in (written / "draws").iterdir()}
    assert draws == {path.name for path in (finished / "draws").iterdir()}
    assert not (written / "encoders").exists()
    assert sum(path.stat().st_size for path in written.rglob("*") if path.is_file()) < 4e6
    locked = (written / "requirements.lock").read_text().splitlines()
    assert {"latent-sweep", "tensorflow", "optuna"} <= {line.partition("==")[0] for line in locked}


def test_every_number_follows_from_the_draws(written: Path) -> None:
    """Those of the report, hundreds of them; none is taken from what is to be verified."""
    verified = verify(written)
    assert not verified.discrepancies
    assert (verified.complete, verified.target, verified.rows) == (TARGET, TARGET, TARGET)
    assert verified.draws == 2 * TARGET
    assert verified.numbers > 300
    assert "accuracy" not in (written / "study.json").read_text().replace("val_accuracy", "")


def test_excerpts_in_pages_are_held_against_the_report(bundle: Path) -> None:
    """In the README and the manual of the project that it lies in; others are not looked at."""
    report = Bundle.at(bundle).document(Bundle.at(bundle).recorded()).report
    root, chart = bundle.parent, "accuracy_vs_latent_dim"
    page, manual = root / "README.md", root / "docs/results.md"
    manual.parent.mkdir()
    page.write_text("# About\n\n<!-- begin: bundle accuracy_vs_parameters -->\n<!-- end -->\n")
    manual.write_text(f"<!-- begin: ../bundle {chart} -->\n<!-- end -->\n<!-- begin: x y -->\n")
    assert [each.place for each in verify(bundle).discrepancies] == [
        f"{page}, line 4",
        f"{manual}, line 2",
    ]
    for each in (page, manual):
        text = with_excerpts(each.read_text(), lambda it: excerpt(report, it.path, it.chart))
        each.write_text(text)
    assert f'src="../bundle/{chart}.png"' in manual.read_text()
    done = sweep("verify", bundle)
    assert done.returncode == 0, done.stderr
    assert "README.md shows of it" in done.stdout.replace("\n", " ")
    (root / "docs/other.md").mkdir()  # what cannot be read shows nothing
    shown = f"{100 * report.rows[0].accuracy:.2f}"
    page.write_text(page.read_text().replace(shown, "12.34"))
    (wrong,) = verify(bundle).discrepancies
    assert wrong.place.startswith(f"{page}, line ")
    assert "12.34" in wrong.written
    assert shown in wrong.found


def test_the_list_of_files_is_one_that_others_can_check(written: Path) -> None:
    """By the program that every Linux has."""
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", SUMS], cwd=written, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize("place", range(0, 2 * TARGET, 5))
@pytest.mark.parametrize("hidden", [False, True], ids=["as it is", "with new checksums"])
def test_a_changed_digit_of_a_draw_is_named(bundle: Path, place: int, hidden: bool) -> None:
    """The row, the number as the bundle says it, and as it follows from the draw."""
    draw = [*Bundle.at(bundle).draws.values()][place]
    path = bundle / f"draws/{draw.key}.json"
    before = json.loads(path.read_text())["result"]["members"][0]["val_accuracy"][-1]
    change(path, nudge_accuracy, sealed=hidden)
    if hidden:
        write_sums(bundle)
    wrong = verify(bundle).discrepancies
    which = f": replicates: draw {draw.draw + 1}, classifier 1"
    values = {(each.written, each.found) for each in wrong if each.place.endswith(which)}
    assert values == {(str(before), str(before + 0.001))}
    named = {each.place for each in wrong if each.place.endswith(" labels: accuracy")}
    assert named == {f"{draw.trial.label}, 1,000 labels: accuracy"}
    unsealed = {each.place for each in wrong if each.place == f"draws/{draw.key}.json"}
    assert bool(unsealed) is not hidden


def test_the_command_says_which_number_is_wrong(bundle: Path) -> None:
    """On stdout, with an exit status that is not 0; and all is well before."""
    assert sweep("verify", bundle).returncode == 0
    draw = next(iter(Bundle.at(bundle).draws.values()))
    change(bundle / f"draws/{draw.key}.json", nudge_accuracy, sealed=False)
    done = sweep("verify", bundle)
    assert done.returncode == 1
    assert f"{draw.trial.label}, 1,000 labels: accuracy\n  written: 0." in done.stdout
    assert "do not agree" in done.stderr
    found = json.loads(sweep("verify", bundle, "--format", "json").stdout)["discrepancies"]
    assert {"place", "written", "found"} == found[0].keys()


@pytest.mark.parametrize(
    "name", [f"report.{form}" for form in ("json", "csv", "md", "tex", "html")]
)
def test_a_changed_digit_of_the_report_is_named(bundle: Path, name: str) -> None:
    """In whichever of its forms, also when the list of files was made anew."""
    path = bundle / name
    text = path.read_text()
    in_a_cell = r"\d(?=,)" if name == "report.json" else r"\d(?=\d{0,3}\s*(\||,|&|%|<))"
    digit = re.search(in_a_cell, text)
    assert digit
    other = "1" if digit[0] != "1" else "2"
    path.write_text(text[: digit.start()] + other + text[digit.end() :])
    write_sums(bundle)
    wrong = verify(bundle).discrepancies
    assert wrong
    assert name == "report.json" or {each.place.partition(",")[0] for each in wrong} == {name}


def test_a_draw_that_stands_in_for_another_is_found(bundle: Path) -> None:
    """Though it is a whole file of its kind, and in the list."""
    first, second, *_ = Bundle.at(bundle).draws.values()
    shutil.copy(bundle / f"draws/{first.key}.json", bundle / f"draws/{second.key}.json")
    write_sums(bundle)
    with pytest.raises(InputError, match=f"{second.key}.json is not there, or not what"):
        verify(bundle)


def test_an_assessment_that_was_changed_is_found(bundle: Path) -> None:
    """By its own row, and by the file."""
    path = next((bundle / "assessments").iterdir())

    def nudge(result: dict[str, Any]) -> None:
        result["accuracies"][0][0] += 0.001

    change(path, nudge, sealed=False)
    places = {each.place for each in verify(bundle).discrepancies}
    assert f"assessments/{path.name}" in places
    assert any(place.endswith(": test_accuracy") for place in places)


@pytest.mark.parametrize("name", ["study.json", "config.yaml", "report.json", SUMS, "draws"])
@pytest.mark.parametrize("damage", ["removed", "cut short", "a directory"])
def test_what_cannot_be_read_is_said(bundle: Path, name: str, damage: str) -> None:
    """By its name, as an error of the user's or among what does not agree."""
    path = next((bundle / "draws").iterdir()) if name == "draws" else bundle / name
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.unlink()
    if damage == "cut short":
        path.write_bytes(half)
    elif damage == "a directory":
        path.mkdir()
    try:
        said = " ".join(each.place for each in verify(bundle).discrepancies)
    except InputError as error:
        said = error.message
    # A list that was cut short lists no report.
    assert path.name in said or (name == SUMS and "report" in said)


def test_a_directory_without_a_bundle_is_refused(tmp_path: Path) -> None:
    """And nothing is written over what is no bundle."""
    with pytest.raises(InputError, match="is no bundle"):
        verify(tmp_path)


def test_a_bundle_replaces_an_older_one_and_nothing_else(
    finished: Path, bundle: Path, tmp_path: Path
) -> None:
    """A file of the user's among its files, or a directory of theirs, stays."""
    workspace = Workspace.at(finished, {})
    write_bundle(workspace, "tiny", bundle, with_encoders=False)
    (bundle / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt"):
        write_bundle(workspace, "tiny", bundle, with_encoders=False)
    assert (bundle / "notes.txt").read_text() == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.tex").touch()
    with pytest.raises(InputError, match=r"thesis\.tex"):
        write_bundle(workspace, "tiny", tmp_path / "other", with_encoders=False)


def test_a_home_without_a_draw_makes_no_bundle(copy: Path, tmp_path: Path) -> None:
    """A bundle whose numbers nobody can work out would be worth nothing."""
    next((copy / "draws").iterdir()).unlink()
    with pytest.raises(HomeError, match="lacks"):
        write_bundle(Workspace.at(copy, {}), "tiny", tmp_path / "out", with_encoders=False)
    assert not (tmp_path / "out").exists()


def test_encoders_go_in_where_they_are_asked_for(finished: Path, tmp_path: Path) -> None:
    """Whole, as the home had them; and the home that lacks one is told."""
    out = tmp_path / "out"
    write_bundle(Workspace.at(finished, {}), "tiny", out, with_encoders=True)
    bundle, bundled = Bundle.at(out), ArtifactStore(Home(out))
    assert bundle.study.encoders
    assert all(bundled.encoders.is_whole(record.spec.key) for record in bundle.study.encoders)
    assert not verify(out).discrepancies


def test_encoders_that_are_gone_are_said(copy: Path, tmp_path: Path) -> None:
    """With what to do; without weights, the same study can be bundled."""
    shutil.rmtree(next((copy / "encoders").iterdir()))
    workspace = Workspace.at(copy, {})
    with pytest.raises(HomeError, match="does not have the encoder"):
        write_bundle(workspace, "tiny", tmp_path / "out", with_encoders=True)
    assert not write_bundle(workspace, "tiny", tmp_path / "out", with_encoders=False).discrepancies


def test_the_report_of_a_bundle_is_the_study_s(written: Path, finished: Path) -> None:
    """Not one of its own: what the home's own command writes, but for Optuna's figures."""
    bundle = Bundle.at(written)
    document = bundle.document(bundle.recorded())
    done = sweep("report", "tiny", "--home", finished, "--format", "json")
    assert render.to_json([document.report]) == done.stdout
    assert (
        report_texts([document], charts([document.report]))["report.md"]
        == (written / "report.md").read_text()
    )
