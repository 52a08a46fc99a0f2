"""Checking a machine and a home: each finding with its mend. Looks, and changes nothing."""

from __future__ import annotations

from sweep.doctor.finding import Finding
from sweep.doctor.home import examine

__all__ = ["Finding", "examine"]
