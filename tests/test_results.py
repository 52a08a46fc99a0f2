"""The notebook's table as it was measured: the files, and the README that opens with them.

``uv run python -m tests.test_results`` writes what follows from ``report.json``: the other files,
and the README's opening.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from sweep.config import load_config
from sweep.reports import render
from sweep.reports.charts import charts
from sweep.reports.comparison import Report
from sweep.reports.drawing import save_charts
from sweep.reports.excerpt import excerpt, excerpts, with_excerpts
from sweep.reports.latex import to_latex
from sweep.reports.page import to_html
from sweep.reports.published import PUBLISHED
from tests.reports.test_page import unpacked

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "results/notebook_table"
README = ROOT / "README.md"
_PACKED = re.compile(r'(?<=<script type="text/plain" id=)".*?(?=</script>)')


def report() -> Report:
    return Report.model_validate_json((TABLE / "report.json").read_text(), strict=False)


def texts() -> dict[str, str]:
    """The report's text files, all that follow from ``report.json``; itself among them."""
    found = [report()]
    return {
        "report.json": render.to_json(found),
        "report.csv": render.to_csv(found),
        "report.tex": to_latex(found, charts(found)),
        "report.md": render.to_markdown(found, charts(found)),
        "report.html": to_html(found, charts(found)),
    }


def test_the_readme_opens_with_the_report() -> None:
    """Its plot and its table; a report that was written anew changes the README, too."""
    (found,) = excerpts(README.read_text())
    assert found.path == f"results/{TABLE.name}"
    text = excerpt(report(), found.path, found.chart)
    assert found.text == text, "uv run python -m tests.test_results writes it anew"
    assert found.line < 25


def test_the_report_follows_its_schema() -> None:
    """The one that ships with the package."""
    schema = json.loads(resources.files("sweep.reports").joinpath("report.schema.json").read_text())
    jsonschema.validate(json.loads((TABLE / "report.json").read_text()), schema)


def test_the_config_is_still_valid() -> None:
    """And its rows are the first of the shipped one."""
    measured = load_config(TABLE / "config.yaml", [], None)
    shipped = load_config(ROOT / "study_configs/notebook_table.yaml", [], None)
    assert measured.rows == shipped.rows[: len(measured.rows)]
    assert measured.partition == shipped.partition


def test_all_ten_rows_have_the_exact_counts() -> None:
    """The closed forms, beside what was printed."""
    rows = report().rows
    assert [
        (r.representation, r.latent_dim, r.hidden_neurons, r.classifier_parameters) for r in rows
    ] == [
        (p.representation, p.latent_dim, p.hidden_neurons, p.classifier_parameters)
        for p in PUBLISHED
    ]
    assert [row.inference_parameters for row in rows] == [p.inference_parameters for p in PUBLISHED]
    assert [row.published_accuracy for row in rows] == [p.accuracy for p in PUBLISHED]


def test_the_files_say_the_same() -> None:
    """As ``sweep report --out`` writes them, from the same values.

    What the page holds compressed differs between versions of zlib; its content does not.
    """
    for name, text in texts().items():
        written = (TABLE / name).read_text()
        if name == "report.html":
            for packed in ("plotly", "drawn"):
                assert unpacked(written, packed) == unpacked(text, packed)
            written, text = (_PACKED.sub("", page) for page in (written, text))
        assert written == text, "uv run python -m tests.test_results writes it anew"


@pytest.mark.parametrize("chart", [chart.name for chart in charts([report()])])
def test_its_charts_are_there(chart: str) -> None:
    """Each as a picture, in two widths, of what the report holds."""
    (found,) = (each for each in charts([report()]) if each.name == chart)
    for width in ("", "_column"):
        for suffix in ("png", "svg", "pdf"):
            assert (TABLE / f"{chart}{width}.{suffix}").stat().st_size > 10_000
        assert f">{found.subject}</text>" in (TABLE / f"{chart}{width}.svg").read_text()


def remove_pictures(directory: Path) -> None:
    """Those of charts that a report written anew may not have any more."""
    for picture in directory.glob("accuracy_vs_*.*"):
        picture.unlink()


def test_no_picture_is_left_of_a_chart_that_is_gone() -> None:
    """Of all results: every picture is of one of the report's charts."""
    for directory in (TABLE, ROOT / "results/quickstart"):
        content = (directory / "report.json").read_text()
        drawn = {chart.name for chart in charts([Report.model_validate_json(content)])}
        stems = {path.stem.removesuffix("_column") for path in directory.glob("*.png")}
        assert stems == drawn


if __name__ == "__main__":
    remove_pictures(TABLE)
    save_charts(charts([report()]), TABLE)
    for name, text in texts().items():
        (TABLE / name).write_text(text)
    shown = with_excerpts(README.read_text(), lambda it: excerpt(report(), it.path, it.chart))
    README.write_text(shown)
