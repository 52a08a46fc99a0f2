"""``.npz`` files: any arrays of images and labels, or a refusal that names the file."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.data.arrays import Wanted
from sweep.data.images import MOST_IMAGES
from sweep.data.npz import read_npz
from sweep.errors import DataError
from tests.data.damage import (
    FEW_IMAGES,
    FEW_LABELS,
    IMAGES,
    LABELS,
    damaged,
    is_valid_or_refused,
    peak_megabytes,
)


def write(path: Path, **arrays: Any) -> Path:
    good = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:10], "y_test": LABELS[:10]}
    kept = {key: value for key, value in (good | arrays).items() if value is not None}
    np.savez(path, **kept)
    return path


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def write_members(path: Path, **members: bytes) -> Path:
    """A .npz whose members are these bytes, whole and with their right checksums."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def header(shape: tuple[int, ...]) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    return content.getvalue()


def test_keras_s_layout(tmp_path: Path) -> None:
    """Training and test images are stacked, training first; any integers do for labels."""
    dataset = read_npz(write(tmp_path / "mine.npz", y_train=LABELS.astype(">i8")), "mine")
    assert dataset.name == "mine"
    np.testing.assert_array_equal(dataset.images, np.concatenate([IMAGES, IMAGES[:10]]))
    np.testing.assert_array_equal(dataset.labels, np.concatenate([LABELS, LABELS[:10]]))
    assert dataset.labels.dtype == np.uint8
    only = write(tmp_path / "only.npz", x_test=None, y_test=None)
    assert len(read_npz(only, "only").labels) == 40


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": IMAGES, "labels": LABELS},
        {"images": IMAGES[..., None], "labels": LABELS[:, None].astype(np.int64)},
        {"images": np.asfortranarray(IMAGES), "labels": LABELS.astype(np.uint64)},
        {"pixels": IMAGES, "classes": LABELS, "names": np.array(list("abc")), "version": 3},
        {"b_Train": IMAGES[:30], "l_Train": LABELS[:30], "a": IMAGES[30:], "k": LABELS[30:]},
    ],
)
def test_arrays_of_any_name(arrays: dict[str, Any], tmp_path: Path) -> None:
    """Shape and type tell images from labels; names only pair them, those with "train" first."""
    np.savez_compressed(tmp_path / "mine.npz", **arrays)
    dataset = read_npz(tmp_path / "mine.npz", "mine")
    np.testing.assert_array_equal(dataset.images, IMAGES)
    np.testing.assert_array_equal(dataset.labels, LABELS)
    assert dataset.images.flags.c_contiguous


SAVED: dict[str, Callable[[Path], object]] = {
    "one-hot beside a fold": lambda path: np.savez(
        path, images=IMAGES, labels=np.eye(10, dtype=np.float32)[LABELS], fold=LABELS[::-1]
    ),
    "one-hot of truths": lambda path: np.savez(path, x=IMAGES, y=np.eye(10, dtype=bool)[LABELS]),
    "whole-numbered floats": lambda path: np.savez(path, x=IMAGES, y=LABELS / 1.0),
    "flat": lambda path: np.savez(path, x=IMAGES.reshape(-1, 784), y=LABELS),
    "channels first": lambda path: np.savez(path, data=IMAGES[:, None], targets=LABELS),
    "ids beside": lambda path: np.savez(path, x=IMAGES, y=LABELS, ids=np.arange(40)),
    "a writer beside": lambda path: np.savez(
        path, images=IMAGES, labels=LABELS, writer=LABELS[::-1].astype(np.int64)
    ),
    "digits beside their labels": lambda path: np.savez(path, digits=IMAGES, label=LABELS),
    "a class's number": lambda path: np.savez(
        path, images=IMAGES, class_id=LABELS, class_names=np.array(list("abc")), n_classes=10
    ),
    "things of images": lambda path: np.savez(
        path, images=IMAGES, labels=LABELS, image_id=np.arange(40), y_pos=LABELS[::-1]
    ),
    "folds": lambda path: np.savez(
        *(path,), x_fold_1=IMAGES[:9], x_fold_2=IMAGES[9:], y_fold_1=LABELS[:9], y_fold_2=LABELS[9:]
    ),
    "packed by macOS": lambda path: write_members(
        path, **{"x": npy(IMAGES), "y": npy(LABELS), "__MACOSX/._x": b"\0\5\x16\7Mac OS X"}
    ),
    "version 3": lambda path: write_members(path, x=version_3(npy(IMAGES)), y=npy(LABELS)),
}


