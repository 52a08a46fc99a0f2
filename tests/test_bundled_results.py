"""What the project says it found can be worked out again from what it ships.

``uv run python -m tests.test_bundled_results`` writes the reports of the results anew, where only
how they are written has changed.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from sweep.bundles import Bundle, verify
from sweep.bundles.contents import write_sums
from sweep.config import load_config
from sweep.coordinator.documents import write_report
from sweep.reports import render
from tests.cli.process import sweep
from tests.test_results import remove_pictures

ROOT = Path(__file__).parent.parent
BUNDLES = sorted(path.parent for path in (ROOT / "results").glob("*/SHA256SUMS"))
_ROW = re.compile(r"^    (\S+( \d+)? → .*)$", re.M)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_every_number_agrees(bundle: Path) -> None:
    """Of every result in the repository, by the command that a reader would type."""
    done = sweep("verify", bundle)
    assert done.returncode == 0, done.stdout
    assert "Every number agrees" in done.stdout


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_a_changed_digit_is_named(bundle: Path, tmp_path: Path) -> None:
    """One digit of one draw: the row, the number, and the file."""
    copied = Path(shutil.copytree(bundle, tmp_path / bundle.name))
    draws = [*Bundle.at(copied).draws.values()]
    draw = draws[len(draws) // 2]
    path = copied / f"draws/{draw.key}.json"
    content = json.loads(path.read_text())
    content["result"]["members"][0]["val_accuracy"][-1] += 0.01
    path.write_text(json.dumps(content))
    places = [each.place for each in verify(copied).discrepancies]
    assert f"draws/{draw.key}.json" in places
    which = rf"^{re.escape(draw.trial.label)}, .*: replicates: draw {draw.draw + 1}, classifier 1$"
    assert any(re.match(which, place) for place in places)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_a_result_is_of_a_config_that_ships(bundle: Path) -> None:
    """With every trial that it asks for: what a shipped config promises was run to its end."""
    shipped = load_config(ROOT / f"study_configs/{bundle.name}.yaml")
    assert Bundle.at(bundle).config.identity == shipped.identity
    verified = verify(bundle)
    assert verified.complete == verified.target


def test_the_readme_shows_what_the_quickstart_prints() -> None:
    """Its lines are those of the result that ships, as a terminal of 80 columns has them."""
    bundle = Bundle.at(ROOT / "results/quickstart")
    console = Console(width=80, file=io.StringIO())
    console.print(render.to_table([bundle.document(bundle.recorded()).report]))
    assert isinstance(console.file, io.StringIO)
    printed = {line.rstrip() for line in console.file.getvalue().splitlines()}
    shown = [row for row, _ in _ROW.findall((ROOT / "README.md").read_text())]
    assert len(shown) >= 3
    assert set(shown) <= printed


if __name__ == "__main__":
    for each in map(Bundle.at, BUNDLES):
        remove_pictures(each.root)
        write_report([each.document(each.recorded())], each.root)
        write_sums(each.root)
