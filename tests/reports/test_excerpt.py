"""Excerpts of a report in pages."""

from __future__ import annotations

from sweep.reports.excerpt import excerpt, excerpts, with_excerpts
from tests.builders import study_report
from tests.reports.test_charts import PIXELS, measured

PAGE = """\
# Title

<!-- begin: results/a accuracy_vs_parameters -->
old
<!-- end -->
<!-- begin: b accuracy_vs_labels -->
<!-- end -->
"""


def test_a_page_says_what_it_has() -> None:
    """Each with its directory, its chart, and where it begins."""
    one, other = excerpts(PAGE)
    assert one == ("results/a", "accuracy_vs_parameters", "old\n", 4)
    assert other == ("b", "accuracy_vs_labels", "", 7)


def test_what_stands_outside_of_the_marks_is_kept() -> None:
    """And writing anew changes nothing."""
    page = with_excerpts(PAGE, lambda it: f"new {it.path}\n")
    assert page == PAGE.replace("old\n", "new results/a\n").replace(
        "labels -->\n", "labels -->\nnew b\n"
    )
    assert with_excerpts(page, lambda it: it.text) == page


def test_published_rows_stand_alone() -> None:
    """Where there are any: a README has no room for all rows; a common n is said once."""
    rows = [
        measured(10, [[0.95, 0.96]]),
        measured(10, [[0.9, 0.9]], hidden_neurons=77),
        measured(5, [[0.9, 0.9]]),
    ]
    text = excerpt(study_report(rows), "results/a", "accuracy_vs_parameters")
    assert "| vae 10 → 200 | 95.50 |" in text
    assert "→ 77" not in text
    assert "| vae 5 → 200 |" not in text
    assert "n = 1 x 2 draws x classifiers." in text
    assert "| n |" not in text
    assert text.startswith("<picture>\n")
    other = excerpt(study_report(rows[1:]), "results/a", "accuracy_vs_parameters")
    assert "→ 77" in other
    mixed = excerpt(study_report([rows[1], PIXELS]), "results/a", "accuracy_vs_parameters")
    assert "| n |" in mixed
