"""The pages of MLflow's UI that a study is looked at with, preconfigured.

The form of a view is that of MLflow 3.17's front end, and undocumented.
"""

from __future__ import annotations

import json
import time

VIEW = "accuracy-vs-parameters"
START_PATH = "/studies"
# The most runs that a chart shows.
_RUNS = 1000


def table_path(experiment_id: str) -> str:
    """The page that lists an experiment's trials, the most accurate first; from the UI's root."""
    return (
        f"/#/experiments/{experiment_id}/runs?workflowType=machine_learning"
        f"&viewStateShareKey={VIEW}"
    )


def chart_path(experiment_id: str) -> str:
    """The page that shows an experiment's accuracy against parameters; from the UI's root."""
    return f"{table_path(experiment_id)}&compareRunsMode=CHART"


def shared_view() -> dict[str, object]:
    """The view that both pages show, as the value of an experiment's tag."""
    now = int(time.time() * 1000)
    state = {
        "searchFilter": "tags.`sweep.kind` = 'trial'",
        "orderByKey": "metrics.`accuracy`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [
            "params.`representation`",
            "params.`latent_dim`",
            "params.`hidden_neurons`",
            "metrics.`accuracy`",
            "metrics.`classifier_parameters`",
            "metrics.`inference_parameters`",
        ],
        "runsHiddenMode": "SHOWALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": False,
        "groupBy": None,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "compareRunSections": [
            _section("parameters", "Accuracy vs parameters", columns=2, height=440),
            _section("configurations", "Configurations", columns=2, height=360),
            _section("curves", "Curves", columns=2, height=360),
        ],
        "compareRunCharts": [
            _scatter("log10_classifier_parameters"),
            _scatter("log10_inference_parameters"),
            # MLflow leaves out runs without one of the parameters: pixels have no latent_dim.
            _parallel_coordinates("all", ["representation", "hidden_neurons"]),
            _parallel_coordinates("latents", ["representation", "latent_dim", "hidden_neurons"]),
            _curve("val_accuracy"),
            _curve("train_loss"),
        ],
    }
    return {
        "name": "Accuracy vs parameters",
        "createdAt": now,
        "updatedAt": now,
        "state": json.dumps(state),
    }


def _section(uuid: str, name: str, columns: int, height: int) -> dict[str, object]:
    return {
        "uuid": uuid,
        "name": name,
        "display": True,
        "isReordered": False,
        "columns": columns,
        "cardHeight": height,
    }


def _chart(uuid: str, section: str, kind: str, **content: object) -> dict[str, object]:
    return {
        "uuid": uuid,
        "metricSectionId": section,
        "type": kind,
        "deleted": False,
        "isGenerated": False,
        "runsCountToCompare": _RUNS,
        **content,
    }


def _scatter(metric: str) -> dict[str, object]:
    return _chart(
        metric,
        "parameters",
        "SCATTER",
        xaxis={"key": metric, "type": "METRIC"},
        yaxis={"key": "accuracy", "type": "METRIC"},
    )


def _parallel_coordinates(uuid: str, params: list[str]) -> dict[str, object]:
    return _chart(
        uuid,
        "configurations",
        "PARALLEL",
        selectedParams=params,
        selectedMetrics=["log10_classifier_parameters", "accuracy"],
        showAllRuns=False,
    )


def _curve(metric: str) -> dict[str, object]:
    return _chart(
        metric,
        "curves",
        "LINE",
        metricKey=metric,
        selectedMetricKeys=[metric],
        lineSmoothness=0,
        scaleType="linear",
        xAxisScaleType="linear",
        xAxisKey="step",
        selectedXAxisMetricKey="",
        yAxisKey="metric",
        yAxisExpressions=[],
        range={},
        ignoreOutliers=False,
        useGlobalXaxisKey=True,
        useGlobalLineSmoothing=True,
    )
