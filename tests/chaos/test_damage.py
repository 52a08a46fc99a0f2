"""Every kind of file in a home, damaged in every way, before every command.

The law: no command ends in a traceback or hangs; and what it prints are the numbers of the home
before the damage, or it ends with a status that is not 0 and a message that names the file or the
study and says what to do. A run that ends with 0 has mended what the report stands on.

The command line, the files of a home and what commands print as JSON are all that is known of the
package here. The default is a part of the cases in which every kind of file, every damage and every
command occurs; ``--damage all`` tries all of them, which takes half an hour, and on a
busy machine more than one.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

from tests.cli.forked import Ended, Forks
from tests.cli.process import environment, free_port, start

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

_BLOCK = "labels_from: classifier, classifier: {epochs: 2, batch_size: 64, learning_rate: 0.001}"
_COMMON = """
partition: {scheme: fractions, encoder: .3, classifier: .3, validation: .2, test: .2}
seed: 3
replicates: {draws: 2, classifiers: 2}
"""
_PIXELS = "  - {representation: pixels, hidden_neurons: 10}"
MAIN = f"""
name: main
{_COMMON}
representations:
  vae:
    {{epochs: 1, batch_size: 100, learning_rate: 0.001, trials: 1,
     space: {{latent_dim: {{choices: [2, 3]}}, hidden_neurons: {{low: 4, high: 16}}}}, {_BLOCK}}}
  pca: {{{_BLOCK}}}
  pixels: {{{_BLOCK}}}
search: {{sampler: random}}
rows:
  - {{representation: pca, latent_dim: 2, hidden_neurons: 8}}
{_PIXELS}
"""
OTHER = """
name: {name}
{common}
representations:
  pixels: {{{block}}}
