"""Thousands of malformed inputs: each is taken, or refused in a few clear lines with status 2."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import resource
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sweep.config import load_config
from sweep.coordinator.plan import plan
from sweep.data.datasets import DatasetFile, DatasetSource
from sweep.data.idx import read_idx
from sweep.data.npz import read_npz
from sweep.errors import InputError
from sweep.workspace import Workspace
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
from tests.data.test_npz import header

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


# YAML that JSON cannot say.
ODD = [
    "!!int ''", "!!bool maybe", "!!float ''", "!!timestamp x", "!!binary é", "!!set {a, [b]}",
    "!!omap [a: 1]", "!!pairs [a: 1]", "!!null {a: 1}", "!!python/name:os.system", "!local {a: 1}",
    "2020-99-99", "0x" + "f" * 5000, "0o777", "1_000", ".nan", "-.inf", "1e999", "{[[1]]: 2}",
    "{? {a: 1} : 2}", "{1: 2}", "{~: 2}", "{<<: 3}", "{<<: [{a: 1}, {a: 2}]}", "&a [*a]",
    "*unknown", "&a {<<: *a}", '"\\udcff"', '"\\e[2J\\n"', '"\\U7fffffff"', "'", '"', "|", ">-",
    "? ", "- ", "@a", "%A", "---", "...", "[" * 2000,
]  # fmt: skip
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
ANYTHING = st.sampled_from(ODD) | JUNK.map(json.dumps) | st.text(max_size=30)


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
            match draw(st.sampled_from(["replace", "enlarge", "remove", "add"])):
                case "replace":
                    at[place[-1]] = draw(JUNK)
                case "enlarge":  # what may still be valid, and much work
                    at[place[-1]] = draw(st.sampled_from([1000, 10_000, 100_000, 1_000_000]))
                case "remove":
                    del at[place[-1]]
                case "add":
                    at[draw(st.text(max_size=8))] = draw(JUNK)
    return json.dumps(document).encode()


@st.composite
def spliced(draw: st.DrawFn) -> bytes:
    """A valid config's text with something else in the place of a stretch of it."""
    begin, end = sorted(draw(st.integers(0, len(TINY))) for _ in range(2))
    end = min(end, begin + draw(st.sampled_from([0, 1, 5, 50])))
    return (TINY[:begin] + draw(ANYTHING) + TINY[end:]).encode(errors="surrogatepass")


def npz(save: Callable[..., None], **arrays: np.ndarray) -> bytes:
    content = io.BytesIO()
    save(content, **arrays)
    return content.getvalue()


@st.composite
def odd_arrays(draw: st.DrawFn) -> bytes:
    """A whole archive of arrays of any type and shape, pickled objects among them."""
    number = st.integers(0, 3) | st.sampled_from([28, 40])
    shapes = st.lists(number, max_size=4).map(tuple) | st.sampled_from([(2, 28, 28), (2,), (2, 1)])
    dtypes = st.sampled_from(["u1", "i1", "i8", "u8", "f4", "c8", "?", "S3", "U3", "M8[s]", "O"])
    names = st.sampled_from(["x_train", "y_train", "x_test", "y_test"]) | st.text(max_size=8)
    arrays = {
        draw(names).replace("\0", "") or "arr": np.zeros(draw(shapes), draw(dtypes))
        for _ in range(draw(st.integers(1, 4)))
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array, allow_pickle=True)
            archive.writestr(f"{name.encode(errors='replace').decode()}.npy", member.getvalue())
    return content.getvalue()


GOOD_NPZ = [
    npz(save, x_train=FEW_IMAGES, y_train=FEW_LABELS) for save in (np.savez, np.savez_compressed)
]
OVERRIDES = st.builds(
    "{}={}".format,
    st.sampled_from([".".join(map(str, place)) for place in PLACES]) | st.text(max_size=20),
    ANYTHING,
) | st.text(max_size=30)
IDX = {
    "train-images-idx3-ubyte": idx(FEW_IMAGES),
    "train-labels-idx1-ubyte": idx(FEW_LABELS),
    "t10k-images-idx3-ubyte": idx(FEW_IMAGES),
    "t10k-labels-idx1-ubyte": idx(FEW_LABELS),
}


