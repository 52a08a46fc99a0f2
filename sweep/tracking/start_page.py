"""MLflow's server with a page that shows the studies at a glance: an app for ``mlflow server``.

MLflow's own pages open on what it offers for language models; the charts and the report of a study
are several clicks away from there. This page is one click away from them, and has MLflow's other
pages open on model training from then on; so do the links that are printed.
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import Response, abort, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from mlflow.server import app as _flask
from mlflow.server.fastapi_app import app

from sweep.home import DEFAULT_HOME
from sweep.tracking.landing import Landing
from sweep.tracking.overview import overview
from sweep.tracking.views import MOST_RUNS, START_PATH
from sweep.workspace import Workspace

__all__ = ["app"]

_PAGES = Environment(
    loader=PackageLoader("sweep.tracking", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_BACK = (
    b"""<nav><a href="../../studies">Studies</a> \xc2\xb7 <a href="chart">in MLflow</a></nav>\n"""
)
_BODY = b"<body>\n"
_SEARCH = "/ajax-api/2.0/mlflow/runs/search"
_THEIR_PAGE = 100
# A report may have come from somebody else: it cannot act for its reader in MLflow, just as where
# MLflow shows it among the artifacts.
_SANDBOX = "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads"


@_flask.route(START_PATH)
def start() -> str:
    """The page."""
    return _PAGES.get_template("start_page.html").render(studies=_landing().studies())


@_flask.before_request
def fetch_all() -> None:
    """Have MLflow's pages ask for as many runs as their charts can show.

    They ask for a hundred: of a larger study the most accurate ones, and nothing says so. What asks
    for pages of another length is no page of MLflow's.
    """
    if request.method == "POST" and request.path.endswith(_SEARCH):
        asked = request.get_json(force=True, silent=True)  # Flask keeps it for whoever reads next
        if isinstance(asked, dict) and asked.get("max_results") == _THEIR_PAGE:
            asked["max_results"] = MOST_RUNS


@_flask.route(f"{START_PATH}/<study>/chart")
def chart(study: str) -> str:
    """A way to a study's chart for who was never here, as printed links take it."""
    path = _landing_with(study).chart(study)
    return _PAGES.get_template("chart.html").render(study=study, chart=path)


@_flask.route(f"{START_PATH}/<study>/overview.svg")
def picture(study: str) -> Response:
    """A study's picture, as it stands."""
    marks = _landing_with(study).marks(study)
    # Opened by itself, a picture is a document of this server's, and may run nothing.
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": "sandbox"}
    return Response(overview(marks or []), mimetype="image/svg+xml", headers=headers)


@_flask.route(f"{START_PATH}/<study>/report")
def report(study: str) -> Response:
    """A study's report."""
    page = _landing_with(study).report(study)
    if page is None:
        abort(404, "There is no report of this study yet: it is written when its run has ended.")
    headers = {"Content-Security-Policy": _SANDBOX, "Cache-Control": "no-cache"}
    page = page.replace(_BODY, _BODY + _BACK, 1)
    return Response(page, mimetype="text/html", headers=headers)


def _landing_with(study: str) -> Landing:
    landing = _landing()
    if landing.chart(study) is None:
        abort(404, f"There is no study {study} in this home.")
    return landing


def _landing() -> Landing:
    workspace = Workspace.at(Path(os.environ.get("SWEEP_HOME") or DEFAULT_HOME))
    return Landing(workspace, os.environ.get("_SWEEP_DASHBOARD"))