def version_3(content: bytes) -> bytes:
    """An array's file with a header as NumPy writes it for names that are not Latin."""
    return b"\x93NUMPY\x03\x00" + content[8:10] + b"\0\0" + content[10:]


@pytest.mark.parametrize("kind", SAVED)
def test_what_is_clear_is_read(kind: str, tmp_path: Path) -> None:
    """Names decide before shapes; labels may be one-hot, or floats that are whole numbers."""
    SAVED[kind](tmp_path / "mine.npz")
    dataset = read_npz(tmp_path / "mine.npz", "mine")
    np.testing.assert_array_equal(dataset.images, IMAGES)
    np.testing.assert_array_equal(dataset.labels, LABELS)


AMBIGUOUS: dict[str, dict[str, Any]] = {
    "two sets of labels": {"images": IMAGES, "labels": LABELS, "y": LABELS[::-1]},
    "two that may be labels": {"a": IMAGES, "b": np.eye(10)[LABELS], "c": LABELS[::-1]},
    "a fold alone": {"images": IMAGES, "fold": LABELS},
    "a position alone": {"images": IMAGES, "y_pos": LABELS},
    "a mask alone": {"mask": IMAGES, "labels": LABELS},
    "a split and writers": {"x": IMAGES, "isTrain": LABELS % 2, "writer_id": LABELS},
    "two sets of images beside a name": {"digits": IMAGES, "label": IMAGES[::-1], "k": LABELS},
    "two sets of images": {"x": IMAGES, "pixels": IMAGES[::-1], "y": LABELS},
    "crossed": {
        "x_1": IMAGES[:20],
        "x_2": IMAGES[20:],
        "y_2": LABELS[20:],
        "y_3": LABELS[:20],
    },
}


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_what_is_ambiguous_is_refused_until_it_is_said(kind: str, tmp_path: Path) -> None:
    """The refusal lists what is there; naming the arrays settles it."""
    arrays = AMBIGUOUS[kind]
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DataError, match=r"mine\.npz holds .* is not clear") as raised:
        read_npz(tmp_path / "mine.npz", "mine")
    assert "images: KEY, labels: KEY" in str(raised.value.hint)
    assert all(f"{key} (" in raised.value.message for key in arrays)
    images, *_, labels = arrays
    dataset = read_npz(tmp_path / "mine.npz", "mine", Wanted(images, labels))
    np.testing.assert_array_equal(dataset.images, arrays[images])
    np.testing.assert_array_equal(dataset.labels, arrays[labels])