def examples(
    number: int, strategy: st.SearchStrategy[Any], check: Callable[..., bool], *known: Any
) -> int:
    """Try a check on so many examples, and on those that are known; how many were tried."""
    tried = 0

    @settings(
        max_examples=number,
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=timedelta(minutes=2),  # none hangs, on a busy machine either
    )
    @given(strategy)
    def each(it: Any) -> None:
        nonlocal tried
        tried += 1
        assert check(it)

    for it in known:
        each = example(it)(each)
    each()
    return tried


def is_clear(error: InputError) -> bool:
    """Whether it is one line, or a line and at most a screenful of findings below it."""
    first, *findings = error.message.splitlines()
    return (
        error.exit_status == 2
        and all(line.isprintable() and len(line) < 500 for line in (first, *findings))
        and len(findings) <= 21
        and all(line.startswith("  ") for line in findings)
        and first.endswith(":") >= bool(findings)
    )


def test_thousands_of_inputs_are_taken_or_refused(tmp_path: Path) -> None:
    """In one process: nothing but an InputError is raised, and its memory stays what it was.

    A config that is taken is also planned, as ``sweep validate`` does.
    """
    mine, archive = tmp_path / "mine.npz", tmp_path / "damaged.npz"
    np.savez(mine, x=np.tile(IMAGES, (10, 1, 1)), y=np.tile(LABELS, 10))
    small = DatasetFile(path=str(mine))
    workspace = Workspace.at(tmp_path / "home", {})

    def is_config(content: bytes, *overrides: str, trials: int | None = None) -> bool:
        path = tmp_path / "mutated.yaml"
        path.write_bytes(content)
        try:
            config = load_config(path, overrides, trials)
        except InputError as error:
            is_named = any(it in error.message for it in ("mutated.yaml", "--set", "--trials"))
            return is_named and is_clear(error)
        try:
            DatasetSource.of(config.dataset, None)
            plan(config.model_copy(update={"dataset": small}), workspace, 2)
        except InputError as error:  # such as that the sampler needs PyTorch
            return is_clear(error)
        return True

    def is_npz(content: bytes) -> bool:
        archive.write_bytes(content)
        return is_valid_or_refused(lambda: read_npz(archive, "damaged"), archive.name)

    def is_idx(it: tuple[str, bytes, str]) -> bool:
        name, damage, where = it
        packed = where != "plain"
        for file, content in IDX.items():
            gz, plain = tmp_path / f"{file}.gz", tmp_path / file
            (plain if packed else gz).unlink(missing_ok=True)
            write_idx(gz if packed else plain, damage if file == name else content)
        if where == "gzip":
            (tmp_path / f"{name}.gz").write_bytes(damage)
        return is_valid_or_refused(lambda: read_idx(tmp_path, "damaged"), str(tmp_path))

    def damaged_idx(name: str, where: str) -> st.SearchStrategy[tuple[str, bytes, str]]:
        content = gzip.compress(IDX[name], mtime=0) if where == "gzip" else IDX[name]
        return st.tuples(st.just(name), damaged(content), st.just(where))

    one_idx = st.tuples(
        st.sampled_from(sorted(IDX)), st.sampled_from(["plain", "packed", "gzip"])
    ).flatmap(lambda it: damaged_idx(*it))
    tiny = TINY.encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tried = {
        "configs": examples(1200, mutated(), is_config),
        "texts": examples(800, spliced(), is_config),
        "bytes": examples(500, damaged(tiny) | st.binary(max_size=300), is_config, *FILES.values()),
        "overrides": examples(
            1200, OVERRIDES, lambda it: is_config(tiny, it), *OVERRIDDEN, *SURROGATES
        ),
        "pairs of overrides": examples(
            200, st.tuples(OVERRIDES, OVERRIDES), lambda it: is_config(tiny, *it)
        ),
        "--trials and --workers": examples(
            100,
            st.tuples(st.integers(0, 10**30), st.integers(1, 10**30)),
            lambda it: is_config(tiny, f"execution.workers={it[1]}", trials=it[0]),
            (1_000_000, 1024),
        ),
        "damaged .npz": examples(700, st.sampled_from(GOOD_NPZ).flatmap(damaged), is_npz),
        "odd .npz": examples(500, odd_arrays() | st.binary(max_size=300), is_npz),
        "idx": examples(1000, one_idx, is_idx),
    }
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    print(f"{sum(tried.values())} inputs, {grown:.0f} MB more: {tried}")
    assert sum(tried.values()) >= 6000
    assert grown < 300
    assert not workspace.home.root.exists()


