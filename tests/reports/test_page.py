"""The report as an HTML page; ``tests/browser`` opens one."""

from __future__ import annotations

import re

from sweep.reports.charts import charts
from sweep.reports.page import to_html
from sweep.reports.rows import Measured
from tests.builders import study_report, trial_result, trial_spec

REPORT = study_report([Measured(trial_spec(), trial_result([[0.95], [0.96]]), "run-id")])


def own(page: str) -> str:
    """The page without Plotly's own script."""
    return re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.S)


def test_the_page_needs_nothing_else() -> None:
    """No address of anything; the script is in it."""
    page = to_html([REPORT], charts([REPORT]), [("Slices", '{"data": [], "layout": {}}')])
    assert len(page) > 1_000_000
    assert not re.search(r"(src|href)=[\"'](?!data:|#)", own(page))
    assert "vae 10 → 200" in own(page)
    assert "<h2>Slices</h2>" in page


def test_text_is_text() -> None:
    """A name with markup in it is shown, and does nothing."""
    evil = REPORT.model_copy(update={"study": "</script><b>&"})
    page = own(to_html([evil, REPORT], charts([evil, REPORT])))  # names stand in the charts, too
    assert "\\u003cb\\u003e\\u0026: vae" in page
    assert "<b>" not in page
    assert page.count("</script>") == 1