UNFIT: dict[str, tuple[str, dict[str, Any]]] = {
    "words": ("labels", {"images": IMAGES, "labels": LABELS.astype("U5"), "fold": LABELS}),
    "bytes": ("labels", {"images": IMAGES, "labels": LABELS.astype("S5"), "code": LABELS}),
    "too wide": ("y", {"x": IMAGES, "y": np.eye(12)[LABELS], "code": LABELS}),
    "deep": ("targets", {"x": IMAGES, "targets": LABELS[:, None, None], "code": LABELS}),
    "complex": ("labels", {"x": IMAGES, "labels": LABELS * 1j, "code": LABELS}),
    "another picture": ("label", {"x": IMAGES, "label": IMAGES, "code": LABELS}),
    "of the test": ("y_test", {"x": IMAGES, "y_test": LABELS.astype("U5"), "code": LABELS}),
    "beside a position": (
        "labels",
        {"images": IMAGES, "labels": LABELS.astype("U5"), "y_pos": LABELS},
    ),
    "beside one that fits": ("labels", {"x": IMAGES, "labels": LABELS.astype("U5"), "y": LABELS}),
    "a property of classes": (
        "my_labels",
        {"x": IMAGES, "my_labels": LABELS.astype("U5"), "class_weight": LABELS},
    ),
    "colours": (
        "images",
        {"images": np.stack([IMAGES] * 3, -1), "mask": IMAGES, "labels": LABELS},
    ),
    "colours beside anything": (
        "img_rgb",
        {"img_rgb": np.stack([IMAGES] * 3, -1), "depth": IMAGES, "labels": LABELS},
    ),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_what_is_named_so_and_does_not_fit_is_not_replaced(kind: str, tmp_path: Path) -> None:
    """Another array of the right shape is no answer; the refusal names the one, and its form."""
    name, arrays = UNFIT[kind]
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DataError, match=rf"mine\.npz: {name} \(.*\) is named as") as raised:
        read_npz(tmp_path / "mine.npz", "mine")
    assert "images: KEY, labels: KEY" in str(raised.value.hint)
    images, *_, labels = arrays
    if not kind.startswith("colours"):
        dataset = read_npz(tmp_path / "mine.npz", "mine", Wanted(images, labels))
        np.testing.assert_array_equal(dataset.labels, LABELS)


@pytest.mark.parametrize("wanted", [Wanted("images", "y"), Wanted(labels="x"), Wanted("y")])
def test_an_array_that_is_not_there_is_refused(wanted: Wanted, tmp_path: Path) -> None:
    """As is one that has another form; with what is there."""
    np.savez(tmp_path / "mine.npz", x=IMAGES, y=LABELS)
    with pytest.raises(DataError, match=r"the array '.*; it holds x \(uint8"):
        read_npz(tmp_path / "mine.npz", "mine", wanted)