def mappings(times: int) -> str:
    """Each merges the one before several times."""
    merged = (f"a{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * times)}]}}" for n in range(40))
    return "\n".join(["a0: &a0 {k: 1}", *merged]) + "\n"


ALIASES = "".join(
    f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 'lol'}]\n" for n in range(9)
)
FILES: dict[str, bytes] = {
    "empty": b"",
    "only a comment": b"# nothing\n",
    "a list": b"- a\n",
    "a text": b"hello",
    "two documents": TINY.encode() + b"---\nname: b\n",
    "a key twice": TINY.encode() + b"name: b\n",
    "a bomb of aliases": ALIASES.encode() + TINY.encode(),
    "a bomb as rows": ALIASES.encode() + TINY.encode().split(b"rows:")[0] + b"rows: *x8\n",
    "a bomb as a text": ALIASES.encode() + TINY.encode().replace(b"name: tiny", b"name: *x8"),
    "a bomb of mappings": mappings(9).encode() + TINY.encode(),
    "a doubling of mappings": mappings(2).encode() + TINY.encode(),
    "itself": b"&a {name: *a}",
    "an object": b"name: !!python/object/apply:os.system ['exit 7']\n",
    "a new object": b"name: !!python/object/new:os.system ['exit 7']\n",
    "not UTF-8": b"\xff\xfename: a",
    "UTF-16": TINY.encode("utf-16"),
    "a NUL": b"name: a\0b\n",
    "deep": b"a: " + b"[" * 5000,
    "deep and closed": b"a: " + b"[" * 3000 + b"]" * 3000,
    "large": b"#" * 2_000_000,
    "many keys": b"".join(b"k%d: 1\n" % n for n in range(5000)),
    "many wrong rows": TINY.encode().split(b"rows:")[0] + b"rows: [" + b"1," * 5000 + b"]\n",
    "not closed": b"name: [\n",
    "a tab": b"name:\n\t- a\n",
    "a long number": b"seed: " + b"9" * 5000,
    "a long hexadecimal number": TINY.encode().replace(b"seed: 3", b"seed: 0x" + b"9" * 5000),
    "a list as a key": b"{[[1]]: 1}",
    "a tag without its value": b"seed: !!int ''\nb: !!bool maybe\n",
    "a day that never was": b"name: 2020-99-99\n",
    "a binary": bytes(range(256)),
}
OVERRIDDEN = [
    "seed", "=1", "seed=", "seed=.nan", "seed=1e400", "a.b.c=1", "rows.99=1", "rows.x=1",
    "name=../../etc", "name=/etc/passwd", "name=.hidden", "name='a\\n'", "name=" + "a" * 65,
    "name=~", "representations=[]", "representations.vae.learning_rate=.inf",
    "partition={scheme: notebook}", "replicates.draws=1000000000000", ".".join("a" * 60_000) + "=1",
    "a\nb\x1b[2J=1",
    "dataset={path: /no/such.npz}", "dataset={path: /}", 'dataset={path: "~\\0/a.npz"}',
    "dataset={path: ~nobody-of-this-name/a.npz}", "dataset={path: /" + "a" * 5000 + "}",
    "search.sampler=best", "execution.workers=0",
]  # fmt: skip
# As Python reads arguments that are no UTF-8.
SURROGATES = ["name=\udcff", "\udcff=1"]
OPTIONS = [
    ("--trials", "-1"), ("--trials", "many"), ("--trials", "9" * 5000), ("--trials", "9" * 30),
    ("--workers", "0"), ("--workers", "9" * 30), ("--engine", "cloud"), ("--format", "xml"),
    ("--home", "~nobody-of-this-name"), ("--home", "/tmp/" + "a" * 5000), ("more",),
]  # fmt: skip
ENVIRONMENTS = [
    {"SWEEP_DATA_DIR": "~nobody-of-this-name"},
    {"SWEEP_STORAGE": "nonsense"},
    {"SWEEP_STORAGE": "sqlite:////no/such/directory/optuna.db"},
    {"SWEEP_STORAGE": "mysql://host:port/name"},
]


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
        case "bomb":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("y.npy", header((1_000_000,)))
                with archive.open("x.npy", "w") as images:
                    images.write(header((1_000_000, 28, 28)))
                    for _ in range(784):
                        images.write(bytes(1_000_000))
        case "other":
            np.savez(path, x=IMAGES[:, :9], y=LABELS)


