"""One MLflow run: as it is to stand there, and what is known to stand there already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric
    from mlflow.entities import Run as MlflowRun

COLOUR = "mlflow.runColor"
FRONT = "pareto"
NOTE = "mlflow.note.content"
TO_REPORT = "Report of the study"
"""The first link of a trial's note, by which it is known to be ours."""

RunKind = Literal["study", "trial", "encoder"]
RunStatus = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
Identity = tuple[str, str]

_PAGE = 1000


@dataclass(frozen=True)
class Run:
    """One MLflow run, as it is to stand there.

    ``curves`` hold one value per epoch, from epoch 1. Times are milliseconds since the epoch.
    """

    kind: RunKind
    name: str
    status: RunStatus
    started_at: int
    finished_at: int
    """Of a run that goes on: when it was looked at."""
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    """Artifacts by file name."""
    files: Sequence[Path] = ()
    """More artifacts."""
    stands_on: Sequence[tuple[str, Identity]] = ()
    """Other runs of its study that its page leads to, by what they are called there."""

    @property
    def identity(self) -> Identity:
        """What tells it from the other runs of its study."""
        return identity({"sweep.kind": self.kind, **self.tags})

    @property
    def goes_on(self) -> bool:
        """Whether there is more to come of it."""
        return self.status == "RUNNING"

    @property
    def artifacts(self) -> set[str]:
        """Names of its artifacts."""
        return {*self.texts, *(file.name for file in self.files)}


def identity(tags: Mapping[str, str]) -> Identity:
    """Trials are told apart by their number, encoders by their key; the study is one."""
    kind = tags["sweep.kind"]
    name = {"trial": "sweep.trial", "encoder": "sweep.key"}.get(kind)
    return kind, tags[name] if name else ""


class Standing:
    """A run that MLflow has, with what is known to stand there.

    MLflow doubles a point that is logged again with another timestamp. So it is asked once for the
    steps of each curve of a run that was found there; of one that was created here, they are
    remembered.
    """

    def __init__(self, run: MlflowRun, *, is_new: bool) -> None:
        """Begin with what MLflow said of it.

        Args:
            run: as MLflow gave it.
            is_new: whether it was created just now, so that it has no points.
        """
        self.run_id: str = run.info.run_id
        self.status: str = run.info.status
        self.has_inputs = False
        self._is_new = is_new
        self._tags: dict[str, str] = {}
        self._params: dict[str, str] = {}
        self._steps: dict[str, set[int]] = {}
        self._texts: dict[str, str] = {}
        is_study = run.data.tags.get("sweep.kind") == "study"
        self._has_curves = self.status == "FINISHED" and not is_study
        """Whether its curves are whole: its status is set last, and only a study goes on."""
        note = run.data.tags.get(NOTE)
        self.is_described = note is not None and not note.startswith(f"[{TO_REPORT}]")
        """Whether a user has written its note."""
        self._tags.update(run.data.tags)
        self._params.update(run.data.params)
        self._forget_what_is_done()

    def agrees(self, run: Run) -> bool:
        """Whether it ended just as the run did, and shows it as this version does."""
        has_ended = self.status != "RUNNING" and self.status in ("FINISHED", run.status)
        return has_ended and self._tags.get(COLOUR) == run.tags.get(COLOUR)

    @property
    def front(self) -> str | None:
        """The tag that says whether a trial is on the report's front."""
        return self._tags.get(FRONT)

    @front.setter
    def front(self, value: str) -> None:
        self._tags[FRONT] = value

    def missing_texts(self, run: Run) -> dict[str, str]:
        """Texts that were not written here, or have another content."""
        return {name: text for name, text in run.texts.items() if self._texts.get(name) != text}

    def missing_tags(self, run: Run) -> dict[str, str]:
        """Tags that are not there, or have another value."""
        return {key: v for key, v in run.tags.items() if self._tags.get(key) != v}

    def stale_tags(self, run: Run) -> list[str]:
        """Our tags that are there and no longer true, as the failure of one that goes on."""
        ours = (key for key in self._tags if key.startswith("sweep."))
        return [key for key in ours if key not in {"sweep.kind", "sweep.study", *run.tags}]

    def missing_params(self, run: Run) -> dict[str, str]:
        """Params that are not there."""
        return {key: v for key, v in run.params.items() if self._params.get(key) != v}

    def missing_points(self, client: MlflowClient, run: Run) -> list[Metric]:
        """The run's metrics, and those steps of its curves that are not there."""
        from mlflow.entities import Metric

        moment = run.finished_at
        points = [Metric(key, float(value), moment, 0) for key, value in run.metrics.items()]
        for key, curve in run.curves.items() if not self._has_curves else ():
            held = self._held(client, key)
            points += [
                Metric(key, float(value), moment, step)
                for step, value in enumerate(curve, start=1)
                if step not in held
            ]
        return points

    def note(self, run: Run, points: Sequence[Metric]) -> None:
        """Take note of what was written: a run's tags and params, and some of its points."""
        for key in self.stale_tags(run):
            del self._tags[key]
        self._tags.update(run.tags)
        self._params.update(run.params)
        self._texts.update(run.texts)
        for point in points:
            self._steps.setdefault(point.key, set()).add(point.step)

    def end(self, status: RunStatus) -> None:
        """Take note of its status."""
        self.status = status
        self._forget_what_is_done()

    def _forget_what_is_done(self) -> None:
        """Of a run that has finished little is written any more, and thousands stand."""
        if self.status == "FINISHED":
            self._tags = {key: self._tags[key] for key in (COLOUR, FRONT) if key in self._tags}
            self._params, self._steps, self._texts = {}, {}, {}
            self._is_new = False

    def _held(self, client: MlflowClient, key: str) -> set[int]:
        if key not in self._steps:
            known = [] if self._is_new else client.get_metric_history(self.run_id, key)
            self._steps[key] = {point.step for point in known}
        return self._steps[key]


def standing_runs(client: MlflowClient, experiment_id: str) -> dict[Identity, Standing]:
    """What stands in an experiment."""
    runs = _runs(client, experiment_id)
    return {identity(run.data.tags): Standing(run, is_new=False) for run in runs}


def trial_run_ids(runs: Mapping[Identity, Standing]) -> dict[int, str]:
    """Ids of the trials' runs that have ended, by Optuna's trial number.

    Those that go on may have ended meanwhile, which MLflow does not know yet.
    """
    return {
        int(name): run.run_id
        for (kind, name), run in runs.items()
        if kind == "trial" and run.status != "RUNNING"
    }


def _runs(client: MlflowClient, experiment_id: str) -> Iterator[MlflowRun]:
    """Every run of an experiment that this system made."""
    token = None
    while True:
        page = client.search_runs([experiment_id], "", 1, _PAGE, None, token)
        yield from (run for run in page if "sweep.kind" in run.data.tags)
        token = page.token
        if not token:
            return
