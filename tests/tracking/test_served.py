"""What a served model makes of pixels; ``tests/cli/test_register.py`` serves one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mlflow.exceptions import MlflowException

from sweep.tracking.served import as_bytes

IMAGES = arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(4), st.just(4)))


@given(images=IMAGES)
def test_pixels_on_either_scale_are_the_same_images(images: np.ndarray) -> None:
    """From 0 to 255 they stay; from 0 to 1 they come to the same."""
    assume((images > 1).any())
    np.testing.assert_array_equal(as_bytes(images.astype(np.float32)), images)
    unit = images.astype(np.float32) / np.float32(255)
    assume(((unit > 0) & (unit < 1)).any())
    np.testing.assert_array_equal(as_bytes(unit), images)


@given(images=IMAGES, factor=st.sampled_from([1.0, 1 / 255, 1 / 127.5, 2.0]))
def test_an_image_is_never_taken_for_another(images: np.ndarray, factor: float) -> None:
    """Whatever the scale: what is taken is the image on one of the two scales, or it is refused."""
    sent = images * factor
    try:
        taken = as_bytes(sent)
    except MlflowException:
        return
    on_255 = sent.max() <= 255 and np.array_equal(taken, np.rint(sent))
    on_1 = sent.max() <= 1 and np.array_equal(taken, np.rint(255 * sent))
    assert on_255 or on_1


def test_black_is_black() -> None:
    """On both scales, alone and beside others; no image at all is none."""
    black, grey = np.zeros((1, 2, 2)), np.full((1, 2, 2), 0.5)
    np.testing.assert_array_equal(as_bytes(black), black)
    np.testing.assert_array_equal(
        as_bytes(np.concatenate([black, grey])), [[[0, 0]] * 2, [[128, 128]] * 2]
    )
    assert as_bytes(np.zeros((0, 28, 28))).shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (np.array([[[0.0, np.nan]]]), "no number"),
        (np.array([[[-0.5, 1.0]]]), "negative"),
        (np.array([[[256.0]]]), "above 255"),
        (np.array([[[0.5]], [[200.0]]]), "some images go from 0 to 1"),
        (np.array([[[0.0, 1.0]]]), "0 or 1"),
    ],
)
def test_what_is_unclear_is_refused(images: np.ndarray, reason: str) -> None:
    """With what to send."""
    with pytest.raises(MlflowException, match=reason) as raised:
        as_bytes(images)
    assert "0 (black) to 255" in raised.value.message
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"  # status 400
