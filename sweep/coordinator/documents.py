"""Studies' reports, from what their ledgers hold."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from sweep.artifacts import ArtifactStore
from sweep.config import StudyConfig
from sweep.coordinator.provenance import provenance
from sweep.coordinator.selected import selected_attempts
from sweep.database import reason
from sweep.errors import SweepError
from sweep.reports import render
from sweep.reports.charts import Chart, charts
from sweep.reports.comparison import Report, compare
from sweep.reports.drawing import save_charts
from sweep.reports.latex import to_latex
from sweep.reports.page import Figure, to_html
from sweep.reports.rows import Measured
from sweep.reports.searches import search_reading, unit_square
from sweep.results import Assessment, EncoderRecord, TrialResult
from sweep.search.attempt import Attempt
from sweep.search.history import History
from sweep.search.recorded import Recorded
from sweep.specs import AssessmentSpec, TrialSpec
from sweep.tracking import find_trial_run_ids
from sweep.tracking.views import REPORT
from sweep.workspace import Workspace

PAGE = REPORT


@dataclass(frozen=True)
class Document:
    """All that is written of one study."""

    config: StudyConfig
    report: Report
    attempts: Sequence[Attempt]
    """What each of the report's rows is of, in their order."""
    figures: Callable[[], Sequence[Figure]]
    """Draws Optuna's own plots, which takes seconds."""


def document(
    recorded: Recorded,
    mlflow_run_ids: Mapping[int, str],
    store: ArtifactStore,
    *,
    is_running: bool = False,
) -> Document:
    """The report of a study: the config's rows in their order, then what was searched.

    Within the search, representations and label budgets keep the config's order, and the most
    accurate comes first.

    Args:
        recorded: the study.
        mlflow_run_ids: the trials' runs, by trial number.
        store: what its ledger lacks, if an older version wrote that.
        is_running: whether a process runs the study: then the report is of a moment.
    """
    config = recorded.config
    rows = {row: place for place, row in enumerate(config.cells)}
    names = list(config.blocks)
    complete = [(attempt, attempt.result) for attempt in recorded.attempts if attempt.result]
    complete.sort(
        key=lambda pair: (
            rows.get(pair[0].cell, len(rows)),
            names.index(pair[0].cell.representation),
            config.label_budgets.index(pair[0].cell.label_budget),
            -pair[1].accuracy,
        )
    )
    encoders = encoder_records(recorded, store)

    def measured(
        attempt: Attempt, spec: TrialSpec, result: TrialResult, searched: TrialResult | None = None
    ) -> Measured:
        return Measured(
            spec=spec,
            result=result,
            varied=dict(attempt.cell.varied),
            searched=searched,
            mlflow_run_id=mlflow_run_ids.get(attempt.number),
            encoders=[encoders[key] for key in result.encoders if key in encoders],
            assessment=_assessment(recorded, spec, store),
        )

    found = [measured(attempt, attempt.spec, result) for attempt, result in complete]
    confirming: dict[int, TrialSpec] = {}
    if config.confirm is not None:
        confirming = {
            attempt.number: config.confirming_spec(attempt.spec)
            for attempt in selected_attempts(recorded.attempts)
        }
    keys = {spec.key for spec in confirming.values()}
    confirmed, of_confirmed = [], []
    for attempt, searched in complete:
        spec = confirming.get(attempt.number)
        if spec and (result := recorded.confirmations.get(spec.key)):
            confirmed.append(measured(attempt, spec, result, searched))
            of_confirmed.append(attempt)
    return Document(
        config=config,
        report=compare(
            config.name,
            confirmed or found,
            "test" if confirmed else config.scored_on,
            recorded.data.is_mnist,
            provenance(recorded, list(encoders.values())),
            searched=found if confirmed else (),
            search_readings=_search_readings(recorded),
            unfinished=_unfinished(recorded, keys, is_running),
        ),
        attempts=of_confirmed or [attempt for attempt, _ in complete],
        figures=recorded.figures,
    )


