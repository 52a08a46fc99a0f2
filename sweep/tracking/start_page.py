"""MLflow's server with a page that leads to the studies' charts: an app for ``mlflow server``.

MLflow's own pages open on what it offers for language models; the charts of a study are several
clicks away from there. This page is one click away from them, and has MLflow's other pages open on
model training from then on.
"""

from __future__ import annotations

from pathlib import Path

from mlflow.server import app as _flask
from mlflow.server.fastapi_app import app

from sweep.tracking.views import START_PATH, VIEW

__all__ = ["app"]

_PAGE = Path(__file__).with_suffix(".html").read_text(encoding="utf-8").replace("VIEW", VIEW)


@_flask.route(START_PATH)
def start() -> str:
    """The page."""
    return _PAGE
