"""Verifying a bundle: whether every number of its report follows from its draws."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from sweep.bundles.contents import Bundle, UnreadableError, checksums, listed
from sweep.configuration import RepresentationSpec
from sweep.coordinator.documents import PAGE, Document, report_texts
from sweep.reports.charts import charts
from sweep.reports.comparison import Report
from sweep.reports.excerpt import Excerpt, excerpt, excerpts
from sweep.reports.page import unpacked
from sweep.reports.rows import row_name
from sweep.search.history import History

_REPORT = "report.json"
_ROWS = "rows"
"""Its list whose items go by their own names."""
_REPLICATES = ": replicates"
_TOLERANCE = 1e-9
"""Relative: another processor, or version of NumPy, may round the last bits of a sum otherwise."""


class Discrepancy(NamedTuple):
    """Something that does not agree."""

    place: str
    """A file; or a number of the report, as in ``vae 10 → 200, 13,859 labels: accuracy``."""
    written: str
    """What the bundle says there."""
    found: str
    """What follows from its draws."""


@dataclass(frozen=True)
class Verified:
    """What a bundle was found to hold."""

    study: str
    target: int
    """How many trials the study asks for."""
    complete: int
    rows: int
    draws: int
    """Those that the report follows from."""
    encoders: int
    numbers: int
    """How many numbers of the report were held against what follows from the draws."""
    pages: tuple[str, ...]
    """Those with an excerpt of the report, which was held against it."""
    discrepancies: tuple[Discrepancy, ...]


def verify(path: Path) -> Verified:
    """Work out a bundle's report from its draws, and hold it against what the bundle says.

    Nothing is trained, and no dataset is needed.

    Raises:
        InputError: there is no bundle, or nothing can be worked out from it.
    """
    bundle = Bundle.at(path)
    recorded = bundle.recorded()
    document = bundle.document(recorded)
    progress = History(bundle.config, recorded.attempts, recorded.retried).progress
    worked_out = document.report.model_dump(mode="json")
    compared = list(_leaves("", _report(path), worked_out))
    shown = list(_excerpts_of(path))
    return Verified(
        study=bundle.config.name,
        target=progress.target,
        complete=progress.complete,
        rows=len(document.report.rows),
        draws=len(bundle.draws),
        encoders=len(bundle.study.encoders),
        numbers=sum(isinstance(leaf.found, int | float) for leaf in compared),
        pages=tuple(dict.fromkeys(str(page) for page, _ in shown)),
        discrepancies=(
            *_changed_files(path),
            *_unbelievable(bundle),
            *(leaf.discrepancy for leaf in compared if not leaf.agrees),
            *_texts(path, document),
            *_other_excerpts(shown, document.report),
        ),
    )


def _changed_files(path: Path) -> Iterator[Discrepancy]:
    """Files that are not those which the bundle was written with."""
    written, there = listed(path), checksums(path)
    for name in sorted(written.keys() | there.keys()):
        if name not in there:
            yield Discrepancy(name, "in the bundle", "not there")
        elif name not in written:
            yield Discrepancy(name, "not in the bundle", "there")
        elif written[name] != there[name]:
            yield Discrepancy(name, f"SHA-256 {written[name][:8]}…", f"{there[name][:8]}…")


def _unbelievable(bundle: Bundle) -> Iterator[Discrepancy]:
    """Draws and assessments that cannot be what was trained, whatever the list of files says."""
    store = bundle.store
    for draw in bundle.draws.values():
        if store.draws.get(draw) is None:
            name = f"draws/{draw.key}.json"
            yield Discrepancy(name, draw.label, "not what was written of it")
    for assessment in bundle.assessed:
        if store.assessments.get(assessment) is None:
            name = f"assessments/{assessment.key}.json"
            yield Discrepancy(name, assessment.trial.label, "not what was written of it")


@dataclass(frozen=True)
class _Leaf:
    """A value of the report, as it is written and as it was worked out."""

    place: str
    written: Any
    found: Any

    @property
    def agrees(self) -> bool:
        """Whether they are the same, to the last bits of a sum."""
        if isinstance(self.written, float) and isinstance(self.found, float):
            return math.isclose(self.written, self.found, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        return bool(self.written == self.found)

    @property
    def discrepancy(self) -> Discrepancy:
        return Discrepancy(self.place, _shown(self.written), _shown(self.found))


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _report(path: Path) -> Any:
    try:
        return json.loads((path / _REPORT).read_bytes())
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path / _REPORT} cannot be read: {error}") from error


def _leaves(place: str, written: Any, found: Any) -> Iterator[_Leaf]:
    """All values of two documents, side by side; what only one of them has is None in the other."""
    if isinstance(found, dict) and isinstance(written, dict):
        for key in dict.fromkeys((*found, *written)):
            inner = f"{place}: {key}" if place else key
            yield from _leaves(inner, written.get(key), found.get(key))
    elif place.endswith(_REPLICATES):
        yield from _leaves(place, _by_name(written), _by_name(found))
    elif isinstance(found, list) and isinstance(written, list):
        within = "" if place == _ROWS else f"{place} "
        for number, (one, other) in enumerate(zip_longest(written, found), start=1):
            yield from _leaves(f"{within}{_name(other or one, number)}", one, other)
    else:
        yield _Leaf(place, written, found)


def _by_name(replicates: Any) -> Any:
    """The replicates of a row by what they are of; or what stands there instead."""
    try:
        return {f"draw {d + 1}, classifier {c + 1}": accuracy for d, c, accuracy in replicates}
    except (TypeError, ValueError):
        return str(replicates)


def _name(item: Any, number: int) -> str:
    """What an item of a list is of; else its number, from 1."""
    if isinstance(item, dict) and "hidden_neurons" in item and "labels" in item:
        latent_dim = item.get("latent_dim")
        spec = RepresentationSpec(name=item["representation"], latent_dim=latent_dim)
        name = row_name(spec, item["hidden_neurons"], item.get("varied") or {})
        return f"{name}, {item['labels']:,} labels"
    if isinstance(item, dict) and isinstance(item.get("configuration"), str):
        return f"{item['configuration']}, {number}"
    return str(number)


def _texts(path: Path, document: Document) -> Iterator[Discrepancy]:
    """Lines of the report's other files that do not follow from the same numbers."""
    for name, text in report_texts([document], charts([document.report])).items():
        if name == _REPORT:
            continue
        try:
            written = (path / name).read_text(encoding="utf-8")
            if name == PAGE:
                written, text = unpacked(written), unpacked(text)
        except (OSError, ValueError) as error:
            yield Discrepancy(name, str(error), "a file that can be read")
            continue
        yield from _first_difference(name, written, text)


