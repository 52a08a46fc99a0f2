"""Bundles: all that a study's numbers rest on, in a directory that anyone can check."""

from sweep.bundles.contents import Bundle
from sweep.bundles.retraining import Retrained, retrain
from sweep.bundles.verification import Discrepancy, Verified, verify
from sweep.bundles.writing import write_bundle

__all__ = [
    "Bundle",
    "Discrepancy",
    "Retrained",
    "Verified",
    "retrain",
    "verify",
    "write_bundle",
]
