"""Tasks on the nodes of a Ray cluster: the coordinator's side, and what runs on each node.

Ray itself is imported when a session begins. The processes that train know nothing of it.
"""

from __future__ import annotations

from sweep.execution.ray.executor import RayExecutor
from sweep.execution.ray.placement import Demands
from sweep.execution.ray.session import Joined, check_installed, session

__all__ = ["Demands", "Joined", "RayExecutor", "check_installed", "session"]
