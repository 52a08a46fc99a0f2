"""Reports in LaTeX: what is escaped, and that LaTeX sets it without anything too wide."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sweep.reports.charts import charts
from sweep.reports.comparison import Report
from sweep.reports.drawing import save_charts
from sweep.reports.latex import to_latex
from sweep.reports.rows import Measured
from sweep.reports.tables import comparison_table
from tests.builders import study_report, trial_result, trial_spec
from tests.reports.test_charts import FAIR, PIXELS
from tests.test_results import report as notebook_table

DOCUMENT = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{booktabs,graphicx,longtable}
\begin{document}
\input{report}
\end{document}
"""
DRAWS = [[0.951, 0.952, 0.95], [0.96, 0.961, 0.962], [0.955, 0.95, 0.953], [0.94, 0.95, 0.945]]
WIDE = study_report(
    [
        Measured(trial_spec(), trial_result([*DRAWS, [0.96] * 3])),
        Measured(trial_spec(hidden_neurons=1000), trial_result([*DRAWS, [0.97] * 3])),
        Measured(
            trial_spec(),
            trial_result([*DRAWS, [0.95] * 3]),
            varied={"classifier.learning_rate": 0.0003125, "beta": 0.125, "learning_rate": 0.0025},
        ),
        Measured(FAIR.spec, trial_result([*DRAWS, [0.95] * 3], classifier_parameters=159_010)),
        Measured(PIXELS.spec, trial_result([*DRAWS, [0.95] * 3], labels=48_996)),
    ],
    study="a study with a long_name & 50 %",
)


def test_latex_escapes_what_latex_would_read() -> None:
    """Percent signs, underscores and arrows; and every row ends."""
    found = study_report(
        [Measured(trial_spec(), trial_result([[0.958], [0.958]])), PIXELS], study="a_study & 50 %"
    )
    text = to_latex([found])
    assert r"\paragraph{a\_study \& 50 \%}" in text
    assert "→" not in text
    assert r"vae 10 $\rightarrow$ 200 & 95.80 &" in text
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") > 3


def test_a_table_that_is_too_wide_stands_in_parts() -> None:
    """Each begins with the configuration; none lacks a column or has one twice."""
    text = to_latex([WIDE])
    parts = re.findall(r"\\toprule\n(.*) \\\\\n", text.partition("What was published")[0])
    assert len(parts) > 1
    headings = [part.split(" & ") for part in parts]
    assert len({heading[0] for heading in headings}) == 1
    rest = [name for heading in headings for name in heading[1:]]
    assert len(set(rest)) == len(rest) == len(comparison_table([WIDE]).columns) - 1


def test_charts_are_included() -> None:
    """With what they show, by their names; none where none are beside the document."""
    drawn = charts([WIDE])
    text = to_latex([WIDE], drawn)
    for chart in drawn:
        assert rf"\includegraphics[width=\linewidth]{{{chart.name}}}" in text
    assert r"\caption{Accuracy against parameters: a study with a long\_name \& 50 \% on" in text
    assert "includegraphics" not in to_latex([WIDE])


def test_a_study_without_results_has_a_report() -> None:
    """Empty."""
    assert r"\paragraph{study}" in to_latex([study_report([], is_mnist=False)])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a LaTeX, which .ci/run has")
@pytest.mark.parametrize(
    "reports", [[notebook_table()], [WIDE], [WIDE, WIDE]], ids=["notebook", "wide", "several"]
)
def test_nothing_is_wider_than_the_text(reports: list[Report], tmp_path: Path) -> None:
    """LaTeX itself has nothing to say, and finds the pictures."""
    drawn = charts(reports)
    save_charts(drawn, tmp_path)
    (tmp_path / "report.tex").write_text(to_latex(reports, drawn))
    (tmp_path / "main.tex").write_text(DOCUMENT)
    for _ in range(2):  # longtable finds its widths in two
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, said[-2000:]
    assert not re.findall(r"Overfull \\hbox.*", said)
