from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.study import Kills, config_for


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> Kills:
    """How often a test kills, and when; the seed of the moments is printed if it fails."""
    seed = request.config.getoption("--chaos-seed")
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    print(f"--chaos-seed {seed}")
    return Kills(request.config.getoption("--kills"), random.Random(seed))


@pytest.fixture
def chaos_config(kills: Kills, tmp_path: Path) -> Path:
    """A study that lasts about as long as the kills do."""
    path = tmp_path / "chaos.yaml"
    path.write_text(config_for(kills.number))
    return path
