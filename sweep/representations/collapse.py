"""Posterior collapse: latent dimensions that have come to tell nothing of the image."""

from __future__ import annotations

from itertools import pairwise

from sweep.results import EncoderHistory
from sweep.specs import EncoderSpec


def collapsed(spec: EncoderSpec, history: EncoderHistory, *, is_whole: bool) -> int | None:
    """How many dimensions tell nothing of the image; None where none was seen to collapse.

    While a training goes on, a dimension that is not active may become so yet: collapse is seen
    when fewer are active than after an earlier epoch. At its end every one that is not active has
    collapsed. Those that were seen to collapse and came back leave 0.

    Args:
        spec: the encoder's.
        history: of the epochs so far, or of all; it may be one that counts no active dimensions.
        is_whole: whether the training is at its end.
    """
    active, latent_dim = history.get("active_dimensions", ()), spec.representation.latent_dim
    if not active or latent_dim is None:
        return None
    missing = latent_dim - round(active[-1])
    fell = any(after < before for before, after in pairwise(active))
    return missing if fell or (is_whole and missing > 0) else None
