"""The report's figure in matplotlib, and the report itself."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot

import sweep
from sweep.errors import SweepError
from tests.cli.process import REPORT_FILES


def test_the_figure_is_the_report_s(finished: Path, tmp_path: Path) -> None:
    """Two panels in a figure of pyplot's, with its titles; the user's settings stay."""
    before = dict(mpl.rcParams)
    against_classifier, against_inference = sweep.load("tiny", home=finished).plot()
    assert dict(mpl.rcParams) == before
    figure = against_classifier.figure
    assert against_inference.figure is figure
    assert pyplot.gcf() is figure
    written = [text.get_text() for text in figure.texts]
    assert {"Accuracy against parameters", "tiny on mnist-5k"} <= set(written)
    assert len(against_classifier.lines) >= 3  # of both representations, and a front
    figure.savefig(tmp_path / "figure.png")
    pyplot.close(figure)


def test_the_report_is_that_of_the_command(finished: Path, tmp_path: Path) -> None:
    """All of its files; where it cannot be written, that is said."""
    study = sweep.load("tiny", home=finished)
    written = study.report(tmp_path / "report")
    assert {path.name for path in written} == REPORT_FILES
    (tmp_path / "file").touch()
    with pytest.raises(SweepError, match="cannot be written to"):
        study.report(tmp_path / "file")
