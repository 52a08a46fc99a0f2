"""The manual's notebook: it runs from beginning to end, and what it shows is what a run gives.

``uv run python -m tests.test_notebook`` executes it and writes its outputs anew.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from tests.cli.process import environment

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "docs/first_study.ipynb"
CONFIG = ROOT / "study_configs/quickstart.yaml"


def committed() -> Any:
    """The notebook as it is."""
    return nbformat.read(NOTEBOOK, as_version=4)


def executed(directory: Path) -> Any:
    """The notebook as it is after a run in a directory, where what it needs lies beside it."""
    docs = directory / "docs"
    docs.mkdir()
    (directory / CONFIG.parent.name).mkdir()
    shutil.copy(CONFIG, directory / CONFIG.parent.name)
    notebook = committed()
    nbclient.NotebookClient(
        notebook,
        timeout=1200,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(docs)}},
    ).execute(env=environment())
    return notebook


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(cell: Any) -> set[str]:
    """What a cell shows, as MIME types; what it says depends on the machine."""
    found: set[str] = set()
    for output in cell.outputs:
        assert output.output_type != "error", output.traceback
        found |= set(output.get("data", ()))
    return found


def test_it_was_executed_from_beginning_to_end() -> None:
    """In the order of its cells, without an error; the plot is among what it shows."""
    cells = code_cells(committed())
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert ("image/png" in kinds(cell)) == cell.source.endswith(";")
    assert "sweep.run(" in cells[0].source
    assert any("study.plot()" in cell.source for cell in cells)


def test_it_is_small_and_says_nothing_of_where_it_ran() -> None:
    """Nobody waits for it, and it holds no path, no host and no version of a machine."""
    text = NOTEBOOK.read_text()
    assert len(text) < 300_000
    assert not re.search(r"/(?:work|tmp|root|home|Users)/|site-packages|localhost", text)
    assert set(committed().metadata) == {"kernelspec", "language_info"}


def test_its_links_lead_somewhere() -> None:
    """Those to other pages of the manual, which lie beside it."""
    text = "\n".join(cell.source for cell in committed().cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert links
    assert [link for link in links if not (NOTEBOOK.parent / link).exists()] == []


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_it_runs(tmp_path: Path) -> None:
    """From the config to the plot, on real digits; each cell shows what it shows in the manual."""
    found = executed(tmp_path)
    assert [kinds(cell) for cell in code_cells(found)] == [
        kinds(cell) for cell in code_cells(committed())
    ]
    (shown,) = (o for o in code_cells(found)[0].outputs if o.output_type == "execute_result")
    assert shown.data["text/plain"] == "<study first_study: 16 of 16 trials complete>"


def _write_anew() -> None:
    with tempfile.TemporaryDirectory() as directory:
        notebook = executed(Path(directory))
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number}", {}
    for cell in code_cells(notebook)[1:]:  # TensorFlow says which devices it does not find
        cell.outputs = [output for output in cell.outputs if output.output_type != "stream"]
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    _write_anew()
