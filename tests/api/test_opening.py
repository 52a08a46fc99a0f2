"""Loading a study and running one, from Python."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import sweep
from sweep.config import load_config
from sweep.errors import ConfigError, StudyChangedError, UnknownStudyError
from tests.cli.process import environment


def python(code: str) -> str:
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_takes_no_time() -> None:
    """At most 0.3 seconds at the best of three times, and none of the large libraries."""
    code = (
        "import sys, time; began = time.perf_counter(); import sweep\n"
        "seconds = time.perf_counter() - began\n"
        "heavy = {'numpy', 'pandas', 'tensorflow', 'mlflow', 'optuna', 'matplotlib', 'pydantic'}\n"
        "assert not heavy & set(sys.modules); print(seconds)"
    )
    assert min(float(python(code)) for _ in range(3)) <= 0.3


def test_what_the_package_offers() -> None:
    """Is found, listed, and nothing else is there."""
    assert {"load", "run", "StudyConfig", "__version__"} <= set(dir(sweep))
    assert sweep.StudyConfig.__name__ == "StudyConfig"
    with pytest.raises(AttributeError, match="'sweep' has no attribute 'lode'"):
        sweep.lode  # type: ignore[attr-defined]  # noqa: B018


def test_reading_a_study_imports_no_tensorflow_and_writes_nothing(copy: Path) -> None:
    """All of its frames; the home is as it was."""
    kept = [path for path in copy.rglob("*") if path.suffix in (".db", ".json")]
    before = {path: path.stat().st_mtime_ns for path in kept}
    code = (
        f"import sys, sweep; study = sweep.load('tiny', home={str(copy)!r})\n"
        "for frame in 'trials', 'rows', 'replicates', 'curves', 'encoders', 'front':\n"
        "    assert len(getattr(study, frame)())\n"
        "print(study, {'tensorflow', 'keras'} & set(sys.modules))"
    )
    assert python(code) == "<study tiny: 8 of 8 trials complete> set()\n"
    assert {path: path.stat().st_mtime_ns for path in kept} == before


def test_the_home_is_that_of_the_commands(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``SWEEP_HOME``, or ``runs``; what is not there is said, and not made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_HOME", raising=False)
    with pytest.raises(UnknownStudyError, match="runs"):
        sweep.load("tiny")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("SWEEP_HOME", str(finished))
    assert sweep.load("tiny").config.name == "tiny"
    with pytest.raises(UnknownStudyError, match="no study 'tine'") as refused:
        sweep.load("tine")
    assert refused.value.__notes__ == [f"hint: {refused.value.hint}"]


def test_a_finished_study_runs_in_any_thread(copy: Path, tiny_config: Path) -> None:
    """Also where no signal can be asked for; a config in place of its file is the same."""
    found: list[object] = []

    def call() -> None:
        config = load_config(tiny_config)
        study = sweep.run(config, home=copy, replicates={"draws": 2, "classifiers": 2})
        found.append(len(study.trials()))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert found == [8]


def test_refusals_are_the_command_s(tmp_path: Path, tiny_config: Path, copy: Path) -> None:
    """Errors of the project, before anything is made."""
    with pytest.raises(ConfigError, match="cannot be read"):
        sweep.run(tmp_path / "no.yaml", home=tmp_path)
    with pytest.raises(ConfigError, match="trails"):
        sweep.run(tiny_config, home=tmp_path, **{"representations.vae.trails": 4})
    with pytest.raises(ConfigError, match="seed: a complex is no value of a config"):
        sweep.run(tiny_config, home=tmp_path, seed=1j)
    with pytest.raises(ConfigError, match="trails"):
        sweep.run(load_config(tiny_config), home=tmp_path, **{"representations.vae.trails": 4})
    with pytest.raises(StudyChangedError, match="seed: 3 became 4"):
        sweep.run(tiny_config, home=copy, seed=np.int64(4))
    assert list(tmp_path.glob("*.db")) == []