@given(cuts=st.lists(st.integers(0, 40), max_size=8))
def test_how_it_is_cut_into_arrays_changes_nothing(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Parts named in order, empty ones too, are the whole again."""
    path = tmp_path_factory.getbasetemp() / "cut.npz"
    images, labels = (np.split(array, sorted(cuts)) for array in (IMAGES, LABELS))
    arrays: dict[str, Any] = {f"images{number}": part for number, part in enumerate(images)}
    arrays |= {f"labels{number}": part for number, part in enumerate(labels)}
    np.savez(path, **arrays)
    dataset = read_npz(path, "cut")
    np.testing.assert_array_equal(dataset.images, IMAGES)
    np.testing.assert_array_equal(dataset.labels, LABELS)


def test_the_content_decides_the_hash(tmp_path: Path) -> None:
    """Not the file's name, nor how its labels are stored."""
    first = read_npz(write(tmp_path / "a.npz"), "a")
    second = read_npz(write(tmp_path / "b.npz", y_train=LABELS.astype(np.int32)), "b")
    changed = read_npz(write(tmp_path / "c.npz", x_train=IMAGES ^ 1), "c")
    assert first.sha256 == second.sha256 != changed.sha256


def encrypted(path: Path) -> None:
    """The bit that marks a member as encrypted, in its own header and in the directory's entry."""
    content = bytearray(write_members(path, x_train=npy(IMAGES)).read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def not_deflated(path: Path) -> None:
    """A block of no known type where the first member's packed bytes begin."""
    content = bytearray(write_members(path, x=npy(IMAGES), y=npy(LABELS)).read_bytes())
    content[30 + len("x.npy")] = 0xFF
    path.write_bytes(content)


def packed_with(method: int) -> Callable[[Path], object]:
    def write_packed(path: Path) -> None:
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("x_train.npy", npy(IMAGES))
            archive.writestr("y_train.npy", npy(LABELS))

    return write_packed


BROKEN: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "directory": lambda path: path.mkdir(),
    "not a zip": lambda path: path.write_bytes(b"hello"),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(write(path).read_bytes()[:-500]),
    "encrypted": encrypted,
    "not deflated": not_deflated,
    "bzip2": packed_with(zipfile.ZIP_BZIP2),
    "lzma": packed_with(zipfile.ZIP_LZMA),
    "other arrays": lambda path: np.savez(path, a=IMAGES[0]),
    "not .npy inside": lambda path: write_members(path, x_train=b"no"),
    "version 4": lambda path: write_members(path, x=b"\x93NUMPY\x04\x00" + npy(LABELS)[8:]),
    "small images": lambda path: write(path, x_train=IMAGES[:, :20, :20]),
    "labels between": lambda path: write(path, y_train=LABELS / 2),
    "labels of nan": lambda path: write(path, y_train=LABELS * np.nan),
    "probabilities": lambda path: write(path, y_train=np.full((40, 10), 0.1)),
    "two hot": lambda path: write(path, y_train=np.eye(10)[LABELS] + np.eye(10)[::-1][LABELS]),
    "durations": lambda path: write(path, y_train=LABELS.astype("m8[s]")),
    "label 10": lambda path: write(path, y_train=LABELS + 1),
    "negative label": lambda path: write(path, y_train=LABELS.astype(int) - 1),
    "label of 65 bits": lambda path: write(path, y_train=LABELS.astype(np.uint64) + 2**63),
    "no images": lambda path: write(
        path, x_train=IMAGES[:0], y_train=LABELS[:0], x_test=None, y_test=None
    ),
    "one class": lambda path: write(path, y_train=LABELS * 0, y_test=LABELS[:10] * 0),
    "objects": lambda path: write(path, y_train=np.array([{}] * 40, dtype=object)),
    "negative": lambda path: write_members(path, x=header((-1, 28, 28)), y=header((-1,))),
    "values missing": lambda path: write_members(path, x=npy(IMAGES)[:-1], y=npy(LABELS)),
    "values left over": lambda path: write_members(path, x=npy(IMAGES) + b"a", y=npy(LABELS)),
}


def described(shape: str = "(40, 28, 28)", descr: str = "'|u1'") -> bytes:
    """The header of an array, word for word."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def long_name(path: Path) -> None:
    """An archive whose directory names a file otherwise than the file's own header does."""
    content = bytearray(write_members(path, **{"x" * 60_000: npy(IMAGES)}).read_bytes())
    content[30] ^= 1
    path.write_bytes(content)


WORDY: dict[str, Callable[[Path], object]] = {
    "many dimensions": lambda path: write_members(path, x=described(f"({'1,' * 4000})")),
    "long numbers": lambda path: write_members(
        path, x=described(f"({'9' * 4000}, 28, 28)"), y=described(f"({'9' * 4000},)")
    ),
    "longer numbers": lambda path: write_members(path, x=described(f"(0x{'f' * 9000},)")),
    "many fields": lambda path: write_members(path, x=described(descr=f"'{'i4,' * 3000}'")),
    "deep": lambda path: write_members(path, x=described("-" * 9000 + "1")),
    "an escape": lambda path: write_members(path, x=described(descr=r"'\d'")),
    "a long name": long_name,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", WORDY)
def test_a_refusal_is_one_line(kind: str, tmp_path: Path) -> None:
    """However much there is in the file that could be said, and however Python reads it."""
    path = tmp_path / "wordy.npz"
    WORDY[kind](path)
    with pytest.raises(DataError, match=r"wordy\.npz") as raised:
        read_npz(path, "wordy")
    assert raised.value.message.isprintable()
    assert len(raised.value.message) < 500


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    """As a DataError that names the file, whatever is wrong with it."""
    path = tmp_path / "broken.npz"
    BROKEN[kind](path)
    with pytest.raises(DataError, match=r"broken\.npz") as raised:
        read_npz(path, "broken")
    assert raised.value.exit_status == 2


class MakesDirectory:
    """Unpickling it makes a directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


@pytest.mark.parametrize("place", ["x_train", "y_train", "other"])
def test_nothing_is_unpickled(place: str, tmp_path: Path) -> None:
    """A dataset from somewhere runs no code, even where its arrays are refused, or left alone."""
    evil = np.array([MakesDirectory(tmp_path / "made")] * 40, dtype=object)
    path = write(tmp_path / "evil.npz", **{place: evil})
    assert is_valid_or_refused(lambda: read_npz(path, "evil"), "evil.npz")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.bool_])
def test_images_of_another_type_are_refused_with_what_to_do(dtype: type, tmp_path: Path) -> None:
    """Nobody guesses whether they go to 1 or to 255."""
    path = write(tmp_path / "float.npz", x_test=IMAGES[:10].astype(dtype))
    with pytest.raises(
        DataError, match=r"float\.npz: the images x_test are .* not uint8"
    ) as raised:
        read_npz(path, "float")
    assert "uint8, 0 (black) to 255" in str(raised.value.hint)


@pytest.mark.parametrize("arrays", [{"y_train": LABELS[:30]}, {"y_test": None}, {"x_test": None}])
def test_what_does_not_match_is_listed(arrays: dict[str, Any], tmp_path: Path) -> None:
    """With the file, and every array's name, type and shape."""
    path = write(tmp_path / "odd.npz", **arrays)
    with pytest.raises(DataError, match=r"odd\.npz holds .*x_train \(uint8, \(40, 28, 28\)\)") as e:
        read_npz(path, "odd")
    assert "y_train (uint8, (" in e.value.message


ZEROS = bytes(200_000_000)
LONG_HEADER = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(ZEROS))
FILLING: dict[str, dict[str, bytes]] = {
    "claims all": {"x": header((MOST_IMAGES, 28, 28)), "y": header((MOST_IMAGES,))},
    "claims more": {"x": header((MOST_IMAGES + 1, 28, 28)), "y": header((MOST_IMAGES + 1,))},
    "claims more together": {
        f"{kind}{number}": header((MOST_IMAGES - 1, *size))
        for number in range(2)
        for kind, size in (("x", (28, 28)), ("y", ()))
    },
    "claims terabytes": {"x": header((3_000_000_000, 28, 28)), "y": header((3_000_000_000,))},
    "unpacks to more": {"x": npy(IMAGES) + ZEROS, "y": npy(LABELS)},
    "long header": {"x": LONG_HEADER + ZEROS},
}


@pytest.mark.parametrize("kind", FILLING)
def test_what_a_file_claims_takes_no_memory(kind: str, tmp_path: Path) -> None:
    """Neither a header's promise nor what a few kilobytes unpack to."""
    path = write_members(tmp_path / "bomb.npz", **FILLING[kind])
    assert peak_megabytes(lambda: read_npz(path, "bomb")) < 10


def small_file(save: Callable[..., None]) -> bytes:
    content = io.BytesIO()
    save(content, x_train=FEW_IMAGES, y_train=FEW_LABELS)
    return content.getvalue()


@given(content=st.sampled_from([np.savez, np.savez_compressed]).map(small_file).flatmap(damaged))
def test_a_damaged_archive_is_valid_or_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever bytes of it were lost or changed."""
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(content)
    assert is_valid_or_refused(lambda: read_npz(path, "damaged"), "damaged.npz")


@given(x=damaged(npy(FEW_IMAGES)[:128]), y=st.just(npy(FEW_LABELS)) | damaged(npy(FEW_LABELS)))
def test_a_damaged_array_is_valid_or_refused(
    x: bytes, y: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where the archive's checksums are right, so that numpy's parsers meet the damage."""
    path = tmp_path_factory.getbasetemp() / "arrays.npz"
    write_members(path, x=x + npy(FEW_IMAGES)[128:], y=y)
    assert is_valid_or_refused(lambda: read_npz(path, "arrays"), "arrays.npz")
