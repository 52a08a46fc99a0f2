"""Commands that let others check what a study found: bundle, verify."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweep.cli.options import FactsFormat, FactsOption, StudyArgument, say, stdout, tell
from sweep.cli.session import Session, command
from sweep.cli.tables import make_table
from sweep.errors import ProblemsError

if TYPE_CHECKING:
    from sweep.bundles import Retrained, Verified
    from sweep.bundles.retraining import Machines

_MOST_SHOWN = 20


@command
def bundle(
    session: Session,
    study: StudyArgument,
    out: Annotated[Path, typer.Option("--out", help="Directory to make; an older bundle goes.")],
    with_encoders: Annotated[
        bool, typer.Option("--with-encoders", help="The encoders' weights, too.")
    ] = False,
) -> None:
    """Write all that a study's numbers rest on into a directory that anyone can verify."""
    from sweep.bundles import write_bundle

    verified = write_bundle(session.workspace, study, out, with_encoders=with_encoders)
    _check(verified, out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    say(f"Written to {out}: {_contents(verified)}, {size / 1e6:,.1f} MB")
    session.say(f"Anyone can check it:  uv run sweep verify {out}")


@command
def verify(
    session: Session,
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's directory.")],
    retrain: Annotated[
        int,
        typer.Option(
            "--retrain",
            min=0,
            metavar="N",
            help="Train so many of its draws again, each with its encoder, and compare every bit.",
        ),
    ] = 0,
    format_: FactsOption = FactsFormat.table,
) -> None:
    """Work out every number of a bundle's report from its draws, and say whether they agree."""
    from sweep import bundles
    from sweep.bundles.retraining import Machines

    verified = bundles.verify(bundle)
    opened = bundles.Bundle.at(bundle)
    retrained: list[Retrained] = []
    if retrain and verified.discrepancies:
        session.say("Nothing was trained again: the bundle is not what was written.")
    elif retrain:
        retrained = bundles.retrain(opened, session.workspace, retrain, session.say)
    machines = Machines.of(opened)
    if format_ is FactsFormat.json:
        print(json.dumps(_facts(verified, retrained, machines), indent=2))
    else:
        _print_verified(verified)
        _print_retrained(retrained, machines)
    _check(verified, bundle)
    moved = sum(not each.is_equal for each in retrained)
    if moved and machines.are_alike:
        raise ProblemsError(
            f"{moved} of {len(retrained)} draws did not come out as they did on a machine of the "
            "same kind"
        )


def _check(verified: Verified, path: Path) -> None:
    if verified.discrepancies:
        raise ProblemsError(
            f"{len(verified.discrepancies)} things in {path} do not agree with its draws",
            hint="it was changed since it was written, or another version of sweep wrote it",
        )


def _contents(verified: Verified) -> str:
    return (
        f"{verified.complete} of {verified.target} trials, {verified.draws} draws, "
        f"{verified.encoders} encoders"
    )


def _print_verified(verified: Verified) -> None:
    wrong = verified.discrepancies
    say(f"{verified.study}: {_contents(verified)}")
    if not wrong:
        say(
            f"Every number agrees: {verified.numbers:,} of the report, in {verified.rows} rows and "
            "what follows from them, worked out anew from the draws."
        )
        for page in verified.pages:
            say(f"So does what {page} shows of it.")
        return
    for each in wrong[:_MOST_SHOWN]:
        tell(stdout, f"{each.place}\n  written: {each.written}\n  found:   {each.found}")
    if len(wrong) > _MOST_SHOWN:
        say(f"... and {len(wrong) - _MOST_SHOWN} more; --format json has all of them")


def _print_retrained(retrained: list[Retrained], machines: Machines) -> None:
    if not retrained:
        return
    table = make_table("what", "accuracy moved by", "first in epoch")
    for each in retrained:
        moved = "equal to the last bit" if each.is_equal else f"{100 * each.moved:.3g} points"
        table.add_row(each.draw.label, moved, str(each.first_epoch or "–"))
    stdout.print(table)
    say(f"Trained again on: {machines.here.said}")
    for there in dict.fromkeys(machine.said for machine in machines.there):
        say(f"The study ran on: {there}")
    kind = "of a kind that" if machines.are_alike else "of another kind than those that"
    say(f"This machine is {kind} the study ran on.")


def _facts(verified: Verified, retrained: list[Retrained], machines: Machines) -> dict[str, Any]:
    facts = asdict(verified)
    facts["discrepancies"] = [each._asdict() for each in verified.discrepancies]
    facts["retrained"] = [
        {
            "draw": each.draw.label,
            "key": each.draw.key,
            "is_equal": each.is_equal,
            "moved": each.moved,
            "first_epoch": each.first_epoch,
        }
        for each in retrained
    ]
    return facts | {
        "is_same_kind": machines.are_alike,
        "machine": machines.here.said,
        "machines_of_study": list(dict.fromkeys(each.said for each in machines.there)),
    }
