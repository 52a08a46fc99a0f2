"""Looking without touching: estimates that cost nothing, and studies that are not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweep.config import StudyConfig, load_config
from sweep.coordinator.plan import plan
from sweep.coordinator.studies import open_study
from sweep.errors import ConfigError
from sweep.results import DataFacts
from sweep.search.ledger import Ledger
from sweep.search.space import directions
from sweep.search.storage import open_storage
from sweep.workspace import Workspace
from tests.cli.process import TINY


@pytest.fixture
def config(tmp_path: Path) -> StudyConfig:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return load_config(path)


def test_an_encoder_of_few_updates_is_warned_of(config: StudyConfig, tmp_path: Path) -> None:
    """By its representation and its updates; neither the configs that ship nor pca and pixels."""
    (warning,) = plan(config, Workspace.at(tmp_path, {}), 2).warnings
    assert warning.startswith("vae: 5 updates are too few")
    assert "more epochs or a smaller batch_size" in warning
    quickstart = Path("study_configs/quickstart.yaml")
    planned = plan(load_config(quickstart), Workspace.at(tmp_path, {}), 2)
    assert planned.warnings == ()
    assert planned.data == "mnist-5k: comes with the installation"
    # 3,000 images in batches of 32: 94 updates an epoch.
    for epochs, updates in ((5, 470), (6, 564)):
        few = load_config(quickstart, [f"representations.vae.epochs={epochs}"])
        warned = plan(few, Workspace.at(tmp_path, {}), 2).warnings
        assert [f"vae: {updates} updates" in line for line in warned] == [True] * (updates < 500)


SPACE = "representations.vae.space"


@pytest.mark.parametrize(
    "epochs", ["{choices: [50, 1]}", "{choices: [1, 50]}", "{low: 1, high: 50}"]
)
def test_the_fewest_updates_of_a_space_are_warned_of(tmp_path: Path, epochs: str) -> None:
    """In whatever order its values stand; so are those of its largest batches."""
    quickstart = Path("study_configs/quickstart.yaml")
    few = load_config(quickstart, [f"{SPACE}.epochs={epochs}"])
    (warning,) = plan(few, Workspace.at(tmp_path, {}), 2).warnings
    assert warning.startswith("vae: 94 updates are too few")
    batches = f"{SPACE}.batch_size={{choices: [3000, 32]}}"
    large = load_config(quickstart, [f"{SPACE}.epochs={epochs}", batches])
    (warning,) = plan(large, Workspace.at(tmp_path, {}), 2).warnings
    assert warning.startswith("vae: 1 updates are too few")


@pytest.mark.parametrize(
    ("trials", "space", "rows", "encoders"),
    [
        (8, {"latent_dim": "{low: 2, high: 9}"}, (), 8),
        (8, {"latent_dim": "{low: 2, high: 9}"}, (3,), 8),  # the row has one of the space's
        (7, {"latent_dim": "{low: 2, high: 9}"}, (3, 64), 9),
        (16, {"latent_dim": "{low: 2, high: 9}", "beta": "{choices: [0.5, 1]}"}, (), 16),
        (17, {"latent_dim": "{low: 2, high: 9}", "beta": "{choices: [0.5, 1]}"}, (3,), 17),
        (5000, {"beta": "{low: 0.5, high: 1}"}, (), 5000),
        (5000, {"classifier.epochs": "{low: 2, high: 90}"}, (), 2),
    ],
)
def test_encoders_are_counted_at_the_most(
    config: StudyConfig,
    tmp_path: Path,
    trials: int,
    space: dict[str, str],
    rows: tuple[int, ...],
    encoders: int,
) -> None:
    """Each trial may want one of its own, as far as the space has so many, and each row; on each
    draw, and again on those that confirm. The time grows with them."""
    tiny = tmp_path / "tiny.yaml"
    overrides = [f"representations.vae.trials={trials}"]
    overrides += [f"{SPACE}.{name}={values}" for name, values in space.items()]
    listed = ", ".join(
        f"{{representation: vae, latent_dim: {dims}, hidden_neurons: 9}}" for dims in rows
    )
    overrides.append(f"rows=[{listed}]")
    workspace = Workspace.at(tmp_path, {})
    planned = plan(load_config(tiny, overrides), workspace, 2)
    assert planned.encoders_needed == 2 * encoders
    assert planned.confirming_encoders is planned.confirming_seconds is None
    confirmed = [*overrides, "confirm={draws: 3, classifiers: 1}"]
    confirming = plan(load_config(tiny, confirmed), workspace, 2)
    assert (confirming.encoders_needed, confirming.seconds) == (2 * encoders, planned.seconds)
    assert confirming.confirming_encoders == 3 * encoders
    assert confirming.confirming_seconds is not None
    assert planned.seconds is not None
    # Three draws of one classifier beside two of two, of everything.
    assert planned.seconds < confirming.confirming_seconds < 2 * planned.seconds


@pytest.mark.timeout(30)
def test_a_plan_of_millions_takes_no_time(config: StudyConfig, tmp_path: Path) -> None:
    """A thousand cells stand for a million trials: the estimate grows with them all the same."""

    def seconds(trials: int, draws: int) -> float:
        vae = config.blocks["vae"].model_copy(update={"trials": trials})
        representations = config.representations.model_copy(update={"vae": vae})
        replicates = config.replicates.model_copy(update={"draws": draws})
        large = config.model_copy(
            update={"representations": representations, "replicates": replicates}
        )
        planned = plan(large, Workspace.at(tmp_path, {}), 2)
        assert planned.encoders_needed == 2 * draws
        assert planned.seconds is not None
        return planned.seconds

    few, many = seconds(1000, 1000), seconds(1_000_000, 1000)
    assert 500 < many / few < 1000


def test_a_study_s_name_leads_nowhere_else(config: StudyConfig, tmp_path: Path) -> None:
    """A storage that others write to may hold any; one that no config can have is refused."""
    workspace, name = Workspace.at(tmp_path / "home", {}), "../../elsewhere"
    workspace.home.create()
    data = DataFacts(name="mine", sha256="0" * 64, is_mnist=False)
    Ledger.create(open_storage(workspace.storage), name, directions(config), config.identity, data)
    with pytest.raises(ConfigError, match=r"elsewhere' is that of 'tiny'"):
        open_study(workspace, name)
