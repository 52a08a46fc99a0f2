"""A study's report: its rows, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Literal

import numpy as np
from pydantic import Field

from sweep.configuration import DEFAULT_OPTIMIZER, ClassifierTraining
from sweep.reports.encoders import EncodedDraw, EncoderFit, encoder_fits
from sweep.reports.front import front_shares, on_front
from sweep.reports.intervals import FEWEST_DRAWS
from sweep.reports.pairs import COUNTED, Candidate, Difference, differences
from sweep.reports.printed import PrintedComparison, printed_comparisons
from sweep.reports.provenance import Provenance
from sweep.reports.published import published_match
from sweep.reports.rows import (
    FrontPlace,
    Measured,
    Row,
    encoded_draws,
    make_row,
)
from sweep.reports.verdicts import PublishedDifference, published_differences
from sweep.representations import undertrained
from sweep.specs import CLASSIFIER
from sweep.values import Value


class Confusion(Value):
    """How the classifiers of a selected configuration confuse the classes of the test partition."""

    configuration: str
    labels: int
    counts: tuple[tuple[int, ...], ...]
    """By true class (outer) and predicted class, all replicates added."""
    class_accuracies: tuple[float | None, ...]
    """Fraction of each class that is predicted right; null for a class without images."""


class Report(Value):
    """A study's rows and what follows from them."""

    schema_version: Literal[2] = 2
    """2: rows have replicates and gaps, and what follows from them holds equal labels together."""
    study: str
    scored_on: Literal["validation", "test"]
    """The partition that ``accuracy`` was taken on."""
    is_mnist: bool
    rows: tuple[Row, ...]
    searched: tuple[Row, ...] = ()
    """All that the search saw, where ``rows`` are what of it was confirmed on fresh draws."""
    search_readings: tuple[str, ...] = ()
    """How the search of each representation did against chance, on what it has seen."""
    undertrained: tuple[str, ...] = ()
    """The representations whose encoders had too few updates to learn anything, a sentence each."""
    differences: tuple[Difference, ...]
    published_differences: tuple[PublishedDifference, ...]
    printed: tuple[PrintedComparison, ...]
    encoded: tuple[EncodedDraw, ...]
    encoder_fits: tuple[EncoderFit, ...]
    confusions: tuple[Confusion, ...]
    """Of each representation that was assessed, its most accurate with the most labels."""
    provenance: Provenance
    unfinished: str | None = Field(default=None, exclude=True)
    """How far a study is that has not ended well, or still runs: of a moment, and not in JSON."""

    @property
    def title(self) -> str:
        """The study's name, and how far it is if that is not all the way."""
        return self.study if self.unfinished is None else f"{self.study} ({self.unfinished})"


def compare(
    study: str,
    measured: Sequence[Measured],
    scored_on: Literal["validation", "test"],
    is_mnist: bool,
    provenance: Provenance,
    searched: Sequence[Measured] = (),
    search_readings: Sequence[str] = (),
    unfinished: str | None = None,
) -> Report:
    """The report of a study, rows in the order of ``measured``.

    Args:
        study: its name.
        measured: its completed trials; what they were assessed to counts for what is selected,
            and not for what another study, or an earlier state of this one, has selected.
        scored_on: the partition that their accuracies were taken on.
        is_mnist: whether its dataset is all of MNIST; only then are published rows set beside.
        provenance: where the numbers come from.
        searched: the trials of the search, where ``measured`` are what of it was confirmed.
        search_readings: how the search of each representation did.
        unfinished: how far the study is, if it has not ended well.
    """
    every = [*measured, *searched]
    measured, searched = _told_apart(measured, every), _told_apart(searched, every)
    fronts = _fronts(measured)
    measured = [
        trial if _is_selected(trial, front) else replace(trial, assessment=None)
        for trial, front in zip(measured, fronts, strict=True)
    ]
    _note_shares(measured, fronts)
    by_trial = [encoded_draws(trial) for trial in measured]
    matches = [
        (match, trial.accuracies)
        for trial in measured
        if (match := published_match(trial.spec, is_mnist))
    ]
    return Report(
        study=study,
        scored_on=scored_on,
        is_mnist=is_mnist,
        rows=_rows(measured, fronts, is_mnist),
        searched=_rows(searched, _fronts(searched), is_mnist),
        search_readings=tuple(search_readings),
        undertrained=_undertrained(measured),
        differences=differences([_candidate(trial) for trial in measured]),
        published_differences=published_differences(matches),
        printed=printed_comparisons(measured, is_mnist),
        encoded=tuple(chain(*by_trial)),
        encoder_fits=tuple(fit for each in by_trial for fit in encoder_fits(each)),
        confusions=_confusions(measured),
        provenance=provenance,
        unfinished=unfinished,
    )


