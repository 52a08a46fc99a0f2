"""The report as an HTML page; ``tests/browser`` opens one."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import plotly.offline
import pytest

import sweep.reports
from sweep.reports.charts import charts
from sweep.reports.page import to_html
from sweep.reports.rows import Measured
from tests.builders import study_report, trial_result, trial_spec

REPORT = study_report([Measured(trial_spec(), trial_result([[0.95], [0.96]]), "run-id")])
PLOTLY = Path(sweep.reports.__path__[0]) / "plotly"


def unpacked(page: str, name: str) -> str:
    """What the page holds compressed."""
    (packed,) = re.findall(rf'<script type="text/plain" id="{name}">(.*?)</script>', page)
    return gzip.decompress(base64.b64decode(packed)).decode()


def test_the_page_needs_nothing_else() -> None:
    """No address of anything; the script is in it, and Optuna's figures."""
    figures = [("Slices", "What they show.", ['{"data": [], "layout": {}}'] * 2)]
    page = to_html([REPORT], charts([REPORT]), figures)
    assert unpacked(page, "plotly") == (PLOTLY / "plotly-basic.min.js").read_text()
    assert not re.search(r"(src|href)=[\"'](?!data:|#)", page)
    assert "vae 10 → 200" in page
    assert "<h2>Slices</h2>" in page
    assert '<p class="note">What they show.</p>' in page
    assert page.count('class="chart figure"') == 2


def test_the_script_is_plotly_s() -> None:
    """As npm gave it, with its licence, and of the version whose figures Optuna draws."""
    for line in (PLOTLY / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((PLOTLY / name).read_bytes()).hexdigest() == digest
    assert {path.name for path in PLOTLY.iterdir()} == {
        *("SHA256SUMS", "LICENSE", "plotly-basic.min.js")
    }
    version = plotly.offline.get_plotlyjs_version()
    header = (PLOTLY / "plotly-basic.min.js").read_text()[:100]
    assert f"plotly.js (basic - minified) v{version}\n" in header, ".ci/plotly renews it"


def test_a_page_of_300_rows_is_small() -> None:
    """Most of it is the script, and that is compressed; as are the charts."""
    (row,) = REPORT.rows
    rows = tuple(
        row.model_copy(update={"hidden_neurons": n, "mlflow_run_ids": (f"{n:032x}",)})
        for n in range(300)
    )
    large = REPORT.model_copy(update={"rows": rows})
    assert len(to_html([large], charts([large]), (), "http://127.0.0.1:5000")) < 1_000_000
    assert len(to_html([REPORT], charts([REPORT]))) < 600_000


def test_axes_name_what_the_pictures_name() -> None:
    """By one law, for a screen and for a phone; without a logarithm where it is switched off."""
    (row,) = REPORT.rows
    rows = [row.model_copy(update={"classifier_parameters": n}) for n in (220, 6_709, 349_015)]
    found = charts([REPORT.model_copy(update={"rows": tuple(rows), "is_mnist": False})])
    drawn = json.loads(unpacked(to_html([REPORT], found), "drawn"))
    ticks = drawn["charts"][0]["panels"][0]["x_ticks"]
    assert ticks["log"]["narrow"]["ticktext"] == ["300", "1k", "3k", "10k", "30k", "100k", "300k"]
    axis = found[0].x_axis(found[0].panels[0])
    assert ticks["log"]["wide"]["tickvals"] == [tick.value for tick in axis.ticks(100)]
    assert len(ticks["linear"]["narrow"]["tickvals"]) > 2


def test_a_long_table_says_how_many_rows_it_has() -> None:
    """A screen shows some twenty of them; a short one is seen whole."""
    (row,) = REPORT.rows
    few, many = (
        REPORT.model_copy(update={"rows": (row,) * rows, "printed": ()}) for rows in (20, 1213)
    )
    assert "1,213 rows" in to_html([many], charts([REPORT]))
    assert "rows<span" not in to_html([few], charts([REPORT]))


@pytest.mark.parametrize("mlflow", [None, "http://tracking:5000"])
def test_a_row_leads_to_its_run(mlflow: str | None) -> None:
    """Where MLflow's pages are known; its id is there in any case."""
    page = to_html([REPORT], charts([REPORT]), (), mlflow)
    assert "<code>run-id</code>" in page
    links = re.findall(r'class="open" href="(.*?)"', page)
    assert links == ([f"{mlflow}/#/runs/run-id"] if mlflow else [])


def test_without_runs_nothing_is_said_of_them() -> None:
    """Neither a column nor a note."""
    alone = study_report([Measured(trial_spec(), trial_result([[0.95], [0.96]]), None)])
    assert "<code>" not in to_html([alone], charts([alone]), (), "http://tracking:5000")


def test_text_is_text() -> None:
    """A name with markup in it is shown, and does nothing."""
    evil = REPORT.model_copy(update={"study": "</script><b>&"})
    page = to_html([evil, REPORT], charts([evil, REPORT]))  # names stand in the charts, too
    assert "</script><b>&: vae" in unpacked(page, "drawn")
    assert "<b>" not in page
    assert page.count("</script>") == 3
