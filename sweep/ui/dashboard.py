"""Optuna's dashboard behind the guard of MLflow's server: an app for uvicorn.

By itself it answers whoever asks under whatever name: a page of any site, open in the user's
browser, could delete a study.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from mlflow.server.fastapi_security import init_fastapi_security
from optuna_dashboard import wsgi
from starlette.middleware.wsgi import WSGIMiddleware

from sweep.database import creation_lock
from sweep.search.storage import open_storage
from sweep.ui.servers import STORAGE_VARIABLE

_LONGEST = 200
"""Characters of an attribute that fit into a line there."""
_STUDY = re.compile(r"/api/studies/\d+")


def app() -> FastAPI:
    """The dashboard; hosts and origins are checked as MLflow's server checks them."""
    guarded = FastAPI(openapi_url=None)
    guarded.middleware("http")(_leave_out_what_is_long)
    init_fastapi_security(guarded)
    url = os.environ[STORAGE_VARIABLE]
    with creation_lock(url):
        storage = open_storage(url)
    guarded.mount("/", WSGIMiddleware(wsgi(storage)))
    return guarded


async def _leave_out_what_is_long(
    request: Request, answer: Callable[[Request], Awaitable[StreamingResponse]]
) -> Response:
    """Show attributes without those that a study keeps its results in.

    Optuna has no way to hide them: their columns, a kilobyte of JSON in each cell, bury the others.
    What is written through the dashboard is not touched.
    """
    response = await answer(request)
    is_study = request.method == "GET" and _STUDY.fullmatch(request.url.path)
    if not is_study or response.status_code != 200:
        return response
    body = b"".join([part async for part in response.body_iterator if isinstance(part, bytes)])
    return JSONResponse(readable(json.loads(body)))


def readable(study: dict[str, Any]) -> dict[str, Any]:
    """What the dashboard's own server says of a study, without long attributes."""
    hidden = set()
    for each in (study, *study["trials"], *study["best_trials"]):
        long = {a["key"] for a in each["user_attrs"] if len(a["value"]) > _LONGEST}
        each["user_attrs"] = [a for a in each["user_attrs"] if a["key"] not in long]
        hidden |= long
    union = [each for each in study["union_user_attrs"] if each["key"] not in hidden]
    return {**study, "union_user_attrs": union}