DATA = ["directory", "pipe", "loop", "pickle", "huge", "text", "bomb", "other"]
DATA_BYTES = 600_000_000  # what a process may hold: less than the bomb unpacks to


def test_processes_refuse_in_clear_words(tmp_path: Path) -> None:
    """The same through the command line: status 2, what is wrong where, no traceback, in bounds."""
    good = tmp_path / "good.yaml"
    good.write_text(TINY)
    home = tmp_path / "home"
    cases: list[tuple[tuple[str, ...], dict[str, str]]] = []

    def add(*arguments: str, **env: str) -> None:
        default = () if "--home" in arguments or "SWEEP_HOME" in env else ("--home", str(home))
        cases.append(((*arguments, *default), env))

    for override in (*OVERRIDDEN, *SURROGATES):
        add(str(good), "--set", override)
    for number, (kind, content) in enumerate(FILES.items()):
        path = tmp_path / f"{number} {kind}.yaml"
        path.write_bytes(content)
        add(str(path))
    for kind in DATA:
        path = tmp_path / f"{kind}.npz"
        data_file(kind, path)
        add(str(good), "--set", f"dataset={{path: '{path}'}}")
    for options in OPTIONS:
        add(str(good), *options)
    for env in (*ENVIRONMENTS, {"SWEEP_HOME": str(tmp_path / "loop.npz")}):
        add(str(good), **env)
    for not_a_config in (
        tmp_path,
        tmp_path / "none.yaml",
        tmp_path / "pipe.npz",
        tmp_path / "[/x]",
    ):
        add(str(not_a_config))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))

    def check(case: tuple[tuple[str, ...], dict[str, str]]) -> str | None:
        arguments, env = case
        done = sweep("validate", *arguments, env=env, preexec_fn=limit)
        first, *more = done.stderr.splitlines() or [""]
        fine = (
            done.returncode == 2
            and "Traceback" not in done.stderr
            and first.startswith(("error: ", "Usage: "))
            and first.isprintable()
            and len(first) > 20
            and len(more) < 25
        )
        return None if fine else f"{case}: {done.returncode}: {done.stderr[-1000:]}"

    assert len(cases) >= 80
    with ThreadPoolExecutor(2) as pool:
        wrong = [answer for answer in pool.map(check, cases) if answer]
    assert not wrong, "\n".join(wrong)
    assert not home.exists()
    print(f"{len(cases)} processes")
