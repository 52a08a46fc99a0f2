"""A study's report, from what its ledger holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sweep.config import StudyConfig
from sweep.reports import render
from sweep.reports.comparison import Measured, Report, compare
from sweep.reports.plot import save_accuracy_vs_parameters
from sweep.search.attempt import Attempt


def study_report(
    config: StudyConfig,
    is_mnist: bool,
    attempts: Sequence[Attempt],
    mlflow_run_ids: Mapping[int, str],
) -> Report:
    """The report of a study: the config's rows in their order, then what was searched.

    Within the search, representations and label budgets keep the config's order, and the most
    accurate comes first.

    Args:
        config: the study's config.
        is_mnist: whether its dataset is all of MNIST.
        attempts: the study's attempts.
        mlflow_run_ids: the trials' runs, by trial number.
    """
    rows = {row: place for place, row in enumerate(config.cells)}
    names = list(config.blocks)
    complete = [(attempt, attempt.result) for attempt in attempts if attempt.result is not None]
    complete.sort(
        key=lambda pair: (
            rows.get(pair[0].cell, len(rows)),
            names.index(pair[0].cell.representation),
            config.label_budgets.index(pair[0].cell.label_budget),
            -pair[1].accuracy,
        )
    )
    measured = [Measured(a.spec, result, mlflow_run_ids.get(a.number)) for a, result in complete]
    return compare(config.name, measured, config.scored_on, is_mnist)


def write_report(
    reports: Sequence[Report], config: StudyConfig | None, directory: Path
) -> list[Path]:
    """Write the report of one study or several in every format, with its plot; the paths written.

    Args:
        reports: what to write.
        config: the study's config, to be written beside the report of one study.
        directory: where to write; created if it is not there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.md": render.to_markdown(reports),
        "report.csv": render.to_csv(reports),
        "report.json": render.to_json(reports),
    }
    if config is not None:
        texts["config.yaml"] = config.to_yaml()
    for name, text in texts.items():
        (directory / name).write_text(text)
    return [directory / name for name in texts] + save_accuracy_vs_parameters(reports, directory)
