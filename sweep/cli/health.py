"""Commands that look after a machine and a home: doctor, store."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from sweep.cli.options import FactsFormat, FactsOption, stdout, tell
from sweep.cli.session import Session, command, confirmed
from sweep.cli.tables import make_table
from sweep.errors import ProblemsError

if TYPE_CHECKING:
    from sweep.coordinator.stock import StoredEncoder

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


@command
def doctor(
    session: Session,
    format_: FactsOption = FactsFormat.table,
) -> None:
    """Check this machine and the home, and say how to mend what is wrong; changes nothing."""
    from sweep.doctor import Finding, examine

    findings: list[Finding] = []
    for finding in examine(session.workspace):
        findings.append(finding)
        if format_ is FactsFormat.table and not (session.quiet and finding.level == "ok"):
            level = (f"{finding.level:>7}", _COLOURS[finding.level])
            tell(stdout, Text.assemble(level, f"  {finding.name}: {finding.found}"))
            if finding.mend:
                tell(stdout, Text.assemble(" " * 9, ("mend:", "dim"), f" {finding.mend}"))
    if format_ is FactsFormat.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=2))
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        raise ProblemsError(f"{problems} of {len(findings)} findings are problems")


@command
def store(
    session: Session,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Remove encoders that no study needs, and damaged files; asks first."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Prune without asking.")] = False,
    format_: FactsOption = FactsFormat.table,
) -> None:
    """List the trained encoders with their size and last use, and prune those not needed."""
    from sweep.coordinator import stock as stocked

    workspace = session.workspace
    encoders = stocked.stock(workspace)
    if format_ is FactsFormat.json:
        facts = [asdict(e) | {"spec": e.spec.model_dump(mode="json")} for e in encoders]
        print(json.dumps({"encoders": facts}, indent=2))
    else:
        _print_encoders(encoders)
    if not prune:
        return
    sizes = {encoder.key: encoder.size for encoder in encoders}
    found, left = stocked.unneeded(workspace), stocked.leftovers(workspace)
    if not found and not left:
        session.say("Nothing to remove: every encoder is needed.")
        return
    size = _megabytes(sum(sizes.get(key, 0) for key in found))
    parts = [f"{len(found)} encoders that no study needs ({size})"] if found else []
    parts += [f"{len(left)} files that are damaged or half written"] if left else []
    if not (yes or confirmed(f"Remove {' and '.join(parts)}?", "--prune")):
        return
    pruned = stocked.prune(workspace)  # decides anew: the question may have been open for long
    size = _megabytes(sum(sizes.get(key, 0) for key in pruned.encoders))
    kept = len(found.difference(pruned.encoders))
    others = f" and {pruned.leftovers} damaged or half written files" if pruned.leftovers else ""
    in_use = f"; {kept} are in use or needed by now, and stay" if kept else ""
    session.say(f"Removed {len(pruned.encoders)} encoders ({size}){others}{in_use}.")


def _print_encoders(encoders: list[StoredEncoder]) -> None:
    from sweep.coordinator.labels import told_apart

    table = make_table("encoder", "draw", "dataset", "size", "last use", "needed by", "key")
    names = told_apart([encoder.spec.representation for encoder in encoders])
    for name, encoder in zip(names, encoders, strict=True):
        table.add_row(
            name,
            str(encoder.spec.draw + 1),
            encoder.spec.data[:8],
            _megabytes(encoder.size),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(encoder.last_use)),
            ", ".join(encoder.studies) or "–",
            encoder.key[:8],
        )
    stdout.print(table)
    total = _megabytes(sum(encoder.size for encoder in encoders))
    stdout.print(f"{len(encoders)} encoders, {total}")
    if encoders:
        tell(stdout, "Draws count from 1 here, and from 0 in Python, JSON and CSV.", style="dim")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
