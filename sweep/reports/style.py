"""Colours and symbols of charts, for both that draw them.

Okabe and Ito's colours (2008, "Color Universal Design"), which colour-blind readers can tell apart;
symbols differ as well. A representation has one colour wherever it is shown.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from sweep.representations import REPRESENTATIONS

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
NEUTRAL = "#555555"
RING = "#000000"
MATPLOTLIB_SYMBOLS = ("o", "s", "^", "D", "v", "P", "X")
PLOTLY_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x")
MATPLOTLIB_DASHES = ("-", "--", ":", "-.")
PLOTLY_DASHES = ("solid", "5px,2px", "dot", "dashdot")

_FIRST = ("vae", "pixels", "pca", "autoencoder")
_NUMBERED = (*_FIRST, *(name for name in REPRESENTATIONS if name not in _FIRST))


def number(representation: str) -> int:
    """Which colour of the palette, and which symbol, is a representation's."""
    return _NUMBERED.index(representation) if representation in _NUMBERED else len(_NUMBERED)


def colour(number: int, tint: float = 0.0) -> str:
    """A colour of the palette, lightened by a tint; one that belongs to nothing for -1."""
    full = NEUTRAL if number < 0 else PALETTE[number % len(PALETTE)]
    parts = (int(full[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(part + tint * (255 - part)):02X}" for part in parts)


def matplotlib_look() -> AbstractContextManager[None]:
    """Matplotlib's settings for our charts, whatever the user's are."""
    from matplotlib import style

    ours = {
        "svg.fonttype": "none",  # text stays text, which one can search and edit
        "svg.hashsalt": "latent-sweep",
        "pdf.fonttype": 42,  # TrueType, which publishers ask for
        "text.parse_math": False,  # a study's name with $ in it is a name
        "font.family": "DejaVu Sans",  # comes with matplotlib
        "axes.linewidth": 0.6,
    }
    return style.context(["default", ours])
