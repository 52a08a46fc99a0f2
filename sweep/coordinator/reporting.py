"""A study's report, from what its ledger holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from sweep.config import StudyConfig
from sweep.home import Home
from sweep.reports import render
from sweep.reports.comparison import Measured, Report, compare
from sweep.reports.plot import save_accuracy_vs_parameters
from sweep.representations.store import EncoderStore
from sweep.search.attempt import Attempt
from sweep.trial import Assessment, AssessmentSpec, TrialSpec


def study_report(
    config: StudyConfig,
    is_mnist: bool,
    attempts: Sequence[Attempt],
    mlflow_run_ids: Mapping[int, str],
    home: Home,
) -> Report:
    """The report of a study: the config's rows in their order, then what was searched.

    Within the search, representations and label budgets keep the config's order, and the most
    accurate comes first.

    Args:
        config: the study's config.
        is_mnist: whether its dataset is all of MNIST.
        attempts: the study's attempts.
        mlflow_run_ids: the trials' runs, by trial number.
        home: where its encoders and assessments are.
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
    store = EncoderStore(home)
    keys = {key for _, result in complete for key in result.encoders if store.has(key)}
    encoders = {key: store.record(key) for key in keys}
    measured = [
        Measured(
            spec=attempt.spec,
            result=result,
            mlflow_run_id=mlflow_run_ids.get(attempt.number),
            encoders=[encoders[key] for key in result.encoders if key in encoders],
            assessment=_assessment(attempt.spec, home),
        )
        for attempt, result in complete
    ]
    return compare(config.name, measured, config.scored_on, is_mnist)


def _assessment(spec: TrialSpec, home: Home) -> Assessment | None:
    """A trial's assessment; None if it has none, or it is damaged."""
    path = home.assessment(AssessmentSpec(trial=spec).key)
    try:
        return Assessment.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


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
