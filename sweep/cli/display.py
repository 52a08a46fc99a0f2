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

from sweep.coordinator.trials import Snapshot


class Display:
    """Shows snapshots: live on a terminal, as plain lines of news elsewhere, or not at all."""

    def __init__(self, console: Console, study: str, quiet: bool) -> None:
        self._console = console
        self._study = study
        self._quiet = quiet
        self._live: Live | None = None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if not self._quiet and self._console.is_terminal:
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
            done = f"[{progress.complete}/{progress.target}] " if self._live is None else ""
            self._console.print(f"{done}{line}", soft_wrap=True)
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
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(self._study, style="bold"),
            ProgressBar(total=max(progress.target, 1), completed=progress.complete, width=30),
            Text(
                f"{progress.complete}/{progress.target} trials{failed} · "
                f"{duration(elapsed)} · {left}"
            ),
        )
        workers = Table.grid(padding=(0, 1))
        for number, activity in snapshot.running.items():
            workers.add_row(
                Text(f"  worker {number}", style="dim"),
                ProgressBar(total=1.0, completed=activity.fraction, width=16),
                Text(activity.spec.label),
            )
        parts = [head, workers]
        if snapshot.best is not None and snapshot.best.result is not None:
            result = snapshot.best.result
            best = Table.grid()
            best.add_row(
                f"  best so far: {100 * result.accuracy:.2f} % by {snapshot.best.label} "
                f"({result.classifier_parameters:,} parameters)"
            )
            parts.append(best)
        return Group(*parts)


def duration(seconds: float) -> str:
    """As in '42 s', '3 min 5 s' or '2 h 10 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
