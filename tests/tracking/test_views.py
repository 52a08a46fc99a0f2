"""The pages of MLflow's UI: what of a study they show."""

from __future__ import annotations

import json
from typing import Any

from sweep.tracking.views import Varied, shared_view


def shown(varied: Varied) -> tuple[list[str], dict[str, list[str]]]:
    """The table's columns, and the axes of each chart of configurations."""
    state: dict[str, Any] = json.loads(str(shared_view(varied)["state"]))
    assert state["columnWidths"].keys() == set(state["selectedColumns"])
    charts = [each for each in state["compareRunCharts"] if each["type"] == "PARALLEL"]
    return state["selectedColumns"], {each["uuid"]: each["selectedParams"] for each in charts}


def test_what_a_study_varies_has_a_column_and_an_axis() -> None:
    """Beside latent dimension and neurons, which every search has; a chart has the axes that all
    of its runs have."""
    columns, charts = shown({"vae": ["vae.beta", "learning_rate"], "pixels": ["learning_rate"]})
    assert columns[-4:] == [
        *("params.`latent_dim`", "params.`hidden_neurons`"),
        *("params.`vae.beta`", "params.`learning_rate`"),
    ]
    assert charts == {
        "all": ["representation", "learning_rate", "hidden_neurons"],
        "latents": ["representation", "latent_dim", "learning_rate", "hidden_neurons"],
        "vae": ["latent_dim", "vae.beta", "learning_rate", "hidden_neurons"],
    }


def test_a_study_that_varies_no_more_shows_no_more() -> None:
    """As of two studies, the one that asks for nothing is shown as it always was."""
    columns, charts = shown({"vae": [], "pixels": []})
    assert columns == shown({})[0]
    assert columns[-1] == "params.`hidden_neurons`"
    assert charts == {
        "all": ["representation", "hidden_neurons"],
        "latents": ["representation", "latent_dim", "hidden_neurons"],
    }