def _first_difference(
    name: str, written: str, text: str, first_line: int = 1
) -> Iterator[Discrepancy]:
    """The first line of a file in which it differs from a text, if there is one."""
    lines = zip_longest(written.splitlines(), text.splitlines(), fillvalue="")
    for number, (line, expected) in enumerate(lines, start=first_line):
        if line != expected:
            yield Discrepancy(f"{name}, line {number}", *_around(line, expected))
            return


def _other_excerpts(shown: Sequence[tuple[Path, Excerpt]], report: Report) -> Iterator[Discrepancy]:
    """Lines of excerpts that are not the report's."""
    for page, found in shown:
        text = excerpt(report, found.path, found.chart)
        yield from _first_difference(str(page), found.text, text, found.line)


def _excerpts_of(path: Path) -> Iterator[tuple[Path, Excerpt]]:
    """The excerpts of a bundle's report in the README and manual of what it lies in."""
    for directory in path.absolute().parents:
        for page in (directory / "README.md", *sorted(directory.glob("docs/*.md"))):
            try:
                text = page.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # there is none; or it is another's, of a directory far above
            for found in excerpts(text):
                if (page.parent / found.path).resolve() == path.resolve():
                    yield page, found


def _around(line: str, expected: str) -> tuple[str, str]:
    """Two lines from a little before the first character in which they differ."""
    pairs = enumerate(zip_longest(line, expected))
    first = next(place for place, (one, other) in pairs if one != other)
    return line[max(0, first - 20) : first + 40], expected[max(0, first - 20) : first + 40]
