"""A study's report: its rows, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from sweep.reports.front import front_shares, on_front
from sweep.reports.pairs import Candidate, Difference, differences
from sweep.reports.provenance import Provenance
from sweep.reports.rows import (
    EncodedDraw,
    FrontPlace,
    Measured,
    Row,
    encoded_draws,
    layout,
    make_row,
)
from sweep.trial import Value


class Confusion(Value):
    """How the classifiers of a selected configuration confuse the classes of the test partition."""

    configuration: str
    counts: tuple[tuple[int, ...], ...]
    """By true class (outer) and predicted class, all replicates added."""
    class_accuracies: tuple[float | None, ...]
    """Fraction of each class that is predicted right; null for a class without images."""


class Report(Value):
    """A study's rows and what follows from them."""

    study: str
    scored_on: Literal["validation", "test"]
    """The partition that ``accuracy`` was taken on."""
    is_mnist: bool
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    encoded: tuple[EncodedDraw, ...]
    confusions: tuple[Confusion, ...]
    """Of each representation that was assessed, its most accurate with the most labels."""
    provenance: Provenance


def compare(
    study: str,
    measured: Sequence[Measured],
    scored_on: Literal["validation", "test"],
    is_mnist: bool,
    provenance: Provenance,
) -> Report:
    """The report of a study, rows in the order of ``measured``.

    Args:
        study: its name.
        measured: its completed trials; what they were assessed to counts for what is selected,
            and not for what another study, or an earlier state of this one, has selected.
        scored_on: the partition that their accuracies were taken on.
        is_mnist: whether its dataset is all of MNIST; only then are published rows set beside.
        provenance: where the numbers come from.
    """
    measured = [
        trial if is_selected else replace(trial, assessment=None)
        for trial, is_selected in zip(measured, selected(measured), strict=True)
    ]
    rows = tuple(
        make_row(trial, is_mnist, front)
        for trial, front in zip(measured, _fronts(measured), strict=True)
    )
    return Report(
        study=study,
        scored_on=scored_on,
        is_mnist=is_mnist,
        rows=rows,
        differences=differences([_candidate(trial) for trial in measured]),
        encoded=tuple(draw for trial in measured for draw in encoded_draws(trial)),
        confusions=_confusions(measured),
        provenance=provenance,
    )


def selected(measured: Sequence[Measured]) -> list[bool]:
    """What a study selects: of each label budget both Pareto fronts, and so the most accurate.

    Where all is scored on the test partition, nothing was searched: there it is every row.
    """
    return [
        front.classifier or front.inference or trial.spec.scored_on == "test"
        for trial, front in zip(measured, _fronts(measured), strict=True)
    ]


def _fronts(measured: Sequence[Measured]) -> list[FrontPlace]:
    fronts = [FrontPlace() for _ in measured]
    for budget in {trial.spec.label_budget for trial in measured}:
        places = [n for n, trial in enumerate(measured) if trial.spec.label_budget == budget]
        results = [measured[place].result for place in places]
        draws = np.array([layout(result).values.mean(axis=1) for result in results])
        for counted in ("classifier", "inference"):
            parameters = np.array([getattr(result, f"{counted}_parameters") for result in results])
            found = on_front(np.array([result.accuracy for result in results]), parameters)
            shares = front_shares(draws, parameters) if draws.shape[1] > 1 else [None] * len(places)
            for place, is_on, share in zip(places, found, shares, strict=True):
                setattr(fronts[place], counted, bool(is_on))
                if share is not None:
                    setattr(fronts[place], f"{counted}_share", float(share))
    return fronts


def _candidate(trial: Measured) -> Candidate:
    return Candidate(
        name=trial.spec.label,
        representation=trial.spec.representation.name,
        label_budget=trial.spec.label_budget,
        labels=trial.result.labels,
        classifier_parameters=trial.result.classifier_parameters,
        inference_parameters=trial.result.inference_parameters,
        draws=tuple(layout(trial.result).values.mean(axis=1).tolist()),
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
                configuration=trial.spec.label,
                counts=counts,
                class_accuracies=tuple(
                    row[label] / sum(row) if sum(row) else None for label, row in enumerate(counts)
                ),
            )
        )
    return tuple(found)


def _rank(trial: Measured) -> tuple[float, float]:
    """Most labels first, then most accurate."""
    budget = trial.spec.label_budget
    return math.inf if budget is None else budget, trial.result.accuracy
