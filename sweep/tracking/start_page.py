"""MLflow's server with a page that shows the studies at a glance: an app for ``mlflow server``.

MLflow's own pages open on what it offers for language models; the charts and the report of a study
are several clicks away from there. This page is one click away from them, and has MLflow's other
pages open on model training from then on.
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import Response, abort
from jinja2 import Environment, StrictUndefined
from mlflow.server import app as _flask
from mlflow.server.fastapi_app import app

from sweep.home import DEFAULT_HOME
from sweep.tracking.landing import Landing
from sweep.tracking.overview import overview
from sweep.tracking.views import START_PATH
from sweep.workspace import Workspace

__all__ = ["app"]

_PAGE = Environment(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
).from_string(Path(__file__).with_suffix(".html").read_text(encoding="utf-8"))
# A report may have come from somebody else: it cannot act for its reader in MLflow, just as where
# MLflow shows it among the artifacts.
_SANDBOX = "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads"


@_flask.route(START_PATH)
def start() -> str:
    """The page."""
    return _PAGE.render(studies=_landing().studies())


@_flask.route(f"{START_PATH}/<study>/overview.svg")
def picture(study: str) -> Response:
    """A study's picture, as it stands."""
    marks = _landing().marks(study)
    if marks is None:
        abort(404)
    return Response(
        overview(marks), mimetype="image/svg+xml", headers={"Cache-Control": "no-cache"}
    )


@_flask.route(f"{START_PATH}/<study>/report")
def report(study: str) -> Response:
    """A study's report."""
    page = _landing().report(study)
    if page is None:
        abort(404, "There is no report of this study yet: it is written when its run has ended.")
    headers = {"Content-Security-Policy": _SANDBOX, "Cache-Control": "no-cache"}
    return Response(page, mimetype="text/html", headers=headers)


def _landing() -> Landing:
    workspace = Workspace.at(Path(os.environ.get("SWEEP_HOME") or DEFAULT_HOME))
    return Landing(workspace, os.environ.get("_SWEEP_DASHBOARD"))
