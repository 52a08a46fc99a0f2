"""What starts a study on machines that are not this one: scripts and manifests, as text."""

from __future__ import annotations

from sweep.deployment.texts import Where, deployment

__all__ = ["Where", "deployment"]
