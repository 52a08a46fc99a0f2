"""The pages that show studies: MLflow's server over a home, and Optuna's dashboard."""

from __future__ import annotations

from sweep.tracking.views import START_PATH
from sweep.ui.address import Address, free_address
from sweep.ui.servers import Server, chart_links, mlflow_server, optuna_dashboard

__all__ = [
    "START_PATH",
    "Address",
    "Server",
    "chart_links",
    "free_address",
    "mlflow_server",
    "optuna_dashboard",
]