def _unfinished(recorded: Recorded, confirming: Set[str], is_running: bool) -> str | None:
    """How far a study is that has not all of its trials, or has more to do; None if it ended.

    Args:
        recorded: the study.
        confirming: keys of the trials that confirm what is selected.
        is_running: whether a process runs it.
    """
    at = History(recorded.config, recorded.attempts, recorded.retried).progress
    done = f"{at.complete} of {at.target} trials"
    is_whole = at.complete >= at.target
    confirmed = len(confirming & recorded.confirmations.keys())
    if is_whole and confirmed < len(confirming):
        is_whole, done = False, f"{confirmed} of {len(confirming)} selected are confirmed"
    if is_whole and not is_running:
        return None
    return f"{done}, {'still' if is_running else 'not'} running"


def encoder_records(recorded: Recorded, store: ArtifactStore) -> dict[str, EncoderRecord]:
    """The encoders that a study's results stand on, by key, as far as anything is known of them.

    Args:
        recorded: the study.
        store: what its ledger lacks, if an older version wrote that.
    """
    results = [attempt.result for attempt in recorded.attempts if attempt.result]
    results += recorded.confirmations.values()
    keys = sorted({key for result in results for key in result.encoders})
    known = {key: recorded.encoders.get(key) or store.encoders.record(key) for key in keys}
    return {key: record for key, record in known.items() if record}


def mlflow_run_ids(workspace: Workspace, studies: Sequence[str]) -> dict[str, dict[int, str]]:
    """Studies' MLflow runs by study and trial number; reports do without where MLflow is out of
    reach.
    """
    try:
        return find_trial_run_ids(workspace, studies)
    except Exception as error:  # whatever MLflow raises
        logging.getLogger("sweep").warning("MLflow cannot be read (%s): no run ids", reason(error))
        return {study: {} for study in studies}


def _search_readings(recorded: Recorded) -> list[str]:
    """How the search of each representation did: of its own trials, in their order."""
    config, rows = recorded.config, set(recorded.config.cells)
    readings = []
    for name in config.blocks:
        results = [
            attempt.result
            for attempt in recorded.attempts
            if attempt.result
            and attempt.cell.representation == name
            and attempt.cell.label_budget == config.leading_budget
            and attempt.cell not in rows
        ]
        if results:
            accuracies = [result.accuracy for result in results]
            parameters = [result.classifier_parameters for result in results]
            reading = search_reading(name, unit_square(accuracies, parameters))
            readings += [reading] if reading else []
    return readings


def _assessment(recorded: Recorded, trial: TrialSpec, store: ArtifactStore) -> Assessment | None:
    spec = AssessmentSpec(trial=trial)
    return recorded.assessments.get(spec.key) or store.assessments.get(spec)


def write_report(
    documents: Sequence[Document], directory: Path, mlflow: str | None = None
) -> list[Path]:
    """Write the report of one study or several in every format, with its plots; the paths written.

    Args:
        documents: what to write.
        directory: where to write; created if it is not there.
        mlflow: where MLflow's UI over their runs is, if it is known.

    Raises:
        SweepError: they cannot be written there.
    """
    try:
        return _write_report(documents, directory, mlflow)
    except OSError as error:
        raise SweepError(
            f"the report cannot be written to {directory}: {error.strerror or error}"
        ) from error


def _write_report(documents: Sequence[Document], directory: Path, mlflow: str | None) -> list[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    drawn = charts([each.report for each in documents])
    texts = report_texts(documents, drawn, mlflow)
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return [directory / name for name in texts] + save_charts(drawn, directory)


def report_texts(
    documents: Sequence[Document], drawn: Sequence[Chart], mlflow: str | None = None
) -> dict[str, str]:
    """The files of a report that are text, by name: all but the charts' pictures.

    Args:
        documents: what they are of: one study or several.
        drawn: their charts.
        mlflow: where MLflow's UI over their runs is, if it is known.
    """
    reports = [each.report for each in documents]
    texts = {
        "report.md": render.to_markdown(reports, drawn),
        "report.csv": render.to_csv(reports),
        "report.json": render.to_json(reports),
        "report.tex": to_latex(reports, drawn),
        PAGE: to_html(reports, drawn, _figures(documents), mlflow),
        "provenance.json": render.provenance_json(reports),
    }
    if len(documents) == 1:
        texts["config.yaml"] = documents[0].config.to_yaml()
    return texts


def _figures(documents: Sequence[Document]) -> list[Figure]:
    """Optuna's own plots, under the study's name where there are several."""
    several = len(documents) > 1
    return [
        (f"{each.config.name}: {title}" if several else title, note, drawn)
        for each in documents
        for title, note, drawn in each.figures()
    ]
