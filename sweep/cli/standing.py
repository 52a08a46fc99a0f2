"""How studies stand, as ``sweep status`` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from sweep.cli.display import duration
from sweep.cli.listing import attempt_facts, attempts_table, failure_line
from sweep.cli.options import tell
from sweep.cli.printing import places_to_look, print_json, print_places
from sweep.cli.tables import make_table
from sweep.coordinator.studies import Part, StudyStatus
from sweep.search.attempt import Attempt
from sweep.workspace import Workspace


def print_statuses(out: Console, statuses: Sequence[StudyStatus], as_json: bool) -> None:
    """How studies stand, a line each."""
    if as_json:
        print_json({"studies": [_facts(status) for status in statuses]})
        return
    interrupted = any(status.interrupted for status in statuses)
    names = ("study", "complete", "failed", *["interrupted"] * interrupted, "running", "waiting")
    table = make_table(*names, "best")
    for status in statuses:
        counts = [status.failed, *[status.interrupted] * interrupted]
        counts += [status.running, status.waiting]
        done = f"{status.complete} of {status.target}"
        table.add_row(status.study, done, *map(str, counts), _best(status.best))
    out.print(table)
    for status in statuses:
        _tell_of_owner(out, status)


def print_standing(out: Console, status: StudyStatus, workspace: Workspace) -> None:
    """How one study stands, with all that is worth knowing of it."""
    out.print(f"Study {status.study}", style="bold")
    out.print(_state(status))
    _tell_of_owner(out, status)
    out.print()
    out.print(_parts_table(status.representations))
    encoders = sum(part.encoders for part in status.representations)
    if encoders:
        seconds = sum(part.encoder_seconds for part in status.representations)
        tell(out, f"\nIts {encoders} encoders were trained in {duration(seconds)} altogether.")
    if status.best is not None:
        tell(out, f"\nBest, on the {status.scored_on} partition: {_best(status.best)}")
    if status.latest:
        out.print("\nThe latest trials:")
        out.print(attempts_table(status.latest))
    for failure in status.failures:
        tell(out, failure_line(failure))
    if status.complete:
        out.print()
        print_places(out, places_to_look(status.study, status.page, workspace))


def _state(status: StudyStatus) -> str:
    """How far it is, in a line."""
    parts = [f"{status.complete} of {status.target} trials complete"]
    for name in ("failed", "interrupted", "running", "waiting"):
        count = getattr(status, name)
        parts += [f"{count} {name}"] if count else []
    return ", ".join(parts)


def _tell_of_owner(out: Console, status: StudyStatus) -> None:
    owner = status.owner
    if owner is None:
        return
    if owner.is_alive:
        tell(out, f"{status.study}: {owner} runs it")
    else:
        tell(
            out,
            f"{status.study}: {owner}, which ran it, is dead; sweep run with its config goes on",
        )


def _parts_table(parts: Sequence[Part]) -> Table:
    interrupted = any(part.interrupted for part in parts)
    names = ("complete", "failed", *["interrupted"] * interrupted, "running", "encoders")
    table = make_table("trials of", *names, "best")
    for part in parts:
        counts = [part.failed, *[part.interrupted] * interrupted, part.running]
        table.add_row(
            part.representation,
            f"{part.complete} of {part.target}",
            *map(str, counts),
            str(part.encoders) if part.encoders else "–",
            _best(part.best),
        )
    return table


def _best(best: Attempt | None) -> str:
    if best is None or best.result is None:
        return "–"
    return f"{100 * best.result.accuracy:.2f} % by {best.label}"


def _facts(status: StudyStatus) -> dict[str, Any]:
    """A study by the stable keys."""
    facts = {name: value for name, value in vars(status).items() if name != "best"}
    facts["failures"] = [_failure_facts(attempt) for attempt in status.failures]
    owner = status.owner
    facts["owner"] = owner and {"host": owner.host, "pid": owner.pid, "alive": owner.is_alive}
    facts["best"] = _best_facts(status.best)
    facts["representations"] = [
        asdict(part) | {"best": _best_facts(part.best)} for part in status.representations
    ]
    facts["latest"] = [attempt_facts(attempt) for attempt in status.latest]
    facts["page"] = status.page and str(status.page)
    return facts


def _failure_facts(attempt: Attempt) -> dict[str, Any]:
    assert attempt.failure is not None
    return {
        "trial": attempt.number,
        "configuration": attempt.label,
        "cause": attempt.failure.cause,
        "message": attempt.failure.message,
    }


def _best_facts(best: Attempt | None) -> dict[str, Any] | None:
    if best is None or best.result is None:
        return None
    return {
        "trial": best.number,
        **best.cell.model_dump(),
        "varied": dict(best.cell.varied),
        "accuracy": best.result.accuracy,
        "classifier_parameters": best.result.classifier_parameters,
    }
