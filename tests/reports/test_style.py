"""The colours of representations can be told apart, by colour-blind readers, too."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from sweep.reports.style import PALETTE, colour, number
from sweep.representations import REPRESENTATIONS

# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color
# Vision Deficiency", severity 1.0, on linear RGB.
EYES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# sRGB's primaries and white, D65 (IEC 61966-2-1).
TO_XYZ = np.array(
    (
        (0.4124564, 0.3575761, 0.1804375),
        (0.2126729, 0.7151522, 0.0721750),
        (0.0193339, 0.1191920, 0.9503041),
    )
)
WHITE = np.array((0.95047, 1.0, 1.08883))
LEAST = 15
"""A difference of CIELAB of which 2 can just be seen, side by side; marks are small and apart."""


def seen(colour: str, eye: str) -> NDArray[np.float64]:
    """A colour in CIELAB, as an eye sees it."""
    coded = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    light = TO_XYZ @ np.clip(np.array(EYES[eye]) @ linear, 0, 1) / WHITE
    edge = 6 / 29
    root = np.where(light > edge**3, np.cbrt(light), light / (3 * edge**2) + 4 / 29)
    lab = (116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2]))
    return np.array(lab, np.float64)


def nearest(colours: Sequence[str], eye: str) -> float:
    """The smallest difference between two of some colours."""
    pairs = combinations([seen(each, eye) for each in colours], 2)
    return min(float(np.linalg.norm(one - other)) for one, other in pairs)


@pytest.mark.parametrize("eye", EYES)
def test_colours_are_told_apart(eye: str) -> None:
    """Of the whole palette, and so of as many representations as there are colours."""
    assert nearest(PALETTE, eye) > LEAST
    shown = {colour(number(name)) for name in REPRESENTATIONS}
    assert len(shown) == len(REPRESENTATIONS)
    assert shown <= set(PALETTE)


def test_colours_that_some_cannot_tell_apart_would_be_found() -> None:
    """Such as those that matplotlib begins with: its green and red are one to a tenth of men."""
    theirs = ("#1F77B4", "#FF7F0E", "#2CA02C", "#D62728", "#9467BD")
    assert nearest(theirs, "normal") > LEAST
    assert nearest(theirs, "deuteranopia") < LEAST
