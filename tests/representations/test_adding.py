"""Adding a representation, as the manual shows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import environment

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_representation_is_one_file_and_one_registration(
    tiny_config: Path, tmp_path: Path
) -> None:
    """The page's example, added to a copy of the package, runs from config to table."""
    page = (ROOT / "docs/representations.md").read_text()
    (example,) = re.findall(r"```python\n(\"\"\"Thumbnails.*?)```", page, re.S)
    package = Path(shutil.copytree(ROOT / "sweep", tmp_path / "sweep"))
    (package / "representations/thumbnails.py").write_text(example)
    registry = package / "representations/__init__.py"
    text = registry.read_text()
    assert "(Vae, Autoencoder, Pca, Pixels)" in text
    text = text.replace(
        "(Vae, Autoencoder, Pca, Pixels)", "(Vae, Autoencoder, Pca, Pixels, Thumbnails)"
    ).replace(
        "from sweep.representations.vae",
        "from sweep.representations.thumbnails import Thumbnails\nfrom sweep.representations.vae",
    )
    registry.write_text(text)
    block = (
        "{labels_from: classifier, classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sweep", "run", tiny_config, "--home", tmp_path / "home"),
            *("--trials", "0", "--format", "json"),
            *("--set", f"representations.thumbnails={block}"),
            *("--set", "rows=[{representation: thumbnails, hidden_neurons: 16}]"),
        ],
        cwd=tmp_path,
        env=environment() | {"PYTHONPATH": str(tmp_path) + os.pathsep + str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["representation"] == "thumbnails"
    assert row["classifier_parameters"] == 50 * 16 + 17 * 10
