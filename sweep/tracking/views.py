"""The pages of MLflow's UI that a study is looked at with, preconfigured.

The form of a view is that of MLflow 3.17's front end, and undocumented.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from urllib.parse import quote

VIEW = "accuracy-vs-parameters"
START_PATH = "/studies"
REPORT = "report.html"
"""The artifact of a study's run that is its report."""
PICTURE = "overview.svg"
"""The one that shows it small."""
# What the table shows, in its order, and how wide in pixels: so that every name can be read.
_COLUMNS = {
    "tags.`pareto`": 65,
    "metrics.`accuracy_percent`": 145,
    "metrics.`ci_low_percent`": 110,
    "metrics.`ci_high_percent`": 115,
    "metrics.`test_percent`": 95,
    "metrics.`classifier_parameters`": 145,
    "metrics.`inference_parameters`": 150,
    "params.`labels`": 60,
    "params.`representation`": 110,
    "params.`latent_dim`": 85,
    "params.`hidden_neurons`": 115,
}
Varied = Mapping[str, Sequence[str]]
"""By representation, the params that a study varies beside latent dimension and neurons."""
NOTHING: Varied = MappingProxyType({})
_LETTER, _BESIDE = 8, 35
"""Pixels of a column: a letter of its name, and what stands beside that."""
MOST_RUNS = 1000
"""How many runs a chart shows."""


def printed_path(study: str) -> str:
    """The page of ``sweep ui`` that leads to a study's chart; from the UI's root."""
    return f"{START_PATH}/{quote(study)}/chart"


def table_path(experiment_id: str) -> str:
    """The page that lists an experiment's trials, the most accurate first; from the UI's root."""
    return (
        f"/#/experiments/{experiment_id}/runs?workflowType=machine_learning"
        f"&viewStateShareKey={VIEW}"
    )


def chart_path(experiment_id: str) -> str:
    """The page that shows an experiment's accuracy against parameters; from the UI's root."""
    return f"{table_path(experiment_id)}&compareRunsMode=CHART"


def run_path(experiment_id: str, run_id: str) -> str:
    """The page of a run; from the UI's root."""
    return f"/#/experiments/{experiment_id}/runs/{run_id}"


def report_path(experiment_id: str, run_id: str) -> str:
    """The page that shows a study's report, given its run; from the UI's root."""
    return f"{run_path(experiment_id, run_id)}/artifacts/{REPORT}"


def link(text: str, path: str) -> str:
    """A link in a description, which leads to the same server, whatever its address is."""
    return f"[{text}]({path.removeprefix('/')})"


def picture(name: str, run_id: str) -> str:
    """An artifact of a run as a picture in a description."""
    return f"![{name}](get-artifact?path={name}&run_uuid={run_id})"


def shared_view(varied: Varied = NOTHING) -> dict[str, object]:
    """The view that both pages show, as the value of an experiment's tag.

    Args:
        varied: what the study varies: each has a column, and an axis.
    """
    now = int(time.time() * 1000)
    columns = {**_COLUMNS}
    for name in chain.from_iterable(varied.values()):
        columns[f"params.`{name}`"] = _LETTER * len(name) + _BESIDE
    state = {
        "searchFilter": "tags.`sweep.kind` = 'trial'",
        "orderByKey": "metrics.`accuracy_percent`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(columns),
        "columnOrder": list(columns),
        "columnWidths": columns,
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
            *_configurations(varied),
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
        "runsCountToCompare": MOST_RUNS,
        **content,
    }


def _scatter(metric: str) -> dict[str, object]:
    return _chart(
        metric,
        "parameters",
        "SCATTER",
        xaxis={"key": metric, "type": "METRIC"},
        yaxis={"key": "accuracy_percent", "type": "METRIC"},
    )


def _parallel_coordinates(uuid: str, params: list[str]) -> dict[str, object]:
    return _chart(
        uuid,
        "configurations",
        "PARALLEL",
        selectedParams=params,
        selectedMetrics=["log10_classifier_parameters", "accuracy_percent"],
        showAllRuns=False,
    )


def _configurations(varied: Varied) -> Iterator[dict[str, object]]:
    """All trials, all on encoders, and those of each representation whose settings are varied.

    MLflow leaves out runs without one of the parameters: pixels have no latent_dim.
    """
    of_classifiers = [
        name
        for name in dict.fromkeys(chain.from_iterable(varied.values()))
        if not any(name in _of_its_own(each, params) for each, params in varied.items())
    ]
    for uuid, first in (("all", ["representation"]), ("latents", ["representation", "latent_dim"])):
        yield _parallel_coordinates(uuid, [*first, *of_classifiers, "hidden_neurons"])
    for representation, params in varied.items():
        if _of_its_own(representation, params):
            yield _parallel_coordinates(representation, ["latent_dim", *params, "hidden_neurons"])


def _of_its_own(representation: str, params: Sequence[str]) -> list[str]:
    """Those of them that runs of other representations do not have."""
    return [name for name in params if name.startswith(f"{representation}.")]


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
