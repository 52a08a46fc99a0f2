"""What a home keeps by content: encoders, checkpoints, draws, assessments and models.

Everything appears whole or not at all, carries checksums, and is held against the spec that it
answers whenever it is read. What does not agree is never believed: it is set aside, and made again.
"""

from __future__ import annotations

from sweep.artifacts.checkpoint import Checkpoint
from sweep.artifacts.store import ArtifactStore
from sweep.artifacts.transfer import NotWholeError, Package, pack, unpack

__all__ = ["ArtifactStore", "Checkpoint", "NotWholeError", "Package", "pack", "unpack"]
