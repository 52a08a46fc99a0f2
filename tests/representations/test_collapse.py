"""When latent dimensions are said to have collapsed."""

from __future__ import annotations

import pytest

from sweep.representations.collapse import collapsed
from tests.builders import trial_spec

ENCODER = trial_spec().encoder(0)  # of 10 dimensions


@pytest.mark.parametrize(
    ("active", "while_it_trains", "at_its_end"),
    [
        ((10, 10), None, None),
        ((6, 8), None, 2),
        ((6, 8, 10), None, None),
        ((10, 8), 2, 2),
        ((6, 8, 7, 7), 3, 3),
        ((10, 8, 10), 0, 0),
        ((), None, None),
    ],
)
def test_collapse_is_seen_where_dimensions_fall(
    active: tuple[float, ...], while_it_trains: int | None, at_its_end: int | None
) -> None:
    """While it trains, one that is not active may become so yet; at the end it has collapsed."""
    history = {"loss": (1.0,) * len(active), "active_dimensions": active}
    assert collapsed(ENCODER, history, is_whole=False) == while_it_trains
    assert collapsed(ENCODER, history, is_whole=True) == at_its_end


def test_other_encoders_do_not_collapse() -> None:
    """A history that counts no active dimensions."""
    assert collapsed(ENCODER, {"explained_variance": (0.5,)}, is_whole=True) is None
