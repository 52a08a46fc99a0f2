"""Thousands of malformed inputs: each is taken, or refused in a few clear lines with status 2."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sweep.config import load_config
from sweep.data.idx import read_idx
from sweep.data.npz import read_npz
from sweep.errors import InputError
from tests.cli.process import TINY, sweep
from tests.data.damage import (
    FEW_IMAGES,
    FEW_LABELS,
    IMAGES,
    LABELS,
    damaged,
    idx,
    is_valid_or_refused,
    write_idx,
)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63) - 1, 10**400, 1e308, -0.0, "", "auto", "../..", "/", "\0"])
    | st.floats()
    | st.text(max_size=20),
    lambda each: (
        st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=8), each, max_size=4)
    ),
    max_leaves=8,
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a document."""
    keys: Any = tree if isinstance(tree, dict) else ()
    keys = range(len(tree)) if isinstance(tree, list) else keys
    return [path, *(place for key in keys for place in places(tree[key], (*path, key)))]


DOCUMENT = YAML(typ="safe", pure=True).load(TINY)
PLACES = [place for place in places(DOCUMENT) if place]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid config with things replaced, removed and added, as JSON, which is YAML."""
    document = deepcopy(DOCUMENT)
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        at: Any = document
        with contextlib.suppress(LookupError, TypeError):  # an earlier change took its way
            for key in place[:-1]:
                at = at[key]
            match draw(st.sampled_from(["replace", "remove", "add"])):
                case "replace":
                    at[place[-1]] = draw(JUNK)
                case "remove":
                    del at[place[-1]]
                case "add":
                    at[draw(st.text(max_size=8))] = draw(JUNK)
    return json.dumps(document).encode()


def npz() -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, x_train=FEW_IMAGES, y_train=FEW_LABELS)
    return content.getvalue()


OVERRIDES = st.builds(
    "{}={}".format,
    st.sampled_from([".".join(map(str, place)) for place in PLACES]) | st.text(max_size=20),
    JUNK.map(json.dumps) | st.text(max_size=30),
) | st.text(max_size=30)
IDX = {
    "train-images-idx3-ubyte": idx(FEW_IMAGES),
    "train-labels-idx1-ubyte": idx(FEW_LABELS),
    "t10k-images-idx3-ubyte": idx(FEW_IMAGES),
    "t10k-labels-idx1-ubyte": idx(FEW_LABELS),
}


def examples(number: int, strategy: st.SearchStrategy[Any], check: Callable[..., bool]) -> int:
    """Try a check on so many examples; how many were tried."""
    tried = 0

    @settings(max_examples=number, suppress_health_check=list(HealthCheck), database=None)
    @given(strategy)
    def each(example: Any) -> None:
        nonlocal tried
        tried += 1
        assert check(example)

    each()
    return tried


def test_thousands_of_inputs_are_taken_or_refused(tmp_path: Path) -> None:
    """In one process: nothing but an InputError is raised, and its memory stays what it was."""
    archive = tmp_path / "damaged.npz"

    def is_config(content: bytes, *overrides: str) -> bool:
        path = tmp_path / "mutated.yaml"
        path.write_bytes(content)
        try:
            load_config(path, overrides)
        except InputError as error:
            is_named = "mutated.yaml" in error.message or "--set" in error.message
            return error.exit_status == 2 and is_named and len(error.message) < 20_000
        return True

    def is_npz(content: bytes) -> bool:
        archive.write_bytes(content)
        return is_valid_or_refused(lambda: read_npz(archive, "damaged"), archive.name)

    def is_idx(example: tuple[str, bytes, bool]) -> bool:
        name, damaged_content, packed = example
        for file, content in (IDX | {name: damaged_content}).items():
            plain, gz = tmp_path / file, tmp_path / f"{file}.gz"
            (plain if packed else gz).unlink(missing_ok=True)
            write_idx(gz if packed else plain, content)
        return is_valid_or_refused(lambda: read_idx(tmp_path, "damaged"), str(tmp_path))

    one_idx = st.sampled_from(sorted(IDX)).flatmap(
        lambda name: st.tuples(st.just(name), damaged(IDX[name]), st.booleans())
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tried = {
        "configs": examples(1600, mutated(), is_config),
        "bytes": examples(600, damaged(TINY.encode()) | st.binary(max_size=300), is_config),
        "overrides": examples(1100, OVERRIDES, lambda it: is_config(TINY.encode(), it)),
        ".npz": examples(1000, damaged(npz()), is_npz),
        "idx": examples(1000, one_idx, is_idx),
    }
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    print(f"{tried}, {grown:.0f} MB more")
    assert sum(tried.values()) >= 5000
    assert grown < 300


BOMB = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 'lol'}]\n" for n in range(9))
FILES: dict[str, bytes] = {
    "empty": b"",
    "only a comment": b"# nothing\n",
    "a list": b"- a\n",
    "a text": b"hello",
    "two documents": TINY.encode() + b"---\nname: b\n",
    "a key twice": TINY.encode() + b"name: b\n",
    "a bomb of aliases": BOMB.encode() + TINY.encode(),
    "a bomb as rows": BOMB.encode() + TINY.encode().split(b"rows:")[0] + b"rows: *x8\n",
    "itself": b"&a {name: *a}",
    "an object": b"name: !!python/object/apply:os.system ['exit 7']\n",
    "a new object": b"name: !!python/object/new:os.system ['exit 7']\n",
    "not UTF-8": b"\xff\xfename: a",
    "a NUL": b"name: a\0b\n",
    "deep": b"a: " + b"[" * 5000,
    "deep and closed": b"a: " + b"[" * 3000 + b"]" * 3000,
    "large": b"#" * 2_000_000,
    "not closed": b"name: [\n",
    "a tab": b"name:\n\t- a\n",
    "a long number": b"seed: " + b"9" * 5000,
    "a binary": bytes(range(256)),
}
OVERRIDDEN = [
    "seed", "=1", "seed=", "seed=-1", "seed=.nan", "seed=1e400", "a.b.c=1", "rows.99=1", "rows.x=1",
    "name=../../etc", "name=/etc/passwd", "name=.hidden", "name=a b", "name=" + "a" * 65, "name=~",
    "representations=[]", "representations.vae.epochs=0", "representations.vae.epochs=1.5",
    "representations.vae.learning_rate=.inf", "representations.vae.batch_size=true",
    "replicates.draws=1000000000000", "partition.encoder=.9", "partition={scheme: notebook}",
    "dataset=imagenet", "dataset={path: /no/such.npz}", "dataset={path: /}", "dataset=[mnist]",
    "search.sampler=best", "search.objectives=[]", "execution.workers=0", "execution.engine=cloud",
]  # fmt: skip


def data_file(kind: str, path: Path) -> None:
    """Something that is no dataset."""
    match kind:
        case "directory":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path)
        case "pickle":
            np.savez(path, x=np.array([{}], dtype=object), y=LABELS)
        case "huge":
            path.touch()
            os.truncate(path, 2**40)
        case "text":
            path.write_text("x,y\n1,2\n")
        case "other":
            np.savez(path, x=IMAGES[:, :9], y=LABELS)


DATA = ["directory", "pipe", "loop", "pickle", "huge", "text", "other"]
_MEMORY = 4_000_000_000  # of addresses: libraries and their threads take more than half


def test_processes_refuse_in_clear_words(tmp_path: Path) -> None:
    """The same through the command line: status 2, what is wrong where, no traceback, in bounds."""
    good = tmp_path / "good.yaml"
    good.write_text(TINY)
    cases: list[tuple[str, ...]] = [(str(good), "--set", override) for override in OVERRIDDEN]
    for number, (kind, content) in enumerate(FILES.items()):
        path = tmp_path / f"{number} {kind}.yaml"
        path.write_bytes(content)
        cases.append((str(path),))
    for kind in DATA:
        path = tmp_path / f"{kind}.npz"
        data_file(kind, path)
        cases.append((str(good), "--set", f"dataset={{path: '{path}'}}"))
    cases += [(str(tmp_path),), (str(tmp_path / "none.yaml"),), (str(tmp_path / "pipe.npz"),)]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))

    def check(case: tuple[str, ...]) -> str | None:
        done = sweep("validate", *case, "--home", tmp_path / "home", preexec_fn=limit)
        first = done.stderr.splitlines()[0] if done.stderr else ""
        fine = done.returncode == 2 and "Traceback" not in done.stderr and len(first) > 10
        return None if fine else f"{case}: {done.returncode}: {done.stderr[-1000:]}"

    assert len(cases) >= 50
    with ThreadPoolExecutor(2) as pool:
        wrong = [answer for answer in pool.map(check, cases) if answer]
    assert not wrong, "\n".join(wrong)
    assert not (tmp_path / "home").exists()
    print(f"{len(cases)} processes")
