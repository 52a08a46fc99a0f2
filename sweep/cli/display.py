"""The live display of a running study, on stderr."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sweep.cli.options import is_live
from sweep.coordinator.events import Activity
from sweep.coordinator.trials import Snapshot
from sweep.specs import EncoderSpec

_BAR = 16
"""Columns of a progress bar."""
_ROUNDING = 1e-6
"""Of an epoch: a third of three is one."""


class Display:
    """Shows snapshots: live on a terminal, as plain lines of news elsewhere, or not at all."""

    def __init__(self, console: Console, study: str, quiet: bool) -> None:
        self._console = console
        self._study = study
        self._quiet = quiet
        self._live: Live | None = None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if not self._quiet and is_live(self._console):
            self._live = Live(console=self._console, refresh_per_second=5, transient=True)
            self._live.start()
            self._live.update(Text(f"{self._study}: loading data, opening the study ..."))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Show a running study at one moment."""
        if self._quiet:
            return
        progress = snapshot.progress
        for line in snapshot.news:
            if self._live is None:
                line = f"[{progress.complete}/{progress.target}] {line}"
            # A terminal's lines end between words; what is piped is folded by nobody.
            self._console.print(line, soft_wrap=self._live is None, markup=False)
        if self._live is not None:
            self._live.update(self._render(snapshot))

    def _render(self, snapshot: Snapshot) -> Group:
        progress = snapshot.progress
        elapsed = time.monotonic() - self._began
        failed = f" · {progress.failed} failed" if progress.failed else ""
        left = (
            "time left not known yet"
            if snapshot.seconds_left is None
            else f"about {duration(snapshot.seconds_left)} left"
        )
        rows = _rows()
        rows.add_row(
            Text(""),
            ProgressBar(total=max(progress.target, 1), completed=progress.complete, width=_BAR),
            Text(
                f"{progress.complete}/{progress.target} trials{failed} · "
                f"{duration(elapsed)} · {left}"
            ),
        )
        for worker, activity in snapshot.running.items():
            rows.add_row(
                Text(worker, style="dim"),
                ProgressBar(total=1.0, completed=activity.fraction, width=_BAR),
                Text(describe(activity)),
            )
        parts: list[Text | Table] = [Text(self._study, style="bold"), rows]
        if snapshot.best is not None and snapshot.best.result is not None:
            result = snapshot.best.result
            best = (
                f"  best so far: {100 * result.accuracy:.2f} % by {snapshot.best.label} "
                f"({result.classifier_parameters:,} parameters)"
            )
            parts.append(Text(best))
        return Group(*parts)


def _rows() -> Table:
    """A grid of names, bars and words, of which only the words are folded."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    return table


def describe(activity: Activity) -> str:
    """What a worker does: of an encoder that is trained in epochs, which, and how long it takes."""
    spec = activity.spec
    epochs = spec.representation.settings.get("epochs") if isinstance(spec, EncoderSpec) else None
    if not isinstance(epochs, int):
        return activity.label
    epoch = min(int(activity.fraction * epochs + _ROUNDING) + 1, epochs)
    left = activity.seconds_left
    ends = "" if left is None else f", {rough_duration(left)} left"
    return f"{activity.label}: epoch {epoch} of {epochs}{ends}"


def rough_duration(seconds: float) -> str:
    """As in '42 s', '4 min' or '2 h 10 min'."""
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def duration(seconds: float) -> str:
    """As in '42 s', '3 min 5 s' or '2 h 10 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