rows:
{rows}
"""

KINDS = {
    "encoder's manifest": "encoders/*/manifest.json",
    "encoder's record": "encoders/*/record.json",
    "vae's weights": "encoders/*/weights.npz",
    "vae's means": "encoders/*/means.npy",
    "pca's components": "encoders/*/pca.npz",
    "pca's features": "encoders/*/features.npy",
    "encoder's picture": "encoders/*/*.png",
    "draw": "draws/*.json",
    "assessment": "assessments/*.json",
    "model": "models/*/model.keras",
    "model's record": "models/*/record.json",
    "model's manifest": "models/*/manifest.json",
    "studies": "optuna.db",
    "mlflow's runs": "mlflow.db",
    "study's lock": "locks/study-*.lock",
    "encoder's lock": "locks/encoder-*.lock",
    "model's lock": "locks/model-*.lock",
    "studies' lock": "locks/optuna.db.lock",
    "mlflow's lock": "locks/mlflow.db.lock",
    "worker's log": "logs/*/worker-*.log",
    "registration's log": "logs/*/register.log",
    "artifact json": "mlartifacts/*/*/artifacts/report.json",
    "artifact text": "mlartifacts/*/*/artifacts/config.yaml",
    "artifact page": "mlartifacts/*/*/artifacts/report.html",
    "artifact plot": "mlartifacts/*/*/artifacts/*.svg",
    "artifact picture": "mlartifacts/*/*/artifacts/latent_space.png",
    "MLflow model's facts": "mlartifacts/*/models/*/artifacts/MLmodel",
    "MLflow model": "mlartifacts/*/models/*/artifacts/artifacts/model.keras",
}
"""A pattern for each kind of file."""
DIRECTORIES = ("logs", "locks", "draws", "assessments", "checkpoints")
"""What a home has directories of; whoever clears it by hand removes them whole."""
ALIKE = (
    "mlartifacts/*/*/artifacts/report.*",
    "mlartifacts/*/*/artifacts/*.png",
    "mlartifacts/*/*/artifacts/*.pdf",
    "mlartifacts/*/*/artifacts/provenance.json",
    "mlartifacts/*/models/*/artifacts/**/*",
)
"""Files that are read and written as others are that are tried."""

NAMED_APART = (
    *("encoder's picture", "draw", "assessment", "study's lock", "encoder's lock"),
    *("worker's log", "artifact plot", "artifact picture"),
)
"""Kinds whose files have different names."""

NUMBERS = {
    "encoder's record": r'"active_dimensions":\s*\[(\d)',
    "draw": r'"val_accuracy":\s*\[[01]\.\d(\d)',
    "assessment": r'"accuracies":\s*\[\[[01]\.(\d)',
    "model's record": r'"accuracy":\s*[01]\.(\d)',
    "artifact json": r'"accuracy":\s*[01]\.(\d)',
}
"""In text files with results, a digit of one."""
DATABASE_NUMBERS = {
    "studies": (
        "SELECT rowid, value_json FROM trial_user_attributes WHERE key = 'result' ORDER BY rowid",
        r'"accuracy":\s*0\.(\d)',
        "UPDATE trial_user_attributes SET value_json = ? WHERE rowid = ?",
    ),
    "mlflow's runs": (
        "SELECT rowid, value FROM latest_metrics WHERE key = 'accuracy' ORDER BY rowid",
        r"0\.(\d)",
        "UPDATE latest_metrics SET value = ? WHERE rowid = ?",
    ),
}

DAMAGES = ("byte", "half", "deleted", "directory", "another", "number", "gone")
"""``byte``: one in the middle changed, to another digit where there is one; ``number``: a digit of
a result; ``gone``: a directory with all that was in it."""
_LIGHT = (
    *("status", "report", "status main", "compare", "store", "doctor", "validate", "retry"),
    *("trials", "bundle", "prune", "remove"),
)
_HEAVY = ("ui", "run", "sync", "register")
COMMANDS = (*_LIGHT, *_HEAVY)
# Where nothing is damaged they take less than half a second, and less than ten; a busy machine
# takes longer, and SQLite waits for a minute for a database that another process has locked.
_LIGHT_SECONDS, _HEAVY_SECONDS = 90, 180

# What differs between two runs that did the same: when, how long it took, where MLflow shows it,
# and the environment, which names the revision of the checkout.
_TIMES = re.compile(r"seconds|_ms$|^(began|ended)$|mlflow|^new$|^environments?$")


@dataclass(frozen=True)
class Case:
    """A damage to a kind of file, and a command that meets it."""

    kind: str
    damage: str
    command: str

    def __str__(self) -> str:
        return f"{self.kind} - {self.damage} - {self.command}"


def all_cases() -> list[Case]:
    """Every case; a number can only be changed where one is."""
    return [
        Case(kind, damage, command)
        for command in COMMANDS
        for damage in DAMAGES
        for kind in KINDS
        if damage != "gone" and (damage != "number" or kind in (NUMBERS | DATABASE_NUMBERS))
    ] + [Case(kind, "gone", command) for command in COMMANDS for kind in DIRECTORIES]


def some_cases() -> list[Case]:
    """Every damage to every kind of file before one of the commands, which take turns.

    Those that take seconds have each ninth damage for themselves, and directories that are gone.
    """
    damages = list(dict.fromkeys((case.kind, case.damage) for case in all_cases()))
    gone = [(kind, "gone") for kind in DIRECTORIES]
    return [
        *(Case(*damage, command) for damage, command in zip(damages, cycle(_LIGHT))),
        *(Case(*damage, command) for damage, command in zip(damages[::9], cycle(_HEAVY))),
        *(Case(*damage, command) for damage, command in zip(gone, cycle(_HEAVY))),
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--damage")
        cases = all_cases() if chosen == "all" else some_cases()
        metafunc.parametrize("case", cases, ids=str)


class Damaged:
    """A finished home and its numbers; copies of it, at its own place, are damaged."""

    def __init__(self, directory: Path, forks: Forks) -> None:
        self._forks = forks
        self._configs = directory / "configs"
        self._configs.mkdir()
        self._pristine, self._elsewhere = directory / "pristine", directory / "elsewhere"
        self.home = directory / "home"
        self._make(directory / "digits.npz")
        shutil.copytree(self.home, self._pristine)
        self.truth = {command: self._numbers(command) for command in COMMANDS}

    def _make(self, data: Path) -> None:
        save_digits(data)
        dataset = f"dataset: {{path: {data}}}{_COMMON}"
        (self._configs / "main.yaml").write_text(MAIN.replace(_COMMON, dataset))
        for name, neurons in (("other", 10), ("elsewhere", 9)):
            rows = _PIXELS.replace("10", str(neurons))
            text = OTHER.format(name=name, common=dataset, block=_BLOCK, rows=rows)
            (self._configs / f"{name}.yaml").write_text(text)
        for name, home in (
            ("main", self.home),
            ("other", self.home),
            ("elsewhere", self._elsewhere),
        ):
            config = self._configs / f"{name}.yaml"
            self._succeed("run", config, "--home", home, "--workers", 1)
        self._succeed("register", "main", "--home", self.home)
        small = ("--min-accuracy", 0, "--name", "small")
        self._succeed("register", "main", *small, "--home", self.home)

    def _succeed(self, *arguments: object) -> Ended:
        ended = self._forks.sweep(*arguments, env=environment())
        assert ended.status == 0, ended.err
        return ended

    def restore(self) -> None:
        """Put the home back as it was before any damage."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self._pristine, self.home)

    def file(self, kind: str) -> Path:
        """The file of a kind that is damaged: one that the study uses, and its model."""
        found = sorted(self.home.glob(KINDS[kind]))
        if kind in ("model", "model's record"):
            accurate = [path for path in found if '"pixels"' in _record(path)]
            return accurate[0]
        in_main = [path for path in found if "main" in path.relative_to(self.home).as_posix()]
        if kind in ("encoder's manifest", "encoder's record"):
            in_main = [path for path in found if (path.parent / "weights.npz").exists()]
        return (in_main or found)[0]

    def another(self, kind: str) -> Path:
        """Another valid file of the kind, of the same home if it has one."""
        file = self.file(kind)
        found = sorted(self.home.glob(KINDS[kind])) + sorted(self._elsewhere.glob(KINDS[kind]))
        others = [
            path
            for path in found
            if path.resolve() != file.resolve() and (path.name == file.name or kind in NAMED_APART)
        ]
        if not others:  # there is one of its kind
            return next(path for path in sorted(file.parent.iterdir()) if path != file)
        siblings = _names(file.parent)
        return next((path for path in others if _names(path.parent) == siblings), others[0])

    def damage(self, kind: str, damage: str) -> Path:
        """Damage a file of the kind; its path."""
        if damage == "gone":
            shutil.rmtree(self.home / kind)
            return self.home / kind
        file = self.file(kind)
        content = file.read_bytes()
        match damage:
            case "byte":
                file.write_bytes(_with_another_byte(content))
            case "half":
                file.write_bytes(content[: len(content) // 2])
            case "deleted":
                file.unlink()
            case "directory":
                file.unlink()
                file.mkdir()
            case "another":
                shutil.copyfile(self.another(kind), file)
            case "number" if kind in DATABASE_NUMBERS:
                _change_in_database(file, *DATABASE_NUMBERS[kind])
            case "number":
                file.write_text(_with_another_digit(file.read_text(), NUMBERS[kind]))
        return file

    def run(self, command: str) -> Ended:
        """Run one of the commands, with JSON where it has it."""
        if command == "ui":
            return self._look()
        json_of = ("--format", "json")
        main = self._configs / "main.yaml"
        arguments: dict[str, tuple[object, ...]] = {
            "status": ("status", *json_of),
            "status main": ("status", "main", *json_of),
            "report": ("report", "main", *json_of),
            "compare": ("compare", "main", "other", *json_of),
            "store": ("store", *json_of),
            "doctor": ("doctor", *json_of),
            "validate": ("validate", main, *json_of),
            "retry": ("retry", "main"),
            "trials": ("trials", "main", *json_of),
            "bundle": ("bundle", "main", "--out", self.home.with_name("bundle")),
            "prune": ("store", "--prune", "--yes", *json_of),
            "remove": ("remove", "main", "--yes"),
            "sync": ("sync", "main"),
            "register": ("register", "main", *json_of),
            "run": ("run", main, "--workers", 1, *json_of),
        }
        limit = _HEAVY_SECONDS if command in _HEAVY else _LIGHT_SECONDS
        whole = (*arguments[command], "--home", self.home)
        return self._forks.sweep(*whole, env=environment(), timeout=limit)

    def _look(self) -> Ended:
        """Start the UI, look at its page of studies, and stop it; what was seen is what it said."""
        began, process = time.monotonic(), start("ui", "--home", self.home, "--port", free_port())
        assert process.stdout is not None
        said = process.stdout.readline()
        if (page := re.search(r"http\S+", said)) is not None:
            try:
                with urlopen(page[0], timeout=_LIGHT_SECONDS) as response:
                    said += response.read().decode()
            except HTTPError as error:
                said += f"Traceback: status {error.code} of {page[0]}: {error.read().decode()}"
            process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=_HEAVY_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return Ended(None, said, "", time.monotonic() - began)
        return Ended(process.returncode, said + out, err, time.monotonic() - began)

    def _numbers(self, command: str) -> Any:
        """What a command prints of the home before any damage."""
        self.restore()
        ended = self.run(command)
        assert ended.status == 0 or command == "doctor", ended.err
        return numbers(command, ended)


def save_digits(path: Path) -> None:
    """A few images of ten kinds: a bright bar in one of ten places, and noise."""
    random = np.random.default_rng(0)
    labels = np.arange(600, dtype=np.uint8) % 10
    images = random.integers(0, 60, (600, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 6, 4:24] += 150
    np.savez(path, x=images, y=labels)


def _record(path: Path) -> str:
    return (path.parent / "record.json").read_text()


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def _with_another_byte(content: bytes) -> bytes:
    """With the digit that is nearest to the middle changed, or, where it is no text, the middle."""
    if not content:
        return b"1"
    middle, changed = len(content) // 2, bytearray(content)
    if b"\0" in content:
        changed[middle] ^= 0xFF
        return bytes(changed)
    digits = [place for place, byte in enumerate(content) if chr(byte).isdigit()]
    place = min(digits, key=lambda place: abs(place - middle), default=middle)
    changed[place] = ord(_other_digit(chr(changed[place]))) if digits else changed[place] ^ 1
    return bytes(changed)


def _other_digit(digit: str) -> str:
    return str((int(digit) + 1) % 10)


def _with_another_digit(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text[:500]
    begin, end = found.span(1)
    return text[:begin] + _other_digit(found[1]) + text[end:]


def _change_in_database(file: Path, select: str, pattern: str, update: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        rows = connection.execute(select).fetchall()
        row, text = next(each for each in rows if re.search(pattern, str(each[1])))
        changed = connection.execute(update, (_with_another_digit(str(text), pattern), row))
        assert changed.rowcount == 1


def numbers(command: str, ended: Ended) -> Any:
    """The numbers that a command has printed, without times and places; None where it prints none.

    Where a study's page is, ``status`` says as long as it is there.
    """
    if command in ("store", "prune", "doctor", "retry", "sync", "bundle", "remove", "ui"):
        return None
    printed = json.loads(ended.out)
    if command.startswith("status"):
        for study in printed["studies"]:
            del study["page"]
    if command == "validate":  # what is to be trained differs if something is damaged
        del printed["encoders_trained"]
    return _without_times(printed)


def _without_times(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _without_times(value) for k, value in tree.items() if not _TIMES.search(k)}
    return [_without_times(value) for value in tree] if isinstance(tree, list) else tree


def differences(truth: Any, found: Any, at: str = "") -> Iterator[str]:
    """Where numbers are missing, and where others are said."""
    if truth == found:
        return
    if isinstance(truth, dict) and isinstance(found, dict):
        for key in truth | found:
            yield from differences(truth.get(key), found.get(key), f"{at}.{key}")
    elif isinstance(truth, list) and isinstance(found, list) and len(truth) == len(found):
        for place, (one, other) in enumerate(zip(truth, found, strict=True)):
            yield from differences(one, other, f"{at}[{place}]")
    elif found in (None, [], {}) or (isinstance(found, list) and len(found) < len(truth or ())):
        yield f"missing: {at} = {found}, was {truth}"[:200]
    else:
        yield f"another number: {at} = {found}, was {truth}"[:200]


def violations(command: str, ended: Ended, file: Path, truth: Any) -> Iterator[str]:
    """What is against the law in how a command ended."""
    said = ended.out + ended.err
    if ended.status is None:
        yield "hangs"
        return
    if ended.status < 0:
        yield f"ended by signal {-ended.status}"
    if "Traceback" in said:
        last = [line for line in said.splitlines() if line.strip()][-1]
        yield f"traceback: {last.strip()}"
        return
    if ended.status != 0:
        yield from _unclear(command, ended, file)
        return
    try:
        found = numbers(command, ended)
    except ValueError:
        yield "ends with 0, and prints no JSON"
        return
    warned = "" if ended.err.strip() else " (without a word)"
    for difference in differences(truth, found):
        yield f"ends with 0{warned}, {difference}"


def _unclear(command: str, ended: Ended, file: Path) -> Iterator[str]:
    """What a message lacks: what happened, to what, and what to do."""
    messages = ended.err
    says_what = re.search(r"^(error|hint): \S", messages, re.MULTILINE)
    says_how = re.search(r"^hint: \S", messages, re.MULTILINE)
    if command == "doctor" and ended.out:
        findings = json.loads(ended.out)["findings"]
        problems = [each for each in findings if each["level"] == "problem"]
        messages += json.dumps(problems)
        says_how = says_how or re.search(r'"mend": "[^"]', messages)
    if not says_what:
        yield "ends with a status that is not 0, and says neither what happened nor what to do"
    named = ["main", file.name, *re.findall(r"[0-9a-f]{32}", str(file))]
    if not any(name in messages for name in named):
        yield "the message names neither the file nor the study"
    if not says_how:
        yield "the message does not say what to do"


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Damaged]:
    """Made once; MLflow writes down where it is, so that every copy takes its place."""
    forks = Forks()
    try:
        yield Damaged(tmp_path_factory.mktemp("damage"), forks)
    finally:
        forks.close()


def test_every_kind_of_file_is_tried(damaged: Damaged) -> None:
    """No file of a home is left out, and what is tried by default misses no kind or command."""
    damaged.restore()
    known = {path for pattern in (*KINDS.values(), *ALIKE) for path in damaged.home.glob(pattern)}
    files = {path for path in damaged.home.rglob("*") if path.is_file()}
    assert not sorted(files - known)
    some = some_cases()
    assert {case.kind for case in some} == {*KINDS, *DIRECTORIES}
    assert all((damaged.home / name).is_dir() for name in DIRECTORIES)
    assert {case.damage for case in some} == set(DAMAGES)
    assert {case.command for case in some} == set(COMMANDS)
    for kind in KINDS:
        assert damaged.another(kind).is_file()


def test_the_numbers_are_right_or_nothing_is_said(damaged: Damaged, case: Case) -> None:
    """No traceback, no hang; the undamaged home's numbers, or a message that helps.

    After a run that ended with 0, the report's numbers are the undamaged home's.
    """
    damaged.restore()
    file = damaged.damage(case.kind, case.damage)
    ended = damaged.run(case.command)
    found = list(violations(case.command, ended, file, damaged.truth[case.command]))
    if case.command == "run" and ended.status == 0:
        report = damaged.run("report")
        if report.status != 0:
            found.append(f"run ends with 0, and report with {report.status}: {report.err[:300]}")
        else:
            after = violations("report", report, file, damaged.truth["report"])
            found += [f"report after run: {each}" for each in after]
    end = "\n".join([*ended.err.splitlines()[-12:], ended.out[:300]])
    assert not found, "\n".join([f"{case}: {file.relative_to(damaged.home)}", *found, end])