def _told_apart(trials: Sequence[Measured], among: Sequence[Measured]) -> list[Measured]:
    """Of one name and equal labels, trials have in their names how their classifiers' training
    differs from the others': rows may have one of their own.
    """
    alike: dict[tuple[str, int], list[ClassifierTraining]] = {}
    for trial in among:
        alike.setdefault((trial.name, trial.result.labels), []).append(trial.spec.classifier)
    found = []
    for trial in trials:
        others = alike[trial.name, trial.result.labels]
        differs = {
            f"{CLASSIFIER}{name}": DEFAULT_OPTIMIZER if value is None else value
            for name, value in trial.spec.classifier
            if any(getattr(other, name) != value for other in others)
        }
        found.append(replace(trial, varied={**trial.varied, **differs}))
    return found


def _rows(
    measured: Sequence[Measured], fronts: Sequence[FrontPlace], is_mnist: bool
) -> tuple[Row, ...]:
    return tuple(
        make_row(trial, is_mnist, front) for trial, front in zip(measured, fronts, strict=True)
    )


def selected(measured: Sequence[Measured]) -> list[bool]:
    """What a study selects: of each number of labels both Pareto fronts, and so the most accurate.

    Where all is scored on the test partition, nothing was searched: there it is every row.
    """
    fronts = _fronts(measured)
    return [_is_selected(trial, front) for trial, front in zip(measured, fronts, strict=True)]


def _is_selected(trial: Measured, front: FrontPlace) -> bool:
    return front.classifier or front.inference or trial.spec.scored_on == "test"


def _fronts(measured: Sequence[Measured]) -> list[FrontPlace]:
    """The places on both fronts; how sure they are is not known yet."""
    fronts = [FrontPlace() for _ in measured]
    for places in _by_labels(measured):
        results = [measured[place].result for place in places]
        for counted in COUNTED:
            parameters = np.array([getattr(result, f"{counted}_parameters") for result in results])
            found = on_front(np.array([result.accuracy for result in results]), parameters)
            for place, is_on in zip(places, found, strict=True):
                setattr(fronts[place], counted, bool(is_on))
    return fronts


def _note_shares(measured: Sequence[Measured], fronts: Sequence[FrontPlace]) -> None:
    """Note how sure every place is, where there are enough draws; it takes thousands of fronts."""
    for places in _by_labels(measured):
        draws = np.array([measured[place].accuracies.values.mean(axis=1) for place in places])
        if draws.shape[1] < FEWEST_DRAWS:
            continue
        for counted in COUNTED:
            parameters = np.array(
                [getattr(measured[place].result, f"{counted}_parameters") for place in places]
            )
            for place, share in zip(places, front_shares(draws, parameters), strict=True):
                setattr(fronts[place], f"{counted}_share", float(share))


def _undertrained(measured: Sequence[Measured]) -> tuple[str, ...]:
    """By the encoders that had the fewest updates."""
    fewest: dict[str, int] = {}
    for trial in measured:
        name = trial.spec.representation.name
        for encoder in trial.encoders:
            if encoder.updates is not None:
                fewest[name] = min(encoder.updates, fewest.get(name, encoder.updates))
    return tuple(filter(None, (undertrained(name, count) for name, count in fewest.items())))


def _by_labels(measured: Sequence[Measured]) -> Iterator[list[int]]:
    """Where those of each number of labels stand."""
    for labels in {trial.result.labels for trial in measured}:
        yield [n for n, trial in enumerate(measured) if trial.result.labels == labels]


def _candidate(trial: Measured) -> Candidate:
    spec, assessment = trial.spec, trial.assessment
    # Where the study itself is scored on the test partition there is no second score.
    tested = assessment.accuracies if assessment and spec.scored_on == "validation" else None
    return Candidate(
        name=trial.name,
        representation=spec.representation.name,
        labels=trial.result.labels,
        classifier_parameters=trial.result.classifier_parameters,
        inference_parameters=trial.result.inference_parameters,
        scored_on=spec.scored_on,
        draws=tuple(trial.accuracies.values.mean(axis=1).tolist()),
        test_draws=tuple(np.mean(tested, axis=1).tolist()) if tested else None,
    )


def _confusions(measured: Sequence[Measured]) -> tuple[Confusion, ...]:
    best: dict[str, Measured] = {}
    for trial in measured:
        if trial.assessment:
            name = trial.spec.representation.name
            if name not in best or _rank(trial) > _rank(best[name]):
                best[name] = trial
    found = []
    for trial in best.values():
        assert trial.assessment
        counts = trial.assessment.confusion
        found.append(
            Confusion(
                configuration=trial.name,
                labels=trial.result.labels,
                counts=counts,
                class_accuracies=tuple(
                    row[label] / sum(row) if sum(row) else None for label, row in enumerate(counts)
                ),
            )
        )
    return tuple(found)


def _rank(trial: Measured) -> tuple[int, float]:
    """Most labels first, then most accurate."""
    return trial.result.labels, trial.result.accuracy
