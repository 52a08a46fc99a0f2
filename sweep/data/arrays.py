"""What the arrays of a file are: which are images, which are labels, and which belong together.

Names decide first, then shapes. What stays ambiguous is refused, and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.data.images import CLASSES, IMAGE_SIDE, MOST_IMAGES, checked_labels
from sweep.errors import DataError

_IMAGE_SHAPES = (
    (IMAGE_SIDE, IMAGE_SIDE),
    (IMAGE_SIDE, IMAGE_SIDE, 1),
    (1, IMAGE_SIDE, IMAGE_SIDE),
    (IMAGE_SIDE * IMAGE_SIDE,),
)
_LABEL_SHAPES = f"numbers (n,) or (n, 1), or one-hot rows 2 to {CLASSES} wide"
_IMAGE_WORDS = {"x", "image", "images", "img", "imgs", "pixels", "data"}
_LABEL_WORDS = {"y", "label", "labels", "target", "targets", "class", "classes", "digit", "digits"}
_LETTERS = {"x", "y"}
"""Also names of coordinates, as in ``y_pos``: they name nothing beside other words than these."""
_PARTS = {
    *("train", "training", "test", "testing", "val", "valid", "validation", "dev", "all"),
    *("part", "batch", "fold", "split", "set"),
}
_NEVER_MEANT = {
    *("fold", "folds", "split", "splits", "part", "parts", "partition", "batch", "set", "is"),
    *("id", "ids", "idx", "index", "indices"),
    *("group", "groups", "writer", "writers", "author", "authors", "user", "users", "subject"),
    *("pos", "position", "offset", "row", "column", "angle", "width", "height", "size", "weight"),
    *("weights", "mask", "masks", "age", "year", "date", "time"),
}
"""What else is told of images: where nothing is named as wanted, these are not taken for it."""


@dataclass(frozen=True)
class Wanted:
    """The arrays that the user names; None where names and shapes are to decide."""

    images: str | None = None
    labels: str | None = None


WHATEVER_IS_CLEAR = Wanted()


@dataclass(frozen=True)
class Array:
    """One array, as its header describes it; its values begin ``offset`` bytes into its file."""

    file: str
    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    offset: int

    @property
    def key(self) -> str:
        """Its name, as NumPy has it."""
        return self.file.removesuffix(".npy")

    @property
    def name(self) -> str:
        """Its name; fit for a message, whatever the file says."""
        return repr(self.key)[1:-1][:40]

    @property
    def words(self) -> tuple[str, ...]:
        """The words and numbers of its name: ``x`` and ``train`` of ``x_train`` or ``xTrain``."""
        apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", self.key)
        return tuple(re.findall(r"[a-z]+|\d+", apart.lower()))

    def is_named(self, words: set[str]) -> bool:
        """Whether its name says that it is what these words mean."""
        found = words & set(self.words)
        return bool(found - _LETTERS) or (bool(found) and self.is_plainly_named(words))

    def is_plainly_named(self, words: set[str]) -> bool:
        """Whether its name says so, and beside it at most which part: ``labels``, ``y_train``."""
        rest = _rest(self, words)
        return rest is not None and all(
            word in _PARTS or len(word) == 1 or word.isdigit() for word in rest
        )

    @property
    def is_never_meant(self) -> bool:
        return bool(_NEVER_MEANT & set(self.words))

    @property
    def may_be_images(self) -> bool:
        return self.shape[1:] in _IMAGE_SHAPES

    @property
    def may_be_labels(self) -> bool:
        """Numbers, or one-hot rows."""
        kind, rest = self.dtype.kind, self.shape[1:]
        if not self.shape or kind not in "iufb":
            return False
        return (rest in ((), (1,)) and kind != "b") or self.may_be_one_hot

    @property
    def may_be_one_hot(self) -> bool:
        return len(self.shape) == 2 and 2 <= self.shape[1] <= CLASSES

    def __str__(self) -> str:
        return f"{self.name} ({self.dtype!s:.40}, {self.shape!s:.40})"


def layout(path: Path, arrays: Sequence[Array], wanted: Wanted) -> list[tuple[Array, Array]]:
    """The arrays of images with those of labels that belong to them.

    Images are ``(n, 28, 28)``, ``(n, 28, 28, 1)``, ``(n, 1, 28, 28)`` or ``(n, 784)``; labels are
    numbers ``(n,)`` or ``(n, 1)``, or one-hot ``(n, 2 to 10)``. Where some of either are named as
    such (``x``, ``images``, ``pixels``, ``data``; ``y``, ``labels``, ``targets``, ``classes``,
    ``digits``), only they are taken, and of them those whose names say no more than that, if there
    are such. Where none is, what has the shape is taken, but for arrays like ``fold`` or ``id``.
    Several belong together by the rest of their names; those with "train" in them come first, as
    in Keras's ``x_train``, ``y_train``, ``x_test``, ``y_test``.

    Args:
        path: of the file, for messages.
        arrays: all of its arrays.
        wanted: those that the user names.

    Raises:
        DataError: nothing fits, or more than one reading does.
    """
    images = _chosen(path, arrays, wanted.images, _IMAGES)
    others = [array for array in arrays if wanted.labels or array not in images]
    labels = _chosen(path, others, wanted.labels, _LABELS)
    for each in images:
        if each.dtype != np.uint8:
            raise DataError(
                f"{path}: the images {each.name} are {each.dtype!s:.40} and not uint8",
                hint="save them as uint8, 0 (black) to 255: images from 0 to 1 times 255, rounded",
            )
    lengths = [each.shape[0] for each in images]
    if not lengths or lengths != [each.shape[0] for each in labels] or _cross(images, labels):
        raise DataError(
            f"{path} holds {', '.join(map(str, arrays[:8])) or 'no arrays'}; which are the images "
            "(uint8, 28 x 28 each) and which their labels (0 to 9, as many) is not clear",
            hint=f"{_SAY_WHICH}, or save one array of labels for each of images, named alike: "
            "x_train and y_train",
        )
    if min(lengths) < 0 or sum(lengths) > MOST_IMAGES:
        raise DataError(f"{path} claims {lengths!s:.80} images; at most {MOST_IMAGES:,} are read")
    return list(zip(images, labels, strict=True))


def as_labels(path: Path, array: Array, values: NDArray[Any]) -> NDArray[np.uint8]:
    """An array's values as labels uint8 ``(n,)``, 0 to 9.

    Raises:
        DataError: they are none: not whole, out of range, or rows that are not one-hot.
    """
    where = f"{path}: {array.name}"
    if array.may_be_one_hot:
        if not (np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all()):
            raise DataError(
                f"{where} is {values.shape[1]} wide, and its rows are not one-hot",
                hint="save the number of each image's class, 0 to 9",
            )
        values = values.argmax(axis=1)
    values = values.reshape(-1)
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        raise DataError(
            f"{where} has values that are no whole numbers",
            hint="save the number of each image's class, 0 to 9",
        )
    return checked_labels(where, values)


@dataclass(frozen=True)
class _Role:
    """What arrays may be: images, or labels."""

    name: str
    form: str
    words: set[str]
    fits: Callable[[Array], bool]
    least_dimensions: int
    """An array of fewer is no such array, whatever it is called: ``image_id``, ``n_classes``."""


_SAY_WHICH = "say so with dataset: {path: FILE, images: KEY, labels: KEY}"
_IMAGES = _Role(
    "images",
    f"grey images of {IMAGE_SIDE} x {IMAGE_SIDE}",
    _IMAGE_WORDS,
    lambda array: array.may_be_images,
    least_dimensions=2,
)
_LABELS = _Role(
    "labels", _LABEL_SHAPES, _LABEL_WORDS, lambda array: array.may_be_labels, least_dimensions=1
)


def _chosen(path: Path, arrays: Sequence[Array], key: str | None, role: _Role) -> list[Array]:
    """The array that the user names; else those of which names and shapes make it clear."""
    if key is None:
        return _clear(path, arrays, role)
    found = [array for array in arrays if array.key == key]
    if not found or not role.fits(found[0]):
        held = ", ".join(map(str, arrays[:8])) or "no arrays"
        is_there = "cannot be read as such" if found else "is not in it"
        raise DataError(
            f"{path}: the array {key!r:.60} {is_there}; it holds {held}",
            hint="name one of them: dataset: {path: FILE, images: KEY, labels: KEY}",
        )
    return found


def _clear(path: Path, arrays: Sequence[Array], role: _Role) -> list[Array]:
    """Those that are named so; where none is, those that fit and are not known to be else.

    Raises:
        DataError: what is named so does not fit, and something else is not taken in its place.
    """
    named = [
        array
        for array in arrays
        if array.is_named(role.words) and len(array.shape) >= role.least_dimensions
    ]
    named = [array for array in named if array.is_plainly_named(role.words)] or named
    if not named:
        return _in_order(each for each in arrays if role.fits(each) and not each.is_never_meant)
    fitting = _in_order(filter(role.fits, named))
    lengths = {array.shape[0] for array in fitting}
    odd = [
        each for each in named if each not in fitting and (not fitting or each.shape[0] in lengths)
    ]
    if odd:
        beside = f"; {fitting[0]}, of the same length, is also named so" if fitting else ""
        raise DataError(
            f"{path}: {', '.join(map(str, odd[:3]))} is named as {role.name}, and cannot be read "
            f"as such, which are {role.form}{beside}",
            hint=f"{_SAY_WHICH}, or save it in that form",
        )
    return fitting


def _in_order(arrays: Iterable[Array]) -> list[Array]:
    return sorted(arrays, key=lambda array: ("train" not in array.file.lower(), array.file))


def _cross(images: Iterable[Array], labels: Iterable[Array]) -> bool:
    """Whether the rest of their names says that they belong together otherwise than in order."""
    of_images = [_rest(array, _IMAGE_WORDS) for array in images]
    of_labels = [_rest(array, _LABEL_WORDS) for array in labels]
    return of_images != of_labels and None not in (*of_images, *of_labels) and len(of_images) > 1


def _rest(array: Array, words: set[str]) -> tuple[str, ...] | None:
    """The words of an array's name that do not say what it is; None if none does."""
    rest = tuple(word for word in array.words if word not in words)
    return None if len(rest) == len(array.words) else rest
