"""Optuna's dashboard behind the guard of MLflow's server: an app for uvicorn.

By itself it answers whoever asks under whatever name: a page of any site, open in the user's
browser, could delete a study.
"""

from __future__ import annotations

import os

from fastapi import FastAPI
from mlflow.server.fastapi_security import init_fastapi_security
from optuna_dashboard import wsgi
from starlette.middleware.wsgi import WSGIMiddleware

from sweep.search.storage import open_storage

STORAGE_VARIABLE = "OPTUNA_DASHBOARD_STORAGE"
"""Names the storage's URL: all users of a machine see each other's command lines."""


def app() -> FastAPI:
    """The dashboard; hosts and origins are checked as MLflow's server checks them."""
    guarded = FastAPI(openapi_url=None)
    init_fastapi_security(guarded)
    guarded.mount("/", WSGIMiddleware(wsgi(open_storage(os.environ[STORAGE_VARIABLE]))))
    return guarded
