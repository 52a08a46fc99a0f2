"""Commands in environments that users, shells and containers have made, with real processes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.processes import as_nobody, few_processes, sweep_command, without_shared_memory
from tests.cli.process import accuracies, assert_exactly_once, environment, start, sweep

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")

CONFIG = """
name: numbers
dataset: mnist-5k
partition: {scheme: fractions, encoder: .1, classifier: .2, validation: .6, test: .1}
seed: 5
replicates: {draws: 1, classifiers: 2}
representations:
  vae:
    {epochs: 1, batch_size: 100, learning_rate: 0.001, labels_from: classifier,
     classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}
  pixels: {labels_from: classifier, classifier: {epochs: 3, batch_size: 256, learning_rate: 0.001}}
rows:
  - {representation: pixels, hidden_neurons: 10}
  - {representation: vae, latent_dim: 2, hidden_neurons: 17}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("numbers") / "numbers.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def undisturbed(config: Path) -> dict[str, list[float]]:
    return trained(config, config.parent / "undisturbed", {})


def trained(config: Path, home: Path, env: dict[str, str]) -> dict[str, list[float]]:
    done = sweep("run", config, "--home", home, "--workers", 1, env=env)
    assert done.returncode == 0, done.stderr
    return accuracies(home, "numbers")


KERAS = {
    "floatx": "float16",
    "epsilon": 1e-3,
    "backend": "jax",
    "image_data_format": "channels_first",
}


@pytest.mark.parametrize(
    "variable",
    [
        "TF_ENABLE_ONEDNN_OPTS=0",
        "ONEDNN_MAX_CPU_ISA=AVX2",
        "ONEDNN_DEFAULT_FPMATH_MODE=BF16",
        "TF_XLA_FLAGS=--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
        "XLA_FLAGS=--xla_cpu_enable_fast_math=true",
        "KERAS_BACKEND=jax",
        "KERAS_HOME",
    ],
)
def test_what_a_user_has_set_changes_no_number(
    variable: str, config: Path, undisturbed: dict[str, list[float]], tmp_path: Path
) -> None:
    """Neither a variable nor Keras's file of settings: equal to the last bit."""
    name, _, value = variable.partition("=")
    (tmp_path / "keras.json").write_text(json.dumps(KERAS))
    home = tmp_path / "home"
    assert trained(config, home, {name: value or str(tmp_path)}) == undisturbed


@pytest.mark.parametrize("number", [12, 17, 20, 23, 26])
def test_few_files_may_be_opened(number: int, config: Path, tmp_path: Path) -> None:
    """One line says so, or it is enough."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))

    process = start("run", config, "--home", tmp_path / "home", "--quiet", preexec_fn=limit)
    said = process.communicate(timeout=200)[1]
    assert "Traceback" not in said
    assert process.returncode == 0 or "error: " in said.splitlines()[-1] + said.splitlines()[-2]


@pytest.mark.parametrize("number", [1, 3, 5, 8])
def test_few_processes_may_be_started(
    number: int, config: Path, undisturbed: dict[str, list[float]], tmp_path: Path
) -> None:
    """A line says so; where more may be started, the same command does all there is to do."""
    with few_processes() as group:
        group.limit(number)
        process = start(
            *("run", config, "--home", tmp_path, "--workers", 1, "--quiet"), preexec_fn=group.join
        )
        said = process.communicate(timeout=200)[1]
    assert process.returncode in (1, 130), said
    # OpenBLAS says so itself, and interrupts a worker that does not run our code yet.
    interrupted = "OpenBLAS" in said and "KeyboardInterrupt" in said
    assert "Traceback" not in said or interrupted, said
    assert "no more processes or threads" in said or "OpenBLAS" in said
    if number == 8:  # it was under way
        assert trained(config, tmp_path, {}) == undisturbed


def test_a_study_waits_for_threads(
    config: Path, undisturbed: dict[str, list[float]], tmp_path: Path
) -> None:
    """Where no worker can begin, no trial fails for it; it goes on when threads are there."""
    with few_processes() as group:
        group.limit(20)
        process = start("run", config, "--home", tmp_path, "--workers", 1, preexec_fn=group.join)
        assert process.stderr is not None
        said = ""
        while "waiting for it" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        assert "no worker gets ready" in said
        group.limit("max")
        said += process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert accuracies(tmp_path, "numbers") == undisturbed
    assert_exactly_once(tmp_path, 2, "numbers")


@needs_root
def test_shared_memory_may_take_no_writes(
    config: Path, undisturbed: dict[str, list[float]], tmp_path: Path
) -> None:
    """A line says so, and what needs it; the same command goes on."""
    command = sweep_command("run", config, "--home", tmp_path, "--workers", 1, "--quiet")
    done = subprocess.run(
        without_shared_memory(*command),
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "error: a place that must take writes does not; workers need /dev/shm" in done.stderr
    assert "Traceback" not in done.stderr
    assert trained(config, tmp_path, {}) == undisturbed


@needs_root
def test_a_user_without_a_name_and_a_home(
    config: Path, undisturbed: dict[str, list[float]], tmp_path: Path
) -> None:
    """Training works; MLflow does not, for a reason that is told with its mend, which helps."""

    def nobody(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        given = (f"{name}={value}" for name, value in variables.items())
        done = subprocess.run(
            as_nobody("env", *given, *sweep_command(*arguments, "--home", tmp_path)),
            env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done

    why = "MLflow wants a home directory, and user 12345 has none: HOME can name one"
    ran = nobody("run", config, "--workers", 1)
    assert ran.returncode == 0, ran.stderr
    assert why in ran.stderr
    assert accuracies(tmp_path, "numbers") == undisturbed
    found = nobody("doctor", "--format", "json")
    (mlflow,) = [each for each in json.loads(found.stdout)["findings"] if each["name"] == "MLflow"]
    assert mlflow["found"] == why
    assert "set HOME" in mlflow["mend"]
    assert why in nobody("sync", "numbers").stderr
    assert why in nobody("ui").stderr
    assert nobody("sync", "numbers", HOME=str(tmp_path)).returncode == 0
    assert not (tmp_path / "~").exists()
    assert_exactly_once(tmp_path, 2, "numbers")


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_is_named(variable: str, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By those who ask a server through it, and without its password."""
    for each in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    env = {variable: "http://me:canary@127.0.0.1:9", "no_proxy": ""}
    env["MLFLOW_TRACKING_URI"] = "http://mlflow.test:5000"
    for command in (("doctor",), ("sync", "tiny")):
        done = sweep(*command, "--home", copy, env=env)
        assert done.returncode == 1
        said = done.stdout + done.stderr
        assert "through the proxy http://me:***@127.0.0.1:9" in said
        assert "canary" not in said


