"""Studies as data frames: of a real one, held against what the report and the storage say."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest

import sweep
from sweep.api.frames import EncoderLine, EpochLine, ReplicateLine, TrialLine
from sweep.api.study import LoadedStudy
from sweep.coordinator.documents import document
from sweep.reports import render
from sweep.reports.rows import Row
from tests.cli.process import TARGET


@pytest.fixture(scope="module")
def study(finished: Path) -> LoadedStudy:
    return sweep.load("tiny", home=finished)


def names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


def test_a_line_is_what_it_says(study: LoadedStudy) -> None:
    """A trial, a classifier, an epoch, an encoder; the columns are the declared ones, in order."""
    trials, replicates, curves = study.trials(), study.replicates(), study.curves()
    encoders = study.encoders()
    assert list(trials) == names(TrialLine)
    assert list(replicates) == names(ReplicateLine)
    assert list(curves) == names(EpochLine)
    assert list(encoders)[: len(names(EncoderLine))] == names(EncoderLine)
    assert len(trials) == TARGET
    assert len(replicates) == 4 * TARGET  # 2 draws of 2 classifiers
    assert len(curves) == 3 * TARGET
    assert len(encoders) == 4
    assert {"loss", "kl", "active_dimensions", "settings.epochs"} <= set(encoders)


def test_columns_have_types_even_where_nothing_stands(study: LoadedStudy) -> None:
    """Whole numbers stay whole beside those that are missing; moments are in UTC."""
    trials = study.trials()
    assert str(trials["latent_dim"].dtype) == str(trials["label_budget"].dtype) == "Int64"
    assert str(trials["started_at"].dtype) == "datetime64[ms, UTC]"
    assert (trials["finished_at"] > trials["started_at"]).all()
    assert trials.loc[trials["representation"] == "pixels", "latent_dim"].isna().all()
    assert str(study.encoders()["settings.epochs"].dtype) == "Int64"
    assert study.rows()["published_accuracy"].dtype == "float64"
    assert study.rows()["pareto"].dtype == "bool"


def test_frames_agree_with_each_other(study: LoadedStudy) -> None:
    """Means of replicates, ends of curves and report rows are the trials' accuracies."""
    accuracies = study.trials().set_index("trial")["accuracy"]
    assert accuracies.between(0, 1).all()
    means = study.replicates().groupby("trial")["accuracy"].mean()
    pd.testing.assert_series_equal(means, accuracies, check_names=False)
    ends = study.curves().groupby("trial")["val_accuracy"].last()
    pd.testing.assert_series_equal(ends, accuracies, check_names=False)
    rows = study.rows().set_index("trial").sort_index()["accuracy"]
    pd.testing.assert_series_equal(rows, accuracies, check_names=False)


def test_replicates_know_their_encoders(study: LoadedStudy) -> None:
    """Each stands on the one of its draw and its latent dimension; pixels stand on none."""
    replicates = study.replicates()
    joined = replicates.merge(study.encoders(), on="encoder", suffixes=("", "_of_encoder"))
    assert len(joined) == (replicates["representation"] == "vae").sum() == 16
    assert (joined["draw"] == joined["draw_of_encoder"]).all()
    assert (joined["latent_dim"] == joined["latent_dim_of_encoder"]).all()


def test_rows_are_the_report_s(study: LoadedStudy) -> None:
    """In its order, with its values; the MLflow runs are found."""
    rows = study.rows()
    kept = [name for name in Row.model_fields if name not in ("replicates", "varied")]
    assert list(rows) == ["trial", "configuration", *kept]
    written = document(study._recorded, {}, study._workspace.store)
    expected = json.loads(render.to_json([written.report]))["rows"]
    for name in ("representation", "accuracy", "inference_parameters", "test_accuracy", "pareto"):
        found = [None if pd.isna(value) else value for value in rows[name]]
        assert found == [row[name] for row in expected]
    assert rows["mlflow_run_ids"].map(len).eq(1).all()


def test_the_test_scores_are_those_of_what_was_selected(study: LoadedStudy) -> None:
    """A replicate has one where its row has one, and their mean is the row's."""
    scores = study.replicates().groupby("trial")["test_accuracy"].mean()
    rows = study.rows().set_index("trial").sort_index()["test_accuracy"]
    pd.testing.assert_series_equal(scores, rows, check_names=False)
    assert rows.notna().any()
    assert rows.isna().any()


def test_front_and_best(study: LoadedStudy) -> None:
    """The front grows in both; the best is the most accurate row."""
    front, rows = study.front(), study.rows()
    assert len(front) == rows["pareto"].sum() >= 1
    assert front["classifier_parameters"].is_monotonic_increasing
    assert front["accuracy"].is_monotonic_increasing
    assert study.best["accuracy"] == rows["accuracy"].max()