CLOSED = {"stdout": (1,), "stderr": (2,), "both": (1, 2), "all": (0, 1, 2)}


@pytest.mark.parametrize("which", CLOSED)
def test_a_stream_may_be_closed(which: str, finished: Path, tmp_path: Path) -> None:
    """What is printed is lost, as was wished; what is written is whole, and nothing else breaks."""
    out = ("--out", str(tmp_path), "--quiet")
    done = closed(which, "report", "tiny", "--home", str(finished), *out)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert ("pixels → 10" in done.stdout) == (1 not in CLOSED[which])
    assert "pixels → 10" in (tmp_path / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("which", CLOSED)
@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("status", "tiny"),
        ("trials", "tiny"),
        ("trials", "tiny", "--format", "csv"),
        ("doctor",),
        ("doctor", "--format", "json"),
    ],
)
def test_who_looks_does_so_with_closed_streams(
    arguments: tuple[str, ...], which: str, finished: Path
) -> None:
    """The exit status is all that is left to say, and it is right; nothing ends in Python."""
    done = closed(which, *arguments, "--home", str(finished))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert bool(done.stdout) == (1 not in CLOSED[which])


@pytest.mark.parametrize("which", CLOSED)
def test_a_study_runs_with_closed_streams(which: str, config: Path, tmp_path: Path) -> None:
    """It trains, and is recorded, as a job of a system that gives it none."""
    done = closed(which, "run", str(config), "--home", str(tmp_path), "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert bool(done.stdout) == (1 not in CLOSED[which])
    assert_exactly_once(tmp_path, 2, "numbers")


def closed(which: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """How a command ends that begins with streams closed."""

    def close() -> None:
        for descriptor in CLOSED[which]:
            os.close(descriptor)

    return subprocess.run(
        [sys.executable, "-m", "sweep", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        preexec_fn=close,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii:strict", "iso-8859-1:strict", "utf-8:strict"])
def test_a_terminal_may_lack_characters(encoding: str, finished: Path, tmp_path: Path) -> None:
    """It gets what it can show; files are UTF-8, whatever the locale."""
    env = {
        "PYTHONIOENCODING": encoding,
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    for format_ in ("table", "markdown"):
        process = start(
            *("report", "tiny", "--home", finished, "--format", format_, "--out", tmp_path),
            env=env,
            encoding=encoding.partition(":")[0],
        )
        printed, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
        arrow = "→" if encoding.startswith("utf-8") else "->"
        assert f"pixels {arrow} 10" in printed
    assert "pixels → 10" in (tmp_path / "report.md").read_text(encoding="utf-8")
    trials = sweep("trials", "tiny", "--home", finished, env=env | {"PYTHONIOENCODING": "ascii"})
    assert trials.returncode == 0, trials.stderr


def test_files_of_a_user_are_no_modules(
    config: Path, undisturbed: dict[str, list[float]], tmp_path: Path
) -> None:
    """Where the working directory has files with names of Python's modules, and of ours."""
    for name in ("logging", "random", "sweep", "mlflow", "numpy", "token"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    home = tmp_path / "home"
    done = subprocess.run(
        [Path(sys.executable).with_name("sweep"), "run", config, "--home", home, "--workers", "1"],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert accuracies(home, "numbers") == undisturbed
